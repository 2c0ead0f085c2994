package bet

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"
)

// jar keeps the cookies of one session with one host.
//
// Unlike net/http/cookiejar it can be written down, and it sends every cookie with every call:
// BeT's document asks for nothing finer, and a cookie set by /WebServices/… without a path would
// by the book never reach /bet/place/.
type jar struct {
	now func() time.Time

	mu      sync.Mutex
	cookies map[string]keptCookie
}

// keptCookie is a cookie as it is written down.
type keptCookie struct {
	Name    string    `json:"name"`
	Value   string    `json:"value"`
	Quoted  bool      `json:"quoted,omitzero"`
	Expires time.Time `json:"expires,omitzero"`
}

func newJar(now func() time.Time) *jar {
	return &jar{now: now, cookies: map[string]keptCookie{}}
}

// SetCookies takes what an answer sets or deletes.
func (j *jar) SetCookies(_ *url.URL, cookies []*http.Cookie) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, c := range cookies {
		kept := keptCookie{Name: c.Name, Value: c.Value, Quoted: c.Quoted, Expires: c.Expires}
		if c.MaxAge > 0 {
			kept.Expires = j.now().Add(time.Duration(c.MaxAge) * time.Second)
		}
		if c.MaxAge < 0 || j.expired(kept) {
			delete(j.cookies, c.Name)
			continue
		}
		j.cookies[c.Name] = kept
	}
}

// Cookies returns what goes with the next request, in the order of names.
func (j *jar) Cookies(*url.URL) []*http.Cookie {
	j.mu.Lock()
	defer j.mu.Unlock()
	cookies := make([]*http.Cookie, 0, len(j.cookies))
	for _, name := range slices.Sorted(maps.Keys(j.cookies)) {
		kept := j.cookies[name]
		if !j.expired(kept) {
			cookies = append(cookies, &http.Cookie{Name: kept.Name, Value: kept.Value, Quoted: kept.Quoted}) //nolint:gosec // sent, not set
		}
	}
	return cookies
}

func (j *jar) expired(c keptCookie) bool {
	return !c.Expires.IsZero() && !c.Expires.After(j.now())
}

// marshal writes the cookies down.
func (j *jar) marshal() ([]byte, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return json.Marshal(slices.Collect(maps.Values(j.cookies)))
}

// unmarshal replaces the cookies by what marshal wrote.
func (j *jar) unmarshal(data []byte) error {
	var kept []keptCookie
	if err := json.Unmarshal(data, &kept); err != nil {
		return err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	clear(j.cookies)
	for _, c := range kept {
		j.cookies[c.Name] = c
	}
	return nil
}
