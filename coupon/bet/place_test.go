package bet

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"evens/money"
)

func TestPlaceSendsWhatTheSeedSends(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	payloads, sent := make(chan map[string]any, 1), make(chan []*http.Cookie, 1)
	f.place.set(func(w http.ResponseWriter, r *http.Request) {
		var payload map[string]any
		if err := json.NewDecoder(r.Body).Decode(&payload); err != nil {
			t.Error(err)
		}
		payloads <- payload
		sent <- r.Cookies()
		w.Write(testdata(t, "express.json"))
	})
	c := f.client(t)
	answer, err := c.Place(t.Context(), Ticket{
		Pointers:   pointers(t, "live#187183313|17|9|0.5#1.02", "line#217118313|1|1|0#3.12"),
		RealAmount: money.MustParse("150"),
		Currency:   "USD",
		Lang:       "ru",
		RemoteHost: "http://Yoursite.name.com/",
		RateMode:   RateAccept,
	})
	if err != nil {
		t.Fatal(err)
	}
	if answer.BetCode != "76r9i02g9x" || len(answer.Selections) != 2 {
		t.Errorf("Place() = %+v, want the seed's express", answer)
	}
	want := map[string]any{"data": map[string]any{
		"list_bets":   []any{"live#187183313|17|9|0.5#1.02", "line#217118313|1|1|0#3.12"},
		"realAmount":  "150",
		"currency":    "USD",
		"lang":        "ru",
		"remote_host": "http://Yoursite.name.com",
		"rate_mode":   "accept",
	}}
	if diff := cmp.Diff(want, <-payloads); diff != "" {
		t.Errorf("payload (-want +got):\n%s", diff)
	}
	if cookies := <-sent; len(cookies) != 1 || cookies[0].Value != "session-1" {
		t.Errorf("cookies = %v, want the login's", cookies)
	}
}

func TestPayload(t *testing.T) {
	t.Parallel()
	for amount, want := range map[string]string{
		"150": `"150"`, "15.50": `"15.5"`, "0.0001": `"0.0001"`, "1000": `"1000"`, "10.01": `"10.01"`,
	} {
		ticket := single(t)
		ticket.RealAmount, ticket.RateMode = money.MustParse(amount), ""
		payload, err := ticket.payload()
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(payload), `"realAmount":`+want) {
			t.Errorf("payload of %s = %s, want realAmount %s", amount, payload, want)
		}
		if !strings.Contains(string(payload), `"rate_mode":"reject"`) {
			t.Errorf("payload = %s, want reject when the mode is not said", payload)
		}
	}
}

func TestPlaceRefusesTicketsThatMakeNoSense(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	c := f.client(t)
	for name, edit := range map[string]func(*Ticket){
		"no selections":   func(ticket *Ticket) { ticket.Pointers = nil },
		"an empty one":    func(ticket *Ticket) { ticket.Pointers = []Pointer{{}} },
		"no amount":       func(ticket *Ticket) { ticket.RealAmount = 0 },
		"no currency":     func(ticket *Ticket) { ticket.Currency = "" },
		"no remote host":  func(ticket *Ticket) { ticket.RemoteHost = "" },
		"a mode unheard":  func(ticket *Ticket) { ticket.RateMode = "maybe" },
		"negative amount": func(ticket *Ticket) { ticket.RealAmount = -1 },
	} {
		ticket := single(t)
		edit(&ticket)
		_, err := c.Place(t.Context(), ticket)
		if got := outcomeOf(t, err); got != CodeInvalidTicket {
			t.Errorf("%s: Place() = %s (%v), want %s", name, got, err, CodeInvalidTicket)
		}
	}
	if n := f.logins.Load() + f.placements.Load(); n != 0 {
		t.Errorf("%d requests for tickets that make no sense, want none", n)
	}
}

