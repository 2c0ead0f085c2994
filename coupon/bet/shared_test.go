package bet

import (
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// only has the fake accept placements on the latest login's session; others get gone.
func (f *fakeBeT) only(gone http.HandlerFunc) {
	f.place.set(func(w http.ResponseWriter, r *http.Request) {
		c, err := r.Cookie("ASP.NET_SessionId")
		if err != nil || c.Value != fmt.Sprintf("session-%d", f.logins.Load()) {
			gone(w, r)
			return
		}
		accept(w, r)
	})
}

// unknownWords are ways to say that a session has ended which no document knows.
var unknownWords = map[string]http.HandlerFunc{
	"a page with 200":      answer(reply{status: 200, body: []byte("<html><form action=login>")}),
	"a page with a script": answer(reply{status: 200, body: []byte("<html><script>var betCode=x1; login()</script>")}),
	"an exception":         answer(reply{status: 500, body: []byte(`{"Message":"System.NullReferenceException","d":null}`)}),
	"d is null":            answer(reply{status: 200, body: []byte(`{"d":null}`)}),
	"d is empty":           answer(reply{status: 200, body: []byte(`{"d":{}}`)}),
	"an empty body":        answer(reply{status: 200}),
	"a redirect":           answer(reply{status: 302, location: "/"}),
	"not found":            answer(reply{status: 404, body: []byte("<html>")}),
	"99 in one field":      answer(refusal(0, 99, "")),
	"99 in another field":  answer(refusal(99, 0, "")),
}

// A session that ended in unknown words is given up: at most the coupon that found out is lost,
// and it is not sent again unless BeT said 99.
func TestUnknownWordsEndTheSession(t *testing.T) {
	t.Parallel()
	for name, gone := range unknownWords {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t)
			f.only(gone)
			store := newMemoryStore()
			c := f.client(t, func(cfg *Config) { cfg.Sessions = store })
			if _, err := c.Place(t.Context(), single(t)); err != nil {
				t.Fatal(err)
			}
			f.logins.Add(1) // somebody else has logged in: session-1 is over
			var failed int
			for range 14 {
				if _, err := c.Place(t.Context(), single(t)); err != nil {
					failed++
				}
			}
			if got := f.logins.Load(); failed > 1 || got != 3 {
				t.Errorf("%d of 14 coupons failed, %d logins, want at most 1 and 3", failed, got)
			}
			if got := f.placements.Load(); got > 16 {
				t.Errorf("%d placements for 15 coupons, want at most one more", got)
			}
		})
	}
}

// The dead session does not come back with the next process.
func TestDeadSessionIsNotTakenOver(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	f.only(unknownWords["d is null"])
	store := newMemoryStore()
	keep := func(cfg *Config) { cfg.Sessions = store }
	first := f.client(t, keep)
	if _, err := first.Place(t.Context(), single(t)); err != nil {
		t.Fatal(err)
	}
	f.logins.Add(1)
	if _, err := first.Place(t.Context(), single(t)); !errors.Is(err, ErrUnknownOutcome) {
		t.Fatalf("Place() on the dead session: %v, want unknown", err)
	}
	if _, err := f.client(t, keep).Place(t.Context(), single(t)); err != nil {
		t.Errorf("Place() of the next process: %v", err)
	}
}

// A BeT that answers nothing sensible is not flooded with logins.
func TestLoginsThatDoNotHelpArePaused(t *testing.T) {
	t.Parallel()
	for name, broken := range map[string]http.HandlerFunc{
		"a firewall's 403": answer(reply{status: 403, body: []byte("<html>")}),
		"99 for ever":      answer(refusal(1, 99, "")),
		"a page":           answer(reply{status: 200, body: []byte("<html>")}),
		"404":              answer(reply{status: 404}),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t)
			f.place.set(broken)
			store := newMemoryStore()
			clients := []*Client{
				f.client(t, func(cfg *Config) { cfg.Sessions = store }), f.client(t, func(cfg *Config) { cfg.Sessions = store }),
			}
			for i := range 20 {
				if _, err := clients[i%2].Place(t.Context(), single(t)); err == nil {
					t.Fatal("accepted")
				}
			}
			if got := f.logins.Load(); got > 3 {
				t.Errorf("%d logins for 20 coupons, want at most 3", got)
			}
			if got := f.placements.Load(); got > 24 {
				t.Errorf("%d placements for 20 coupons", got)
			}
			f.place.set(accept)                                                                     // it was not the session's fault
			if _, err := clients[0].Place(t.Context(), single(t)); err != nil && name != "a page" { // whose breaker is open
				t.Errorf("Place() when BeT is well again: %v", err)
			}
		})
	}
}

