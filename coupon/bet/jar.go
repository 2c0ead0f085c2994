package bet

import (
	"encoding/json"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// maxCookies is how many cookies are written down; BeT has two or three.
const maxCookies = 50

// jar keeps the cookies of one session: a standard jar (RFC 6265), which tells cookies of one name
// apart by domain and path, and what that jar was given, so that it can be written down.
//
// In two things it is not by the book. A cookie ends by BeT's clock: how long it lives is counted
// from the answer's Date. And a cookie set without a path is for all paths: by the book one set by
// /WebServices/… would never reach /bet/place/.
type jar struct {
	now func() time.Time

	mu   sync.Mutex
	book *cookiejar.Jar
	kept []keptCookie
}

// keptCookie is a cookie as it is written down.
type keptCookie struct {
	URL     string    `json:"url"` // of the answer that set it
	Name    string    `json:"name"`
	Value   string    `json:"value"`
	Quoted  bool      `json:"quoted,omitzero"`
	Domain  string    `json:"domain,omitzero"`
	Path    string    `json:"path"`
	Secure  bool      `json:"secure,omitzero"`
	Expires time.Time `json:"expires,omitzero"` // by our clock
}

func newJar(now func() time.Time) *jar {
	book, _ := cookiejar.New(nil) // never fails without options
	return &jar{now: now, book: book}
}

// take follows what an answer from u sets and clears. date is the answer's own, or zero.
func (j *jar) take(u *url.URL, cookies []*http.Cookie, date time.Time) {
	j.mu.Lock()
	defer j.mu.Unlock()
	now := j.now()
	if date.IsZero() {
		date = now
	}
	for _, c := range cookies {
		kept := keptCookie{
			URL: u.String(), Name: c.Name, Value: c.Value, Quoted: c.Quoted, Domain: c.Domain, Path: c.Path, Secure: c.Secure,
		}
		life := time.Duration(c.MaxAge) * time.Second
		if c.MaxAge == 0 && !c.Expires.IsZero() {
			life = c.Expires.Sub(date)
		}
		cleared := c.MaxAge < 0 || life < 0 || life == 0 && !c.Expires.IsZero()
		switch {
		case cleared && c.Path == "":
			kept.Path = defaultPath(u)
		case c.Path == "":
			kept.Path = "/"
		}
		if life > 0 {
			kept.Expires = now.Add(life)
		}
		j.set(kept, cleared, now)
	}
}

// set puts a cookie into the book, or takes it out.
func (j *jar) set(kept keptCookie, cleared bool, now time.Time) {
	u, err := url.Parse(kept.URL)
	if err != nil {
		return
	}
	c := &http.Cookie{ //nolint:gosec // kept, not set
		Name: kept.Name, Value: kept.Value, Quoted: kept.Quoted, Domain: kept.Domain, Path: kept.Path, Secure: kept.Secure,
	}
	switch {
	case cleared:
		c.MaxAge = -1
	case !kept.Expires.IsZero():
		left := kept.Expires.Sub(now)
		if cleared = left <= 0; cleared {
			c.MaxAge = -1
			break
		}
		c.MaxAge = int((left + time.Second - 1) / time.Second)
	}
	j.book.SetCookies(u, []*http.Cookie{c})
	j.kept = slices.DeleteFunc(j.kept, func(k keptCookie) bool { return k.same(kept) })
	if !cleared && len(j.kept) < maxCookies {
		j.kept = append(j.kept, kept)
	}
}

// same reports whether two cookies are one to the book: name, domain and path.
func (c keptCookie) same(other keptCookie) bool {
	return c.Name == other.Name && c.Path == other.Path && c.domain() == other.domain()
}

func (c keptCookie) domain() string { return strings.ToLower(strings.TrimPrefix(c.Domain, ".")) }

// defaultPath is the folder of a URL's path (RFC 6265, 5.1.4).
func defaultPath(u *url.URL) string {
	if i := strings.LastIndexByte(u.Path, '/'); i > 0 && u.Path[0] == '/' {
		return u.Path[:i]
	}
	return "/"
}

// cookies returns what goes with a request to u.
func (j *jar) cookies(u *url.URL) []*http.Cookie { return j.book.Cookies(u) }

// marshal writes the cookies down.
func (j *jar) marshal() ([]byte, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return json.Marshal(j.kept)
}

// unmarshal adds the cookies that marshal wrote and that live still.
func (j *jar) unmarshal(data []byte) error {
	var kept []keptCookie
	if err := json.Unmarshal(data, &kept); err != nil {
		return err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	now := j.now()
	for _, c := range kept {
		if c.URL != "" {
			j.set(c, false, now)
		}
	}
	return nil
}