func TestPlaceClassifies(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name       string
		place      http.HandlerFunc
		want       string
		placements int64
		logins     int64
	}{
		{"accepted", accept, "accepted", 1, 1},
		{"refused", answer(refusal(1, 3, "error_exist_bet")), CodeSelectionUnavailable, 1, 1},
		{"session gone, and again", answer(refusal(1, 99, "")), "session", 2, 2},
		{"401 twice", answer(reply{status: 401}), "session", 2, 2},
		{"to the login twice", answer(reply{status: 302, location: "/login"}), "session", 2, 2},
		{"404", answer(reply{status: 404}), CodeProviderRefused, 1, 1},
		{"500", answer(reply{status: 500}), "unknown", 1, 1},
		{"302 elsewhere", answer(reply{status: 302, location: "/"}), "unknown", 1, 1},
		{"nonsense", answer(reply{status: 200, body: []byte("<html>")}), "unknown", 1, 1},
		{"connection cut after the request", cut, "unknown", 1, 1},
		{"connection cut within the answer", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			fmt.Fprint(w, `{"betCode":"607vtec620"`)
		}, "unknown", 1, 1},
		{"an endless answer", func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, `{"betCode":"607vtec620","d":"`)
			junk := strings.Repeat("x", 64<<10)
			for range 20 {
				fmt.Fprint(w, junk)
			}
			fmt.Fprint(w, `"}`)
		}, "unknown", 1, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t)
			f.place.set(tt.place)
			_, err := f.client(t).Place(t.Context(), single(t))
			if got := outcomeOf(t, err); got != tt.want {
				t.Errorf("Place() = %s (%v), want %s", got, err, tt.want)
			}
			if f.placements.Load() != tt.placements || f.logins.Load() != tt.logins {
				t.Errorf("%d placements and %d logins, want %d and %d",
					f.placements.Load(), f.logins.Load(), tt.placements, tt.logins)
			}
		})
	}
}

// The second refusal of a session is final and has a code of its own.
func TestPlaceGivesUpOnTheSession(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	f.place.set(answer(refusal(1, 99, "error_access")))
	_, err := f.client(t).Place(t.Context(), single(t))
	rejection, ok := errors.AsType[*Rejection](err)
	if !ok || rejection.Code != CodeProviderSession || rejection.FullErrorCode != 99 || rejection.Message != "error_access" {
		t.Errorf("Place() error = %+v, want %s with BeT's words", err, CodeProviderSession)
	}
}

// A session that ends is renewed without the caller noticing.
func TestPlaceLogsInAgain(t *testing.T) {
	t.Parallel()
	for name, gone := range map[string]http.HandlerFunc{
		"by BeT's code":  answer(refusal(1, 99, "")),
		"by 401":         answer(reply{status: 401}),
		"by 403":         answer(reply{status: 403}),
		"by redirection": answer(reply{status: 302, location: "https://elsewhere.example/Login.aspx"}),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t)
			f.place.set(func(w http.ResponseWriter, r *http.Request) {
				if c, err := r.Cookie("ASP.NET_SessionId"); err == nil && c.Value == "session-2" {
					accept(w, r)
					return
				}
				gone(w, r)
			})
			if _, err := f.client(t).Place(t.Context(), single(t)); err != nil {
				t.Fatal(err)
			}
			if f.logins.Load() != 2 || f.placements.Load() != 2 {
				t.Errorf("%d logins, %d placements, want 2 and 2", f.logins.Load(), f.placements.Load())
			}
		})
	}
}

// An unclear redirect leaves the outcome unknown, yet the next placement logs in afresh.
func TestRedirectElsewhereEndsTheSession(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	f.place.set(answer(reply{status: 302, location: "/"}))
	c := f.client(t)
	_, err := c.Place(t.Context(), single(t))
	if got := outcomeOf(t, err); got != "unknown" {
		t.Fatalf("Place() = %s, want unknown", got)
	}
	f.place.set(accept)
	if _, err := c.Place(t.Context(), single(t)); err != nil {
		t.Fatal(err)
	}
	if f.logins.Load() != 2 {
		t.Errorf("%d logins, want 2", f.logins.Load())
	}
}

// Sixty-four callers find the session gone at the same moment: one login.
func TestManyCallersOneLogin(t *testing.T) {
	t.Parallel()
	const callers = 64
	f := newFake(t)
	var waiting sync.WaitGroup
	waiting.Add(callers)
	f.place.set(func(w http.ResponseWriter, r *http.Request) {
		cookie, err := r.Cookie("ASP.NET_SessionId")
		if err != nil || cookie.Value != "session-2" {
			waiting.Done()
			waiting.Wait() // until all have sent on the old session
			answer(refusal(1, 99, ""))(w, r)
			return
		}
		accept(w, r)
	})
	c := f.client(t, func(cfg *Config) { cfg.Timeout = 20 * time.Second })
	if _, err := c.sessions.get(t.Context()); err != nil { // the session that is going to end
		t.Fatal(err)
	}
	errs := make([]error, callers)
	var wg sync.WaitGroup
	for i := range callers {
		wg.Go(func() { _, errs[i] = c.Place(t.Context(), single(t)) })
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	if got := f.logins.Load(); got != 2 {
		t.Errorf("%d logins, want the first and one more", got)
	}
	if got := f.placements.Load(); got != 2*callers {
		t.Errorf("%d placements, want %d", got, 2*callers)
	}
}

// No answer in time: unknown, promptly, and sent exactly once.
func TestPlaceStalled(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	release := make(chan struct{})
	f.place.set(func(http.ResponseWriter, *http.Request) { <-release })
	t.Cleanup(func() { close(release) })
	c := f.client(t, func(cfg *Config) { cfg.Timeout = 200 * time.Millisecond })
	start := time.Now()
	_, err := c.Place(t.Context(), single(t))
	if took := time.Since(start); took > 2*time.Second {
		t.Errorf("Place() took %s, want about 200ms", took)
	}
	if got := outcomeOf(t, err); got != "unknown" || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Place() = %s (%v), want unknown for the deadline", got, err)
	}
	if got := f.placements.Load(); got != 1 {
		t.Errorf("%d placements, want 1", got)
	}
}