// A login that BeT refuses is let be for a while, by all processes; the pause grows, and another
// password does not wait.
func TestRefusedLoginsArePaused(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	f.login.set(answer(reply{status: 200, body: []byte(`{"d":{}}`)}))
	var past atomic.Int64
	start := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	now := func() time.Time { return start.Add(time.Duration(past.Load())) }
	store := &memoryStore{memory: memory{now: now}}
	process := func(password string) *Client {
		return f.client(t, func(cfg *Config) { cfg.Sessions, cfg.Now, cfg.Password = store, now, password })
	}
	clients := []*Client{process("wrong"), process("wrong")}
	place := func(want int64) {
		t.Helper()
		for i := range 30 {
			_, err := clients[i%2].Place(t.Context(), single(t))
			if got := outcomeOf(t, err); got != CodeProviderLogin || !errors.Is(err, ErrLogin) {
				t.Fatalf("Place() = %s (%v), want %s", got, err, CodeProviderLogin)
			}
		}
		if got := f.logins.Load(); got != want {
			t.Errorf("%d logins, want %d", got, want)
		}
	}
	place(1)
	past.Add(int64(6 * time.Second))
	place(2)
	past.Add(int64(6 * time.Second))
	place(2) // 10 s now
	past.Add(int64(6 * time.Second))
	place(3)
	f.login.set(f.welcome)
	if _, err := process(testPassword).Place(t.Context(), single(t)); err != nil {
		t.Errorf("Place() with another password: %v", err)
	}
	past.Add(int64(time.Hour))
	for range 3 {
		for _, c := range clients {
			if _, err := c.Place(t.Context(), single(t)); err != nil {
				t.Errorf("Place() after the pause: %v", err)
			}
		}
	}
}

// Processes share one session: BeT ends the one before at each login, so each login of its own
// would throw the others out.
func TestProcessesShareOneSession(t *testing.T) {
	t.Parallel()
	const processes, coupons = 4, 96
	f := newFake(t)
	f.only(answer(refusal(1, 99, "")))
	store := newMemoryStore()
	clients := make([]*Client, processes)
	for i := range clients {
		clients[i] = f.client(t, func(cfg *Config) { cfg.Sessions = store })
	}
	round := func(logins int64) {
		t.Helper()
		errs := make([]error, coupons)
		var wg sync.WaitGroup
		for i := range coupons {
			wg.Go(func() { _, errs[i] = clients[i%processes].Place(t.Context(), single(t)) })
		}
		wg.Wait()
		if err := errors.Join(errs...); err != nil {
			t.Error(err)
		}
		if got := f.logins.Load(); got != logins {
			t.Errorf("%d logins, want %d", got, logins)
		}
	}
	round(1)
	f.logins.Add(1) // BeT ends the session
	round(3)
}

// The process that logs in dies on the way: another takes over when its time is up.
func TestClaimOfADeadProcess(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	store := newMemoryStore()
	if ok, err := store.Claim(t.Context(), "dead", nil, time.Now().Add(200*time.Millisecond)); !ok || err != nil {
		t.Fatal(ok, err)
	}
	c := f.client(t, func(cfg *Config) { cfg.Sessions = store })
	if _, err := c.Place(t.Context(), single(t)); err != nil {
		t.Error(err)
	}
	if err := store.Save(t.Context(), "dead", KeptSession{Sealed: []byte("late")}); err != nil {
		t.Fatal(err)
	}
	if kept, _ := store.Load(t.Context()); string(kept.Sealed) == "late" {
		t.Error("a claim that had gone to another was saved")
	}
}

