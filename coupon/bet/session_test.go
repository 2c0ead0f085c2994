package bet

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// A second process takes the session over; a changed password, rubbish or a broken store cost
// one login.
func TestSessionsOutliveTheClient(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	store := newMemoryStore()
	keep := func(cfg *Config) { cfg.Sessions = store }
	place := func(edit ...func(*Config)) {
		t.Helper()
		if _, err := f.client(t, append([]func(*Config){keep}, edit...)...).Place(t.Context(), single(t)); err != nil {
			t.Fatal(err)
		}
	}
	steps := []struct {
		name   string
		do     func()
		logins int64
	}{
		{"the first logs in", func() { place() }, 1},
		{"the second does not", func() { place() }, 1},
		{"another password cannot open it", func() { place(func(cfg *Config) { cfg.Password = "other" }) }, 2},
		{"nor the first what the other kept", func() { place() }, 3},
		{"another login's is not taken", func() { place(func(cfg *Config) { cfg.Login = "else@example.com" }) }, 4},
		{"rubbish is not taken", func() { store.kept.Sealed = []byte("rubbish"); place() }, 5},
		{"nor a store that fails", func() { store.err = errors.New("down"); place(); store.err = nil }, 6},
	}
	for _, step := range steps {
		step.do()
		if got := f.logins.Load(); got != step.logins {
			t.Fatalf("%s: %d logins in all, want %d", step.name, got, step.logins)
		}
	}
}

// What is kept is sealed.
func TestKeptSessionIsSealed(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	store := newMemoryStore()
	if _, err := f.client(t, func(cfg *Config) { cfg.Sessions = store }).Place(t.Context(), single(t)); err != nil {
		t.Fatal(err)
	}
	if len(store.kept.Sealed) == 0 {
		t.Fatal("nothing was kept")
	}
	for _, plain := range []string{"session-1", "ASP.NET", testPassword} {
		if strings.Contains(string(store.kept.Sealed), plain) {
			t.Errorf("the kept session shows %q", plain)
		}
	}
}

// A kept session that has ended costs one login, and that one is kept.
func TestKeptSessionThatEnded(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	store := newMemoryStore()
	keep := func(cfg *Config) { cfg.Sessions = store }
	if _, err := f.client(t, keep).Place(t.Context(), single(t)); err != nil {
		t.Fatal(err)
	}
	f.place.set(func(w http.ResponseWriter, r *http.Request) {
		if c, err := r.Cookie("ASP.NET_SessionId"); err == nil && c.Value == "session-2" {
			accept(w, r)
			return
		}
		answer(refusal(1, 99, ""))(w, r)
	})
	for range 2 {
		if _, err := f.client(t, keep).Place(t.Context(), single(t)); err != nil {
			t.Fatal(err)
		}
	}
	if got := f.logins.Load(); got != 2 {
		t.Errorf("%d logins, want 2", got)
	}
}

func TestLoginFailures(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		login  http.HandlerFunc
		want   string
		logins int64
	}{
		{"refused", answer(reply{status: 200, body: []byte(`{"d":{}}`)}), CodeProviderLogin, 1},
		{"refused with null", answer(reply{status: 200, body: []byte(`{"d":null}`)}), CodeProviderLogin, 1},
		{"refused with an empty id", answer(reply{status: 200, body: []byte(`{"d":{"UserId":""}}`)}), CodeProviderLogin, 1},
		{"refused with 401", answer(reply{status: 401}), CodeProviderLogin, 1},
		{"in trouble", answer(reply{status: 503}), CodeProviderUnavailable, 2},
		{"nonsense", answer(reply{status: 200, body: []byte("<html>")}), CodeProviderUnavailable, 2},
		{"cut", cut, CodeProviderUnavailable, 2},
		{"redirected", answer(reply{status: 302, location: "/maintenance"}), CodeProviderUnavailable, 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t)
			f.login.set(tt.login)
			_, err := f.client(t).Place(t.Context(), single(t))
			if got := outcomeOf(t, err); got != tt.want {
				t.Errorf("Place() = %s (%v), want %s", got, err, tt.want)
			}
			if (tt.want == CodeProviderLogin) != errors.Is(err, ErrLogin) {
				t.Errorf("Place() error = %v, ErrLogin or not is wrong", err)
			}
			if f.logins.Load() != tt.logins || f.placements.Load() != 0 {
				t.Errorf("%d logins, %d placements, want %d and none", f.logins.Load(), f.placements.Load(), tt.logins)
			}
		})
	}
}

// All who wait for a login that fails hear of it at once; none tries again after the other.
func TestFailedLoginIsShared(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	started, release := make(chan struct{}), make(chan struct{})
	f.login.set(func(w http.ResponseWriter, r *http.Request) {
		close(started)
		<-release
		answer(reply{status: 200, body: []byte(`{"d":{}}`)})(w, r)
	})
	c := f.client(t)
	var wg sync.WaitGroup
	errs := make([]error, 16)
	wg.Go(func() { _, errs[0] = c.Place(t.Context(), single(t)) })
	<-started
	for i := range errs[1:] {
		wg.Go(func() { _, errs[i+1] = c.Place(t.Context(), single(t)) })
	}
	time.Sleep(50 * time.Millisecond) // for them to queue up; late ones fail the test, not the code
	close(release)
	wg.Wait()
	for _, err := range errs {
		if !errors.Is(err, ErrLogin) {
			t.Errorf("Place() error = %v, want ErrLogin", err)
		}
	}
	if got := f.logins.Load(); got != 1 {
		t.Errorf("%d logins, want 1", got)
	}
}