// The caller gives up: before sending it is a rejection, afterwards nobody knows.
func TestPlaceCancelled(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	c := f.client(t)
	ctx, cancel := context.WithCancel(t.Context())
	f.place.set(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // only then the server notices that the client leaves
		cancel()
		<-r.Context().Done()
	})
	_, err := c.Place(ctx, single(t))
	if got := outcomeOf(t, err); got != "unknown" {
		t.Errorf("Place() cancelled on the way = %s (%v), want unknown", got, err)
	}
	_, err = c.Place(ctx, single(t))
	if got := outcomeOf(t, err); got != CodeProviderUnavailable {
		t.Errorf("Place() cancelled before = %s (%v), want %s", got, err, CodeProviderUnavailable)
	}
	if got := f.placements.Load(); got != 1 {
		t.Errorf("%d placements, want 1", got)
	}
}

// closedPort is an address where nobody listens.
func closedPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func TestNothingSentIsARejection(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		// dial is what the placement meets; the login before it still connects.
		dial func(ctx context.Context) (net.Conn, error)
	}{
		{"port refused", func(ctx context.Context) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "tcp", closedPort(t))
		}},
		{"no such host", func(context.Context) (net.Conn, error) {
			return nil, &net.DNSError{Err: "no such host", Name: "bet.example", IsNotFound: true}
		}},
		{"no answer to the dial", func(context.Context) (net.Conn, error) {
			time.Sleep(time.Second) // longer than the call may take
			return nil, io.EOF
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t)
			var broken atomic.Bool
			transport := &http.Transport{
				DisableKeepAlives: true,
				DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
					if broken.Load() {
						return tt.dial(ctx)
					}
					return (&net.Dialer{}).DialContext(ctx, network, addr)
				},
			}
			c := f.client(t, func(cfg *Config) { cfg.Transport, cfg.Timeout = transport, 300*time.Millisecond })
			if _, err := c.sessions.get(t.Context()); err != nil {
				t.Fatal(err)
			}
			broken.Store(true)
			_, err := c.Place(t.Context(), single(t))
			if got := outcomeOf(t, err); got != CodeProviderUnavailable {
				t.Errorf("Place() = %s (%v), want %s", got, err, CodeProviderUnavailable)
			}
		})
	}
}

func TestTLSFailureIsARejection(t *testing.T) {
	t.Parallel()
	f := newFake(t) // speaks no TLS
	c := f.client(t, func(cfg *Config) { cfg.URL = strings.Replace(f.URL, "http:", "https:", 1) })
	_, err := c.Place(t.Context(), single(t))
	if got := outcomeOf(t, err); got != CodeProviderUnavailable {
		t.Errorf("Place() = %s (%v), want %s", got, err, CodeProviderUnavailable)
	}
}