// Cookies that one process is given anew are the ones that the next starts with.
func TestRenewedCookiesAreKept(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	var current atomic.Value
	current.Store("session-1")
	f.place.set(func(w http.ResponseWriter, r *http.Request) {
		c, err := r.Cookie("ASP.NET_SessionId")
		if err != nil || c.Value != current.Load() {
			answer(refusal(1, 99, ""))(w, r)
			return
		}
		current.Store(c.Value + "+")
		http.SetCookie(w, &http.Cookie{Name: "ASP.NET_SessionId", Value: c.Value + "+", Path: "/"})
		accept(w, r)
	})
	store := newMemoryStore()
	clients := []*Client{f.client(t, func(cfg *Config) { cfg.Sessions = store }), f.client(t, func(cfg *Config) { cfg.Sessions = store })}
	for i := range 10 {
		if _, err := clients[i%2].Place(t.Context(), single(t)); err != nil {
			t.Fatal(err)
		}
	}
	if got := f.logins.Load(); got != 1 {
		t.Errorf("%d logins, want 1", got)
	}
}

// One answer sets the session and clears an older one of its name elsewhere.
func TestCookieSetAndClearedInOneAnswer(t *testing.T) {
	t.Parallel()
	for name, cleared := range map[string]string{
		"for another path":   "ASP.NET_SessionId=; path=/WebServices; expires=Thu, 01 Jan 1970 00:00:00 GMT",
		"for no path":        "ASP.NET_SessionId=; expires=Thu, 01 Jan 1970 00:00:00 GMT",
		"for another domain": "ASP.NET_SessionId=; path=/; domain=bet.example; max-age=0",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t)
			f.only(answer(refusal(1, 99, "")))
			f.login.set(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Add("Set-Cookie", fmt.Sprintf("ASP.NET_SessionId=session-%d; path=/; HttpOnly", f.logins.Load()))
				w.Header().Add("Set-Cookie", cleared)
				fmt.Fprint(w, `{"d":{"UserId":"1344225"}}`)
			})
			if _, err := f.client(t).Place(t.Context(), single(t)); err != nil {
				t.Error(err)
			}
		})
	}
}

// A session lives by BeT's clock, however ours stands.
func TestCookieLivesByBeTsClock(t *testing.T) {
	t.Parallel()
	for name, theirs := range map[string]time.Duration{"theirs is behind": -24 * time.Hour, "theirs is ahead": 24 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t)
			f.only(answer(refusal(1, 99, "")))
			f.login.set(func(w http.ResponseWriter, r *http.Request) {
				now := time.Now().Add(theirs).UTC()
				w.Header().Set("Date", now.Format(http.TimeFormat))
				http.SetCookie(w, &http.Cookie{
					Name: "ASP.NET_SessionId", Value: fmt.Sprintf("session-%d", f.logins.Load()), Path: "/", Expires: now.Add(time.Hour),
				})
				fmt.Fprint(w, `{"d":{"UserId":"1344225"}}`)
			})
			if _, err := f.client(t).Place(t.Context(), single(t)); err != nil {
				t.Error(err)
			}
		})
	}
}

// Reads that fail say nothing about placements.
func TestFailingReadsLeavePlacementsAlone(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	f.read.set(answer(reply{status: 500}))
	c := f.client(t, func(cfg *Config) { cfg.Breaker = BreakerConfig{Failures: 3, OpenFor: time.Hour} })
	for range 10 {
		if _, err := c.Read(t.Context(), []string{"a"}); err == nil {
			t.Fatal("Read() without an error")
		}
	}
	if got := f.reads.Load(); got != 3 {
		t.Errorf("%d reads, want 3 until their own breaker opened", got)
	}
	if _, err := c.Place(t.Context(), single(t)); err != nil {
		t.Error(err)
	}
	if got := f.logins.Load(); got > 2 {
		t.Errorf("%d logins for a path that fails, want at most 2", got)
	}
}

// Answers that name a bet code and cannot be taken, and refusals, are BeT at work.
func TestOddAnswersLeaveTheBreakerClosed(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"an object that breaks off":  `{"betCode":"a1","status":1,"Teams":"A`,
		"a contradiction":            `{"betCode":"a1","errorCode":1}`,
		"a refusal with a zero code": `{"betCode":0,"errorCode":1,"fullErrorCode":3}`,
	} {
		f := newFake(t)
		c := f.client(t)
		f.place.set(answer(reply{status: 200, body: []byte(body)}))
		for range 12 {
			if _, err := c.Place(t.Context(), single(t)); err == nil {
				t.Errorf("%s: accepted", name)
			}
		}
		f.place.set(accept)
		if _, err := c.Place(t.Context(), single(t)); err != nil {
			t.Errorf("%s: the next placement: %v", name, err)
		}
		if got := f.logins.Load(); got != 1 {
			t.Errorf("%s: %d logins, want 1", name, got)
		}
	}
}