// A caller who gives up while waiting neither waits on nor spoils the login for the others.
func TestGivingUpOnALogin(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	started, release := make(chan struct{}), make(chan struct{})
	f.login.set(func(w http.ResponseWriter, r *http.Request) {
		close(started)
		<-release
		f.welcome(w, r)
	})
	c := f.client(t)
	ctx, cancel := context.WithCancel(t.Context())
	first := make(chan error)
	go func() { _, err := c.Place(ctx, single(t)); first <- err }()
	<-started
	cancel()
	if got := outcomeOf(t, <-first); got != CodeProviderUnavailable {
		t.Errorf("Place() given up = %s, want %s", got, CodeProviderUnavailable)
	}
	close(release)
	if _, err := c.Place(t.Context(), single(t)); err != nil {
		t.Error(err)
	}
	if got := f.logins.Load(); got != 1 {
		t.Errorf("%d logins, want 1", got)
	}
}

// Cookies are told apart by domain and path, live by BeT's clock, and survive being written down.
func TestJar(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	clock := func() time.Time { return now }
	login, place := mustURL(t, "http://bet.example/WebServices/BCService.asmx/LogIn/"), mustURL(t, "http://bet.example/bet/place/")
	fast := now.Add(3 * time.Hour) // BeT's clock
	j := newJar(clock)
	j.take(login, []*http.Cookie{
		{Name: "sid", Value: "new", Path: "/"},
		{Name: "sid", Path: "/WebServices", MaxAge: -1},
		{Name: "sid", MaxAge: -1},
		{Name: "sid", Domain: "bet.example", Path: "/bet", Expires: fast.Add(-time.Second)},
		{Name: "bare", Value: "1"},
		{Name: "quoted", Value: "1 1", Quoted: true, MaxAge: 60},
		{Name: "hours", Value: "3", Expires: fast.Add(time.Hour)},
		{Name: "over", Value: "4", Expires: fast.Add(-time.Hour)},
		{Name: "elsewhere", Value: "5", Path: "/admin"},
		{Name: "strange", Value: "6", Domain: "other.example", Path: "/"},
	}, fast)
	read := func(j *jar) string {
		var names []string
		for _, c := range j.cookies(place) {
			names = append(names, c.Name+"="+c.Value)
		}
		slices.Sort(names)
		return strings.Join(names, ";")
	}
	if got, want := read(j), "bare=1;hours=3;quoted=1 1;sid=new"; got != want {
		t.Errorf("cookies = %s, want %s", got, want)
	}
	data, err := j.marshal()
	if err != nil {
		t.Fatal(err)
	}
	now = now.Add(2 * time.Minute)
	again := newJar(clock)
	if err := again.unmarshal(data); err != nil {
		t.Fatal(err)
	}
	if got, want := read(again), "bare=1;hours=3;sid=new"; got != want {
		t.Errorf("cookies later = %s, want %s", got, want)
	}
	again.take(place, []*http.Cookie{{Name: "hours", Path: "/", MaxAge: -1}}, time.Time{})
	if got, want := read(again), "bare=1;sid=new"; got != want {
		t.Errorf("cookies without the one cleared = %s, want %s", got, want)
	}
}

func mustURL(t *testing.T, s string) *url.URL {
	t.Helper()
	u, err := url.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// Cookies that an answer renews are the ones that go on.
func TestCookiesAreRenewed(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	seen := make(chan string, 2)
	f.place.set(func(w http.ResponseWriter, r *http.Request) {
		c, err := r.Cookie("ASP.NET_SessionId")
		if err != nil {
			t.Error(err)
			return
		}
		seen <- c.Value
		http.SetCookie(w, &http.Cookie{Name: "ASP.NET_SessionId", Value: c.Value + "+", Path: "/"})
		accept(w, r)
	})
	c := f.client(t)
	for range 2 {
		if _, err := c.Place(t.Context(), single(t)); err != nil {
			t.Fatal(err)
		}
	}
	if first, second := <-seen, <-seen; first != "session-1" || second != "session-1+" {
		t.Errorf("cookies sent = %s, %s, want the renewed one last", first, second)
	}
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	good := Config{URL: "https://bet.example", Login: testLogin, Password: testPassword}
	for name, edit := range map[string]func(*Config){
		"no url":        func(c *Config) { c.URL = "" },
		"another kind":  func(c *Config) { c.URL = "ftp://bet.example" },
		"credentials":   func(c *Config) { c.URL = "https://me:" + testPassword + "@bet.example" },
		"a query":       func(c *Config) { c.URL = "https://bet.example/?k=" + testPassword },
		"no login":      func(c *Config) { c.Login = "" },
		"no password":   func(c *Config) { c.Password = "" },
		"negative time": func(c *Config) { c.Timeout = -1 },
	} {
		cfg := good
		edit(&cfg)
		_, err := New(cfg)
		if err == nil {
			t.Errorf("%s: no error", name)
			continue
		}
		mustNotLeak(t, name, err.Error())
	}
	if _, err := New(good); err != nil {
		t.Error(err)
	}
}