// A transport that does not trace proves nothing by failing.
func TestSilentTransportIsUnknown(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	var broken atomic.Bool
	c := f.client(t, func(cfg *Config) {
		cfg.Transport = roundTripper(func(r *http.Request) (*http.Response, error) {
			if broken.Load() {
				return nil, io.EOF
			}
			return http.DefaultTransport.RoundTrip(r)
		})
	})
	if _, err := c.sessions.get(t.Context()); err != nil {
		t.Fatal(err)
	}
	broken.Store(true)
	_, err := c.Place(t.Context(), single(t))
	if got := outcomeOf(t, err); got != "unknown" {
		t.Errorf("Place() = %s (%v), want unknown", got, err)
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestBreaker(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	f.place.set(answer(reply{status: 500}))
	c := f.client(t, func(cfg *Config) { cfg.Breaker = BreakerConfig{Failures: 3, OpenFor: 100 * time.Millisecond} })
	for range 3 {
		_, err := c.Place(t.Context(), single(t))
		if got := outcomeOf(t, err); got != "unknown" {
			t.Fatalf("Place() = %s (%v), want unknown", got, err)
		}
	}
	_, err := c.Place(t.Context(), single(t))
	if got := outcomeOf(t, err); got != CodeProviderUnavailable {
		t.Errorf("Place() behind the open breaker = %s (%v), want %s", got, err, CodeProviderUnavailable)
	}
	if got := f.placements.Load(); got != 3 {
		t.Errorf("%d placements, want 3: an open breaker sends nothing", got)
	}
	f.place.set(accept)
	time.Sleep(150 * time.Millisecond)
	if _, err := c.Place(t.Context(), single(t)); err != nil {
		t.Errorf("Place() after the breaker's rest: %v", err)
	}
}

// Refusals are BeT working well: they never open the breaker.
func TestBreakerIgnoresRefusals(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	f.place.set(answer(refusal(1, 7, "error_block_bet_data")))
	c := f.client(t, func(cfg *Config) { cfg.Breaker = BreakerConfig{Failures: 2} })
	for range 6 {
		_, err := c.Place(t.Context(), single(t))
		if got := outcomeOf(t, err); got != CodeSelectionBlocked {
			t.Fatalf("Place() = %s (%v), want %s", got, err, CodeSelectionBlocked)
		}
	}
}

// Timeouts open it, a refused login does not.
func TestBreakerCounts(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	release := make(chan struct{})
	t.Cleanup(func() { close(release) })
	f.place.set(func(http.ResponseWriter, *http.Request) { <-release })
	c := f.client(t, func(cfg *Config) {
		cfg.Timeout = 50 * time.Millisecond
		cfg.Breaker = BreakerConfig{Failures: 2, OpenFor: time.Hour}
	})
	var got []string
	for range 3 {
		_, err := c.Place(t.Context(), single(t))
		got = append(got, outcomeOf(t, err))
	}
	if want := []string{"unknown", "unknown", CodeProviderUnavailable}; !slices.Equal(got, want) {
		t.Errorf("outcomes = %v, want %v", got, want)
	}
}

func TestObserve(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	var mu sync.Mutex
	var got []string
	tick := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	c := f.client(t, func(cfg *Config) {
		cfg.Observe = func(call, outcome string, took time.Duration) {
			mu.Lock()
			defer mu.Unlock()
			got = append(got, call+" "+outcome)
			if took <= 0 {
				t.Errorf("%s took %s, want the clock's seconds", call, took)
			}
		}
		cfg.Now = func() time.Time {
			mu.Lock()
			defer mu.Unlock()
			tick = tick.Add(time.Second)
			return tick
		}
	})
	for _, h := range []http.HandlerFunc{accept, answer(refusal(1, 3, "")), answer(reply{status: 500})} {
		f.place.set(h)
		_, _ = c.Place(t.Context(), single(t))
	}
	_, _ = c.Read(t.Context(), []string{"a"})
	want := []string{"login ok", "place accepted", "place rejected", "place unknown", "login ok", "read ok"}
	if !slices.Equal(got, want) {
		t.Errorf("observed %v, want %v", got, want)
	}
}

// Neither log nor errors hold a password, a cookie or the secret path of the remote host.
func TestNoSecrets(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	var log logBuffer
	store := newMemoryStore()
	store.kept.Sealed = []byte("rubbish of another password")
	c := f.client(t, func(cfg *Config) {
		cfg.Log, cfg.Sessions, cfg.Timeout = log.logger(), store, 200*time.Millisecond
		cfg.Breaker.Failures = 4
	})
	release := make(chan struct{})
	t.Cleanup(func() { close(release) })
	for _, h := range []http.HandlerFunc{
		answer(refusal(1, 99, "")), answer(reply{status: 500}), cut, answer(reply{status: 302, location: "/login"}), accept,
		func(http.ResponseWriter, *http.Request) { <-release }, cut, cut, cut, cut,
	} {
		f.place.set(h)
		if _, err := c.Place(t.Context(), single(t)); err != nil {
			mustNotLeak(t, "an error", err.Error())
		}
	}
	store.err = errors.New("store is down")
	f.login.set(answer(reply{status: 200, body: []byte(`{"d":{}}`)}))
	if _, err := f.client(t, func(cfg *Config) { cfg.Log, cfg.Sessions = log.logger(), store }).Place(t.Context(), single(t)); err == nil {
		t.Error("Place() with a refused login: no error")
	} else {
		mustNotLeak(t, "an error", err.Error())
	}
	out := log.String()
	for _, want := range []string{"logged in", "outcome unknown", "session refused", "circuit breaker", "does not open", "not loaded"} {
		if !strings.Contains(out, want) {
			t.Errorf("log has no %q:\n%s", want, out)
		}
	}
	mustNotLeak(t, "the log", out)
}
