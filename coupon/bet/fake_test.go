package bet

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"evens/internal/testbed/testlog"
	"evens/money"
)

const (
	testLogin    = "partner@example.com"
	testPassword = "tq354j533ge-secret"
)

// refusal is BeT saying no.
func refusal(errorCode, fullErrorCode int, message string) reply {
	return reply{status: 200, body: fmt.Appendf(nil,
		`{"betCode":"","status":0,"errorCode":%d,"fullErrorCode":%d,"errorMessage":%q}`, errorCode, fullErrorCode, message)}
}

// fakeBeT logs everyone in and leaves the other answers to the test. It counts the requests.
type fakeBeT struct {
	*httptest.Server
	logins, placements, reads atomic.Int64

	login, place, read handler
}

// handler is an answer that a test may exchange while the server runs.
type handler struct {
	current atomic.Pointer[http.HandlerFunc]
	calls   *atomic.Int64
}

func (h *handler) set(f http.HandlerFunc) { h.current.Store(&f) }

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.calls.Add(1)
	(*h.current.Load())(w, r)
}

func newFake(t *testing.T) *fakeBeT {
	t.Helper()
	f := &fakeBeT{}
	f.login.calls, f.place.calls, f.read.calls = &f.logins, &f.placements, &f.reads
	f.login.set(f.welcome)
	f.place.set(accept)
	f.read.set(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"Heads":[]}`) })
	mux := http.NewServeMux()
	mux.Handle("POST "+pathLogin, &f.login)
	mux.Handle("POST "+pathPlace, &f.place)
	mux.Handle("POST "+pathRead, &f.read)
	f.Server = httptest.NewServer(mux)
	t.Cleanup(f.Close)
	return f
}

// welcome logs in, each time with another session.
func (f *fakeBeT) welcome(w http.ResponseWriter, _ *http.Request) {
	http.SetCookie(w, &http.Cookie{Name: "ASP.NET_SessionId", Value: fmt.Sprintf("session-%d", f.logins.Load()), HttpOnly: true})
	fmt.Fprint(w, `{"d":{"UserId":"1344225"}}`)
}

func accept(w http.ResponseWriter, _ *http.Request) {
	fmt.Fprint(w, `{"betCode":"607vtec620","status":1,"errorCode":0,"fullErrorCode":0}`)
}

// answer makes a handler of a fixed reply.
func answer(r reply) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		if r.location != "" {
			w.Header().Set("Location", r.location)
		}
		w.WriteHeader(r.status)
		w.Write(r.body)
	}
}

// cut drops the connection without an answer, once the request was read.
func cut(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	conn, _, err := w.(http.Hijacker).Hijack()
	if err == nil {
		_ = conn.Close()
	}
}

// client makes a client of the fake; edit changes its configuration.
func (f *fakeBeT) client(t *testing.T, edit ...func(*Config)) *Client {
	t.Helper()
	cfg := Config{URL: f.URL, Login: testLogin, Password: testPassword, Timeout: 5 * time.Second}
	for _, e := range edit {
		e(&cfg)
	}
	c, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func single(t testing.TB) Ticket {
	t.Helper()
	return Ticket{
		Pointers:   pointers(t, "live#187183313|17|9|0.5#1.02"),
		RealAmount: money.MustParse("150"),
		Currency:   "USD",
		Lang:       "ru",
		RemoteHost: "http://yoursite.example/hush-hush",
		RateMode:   RateReject,
	}
}

// memoryStore is a SessionStore that several clients share, and that can fail.
type memoryStore struct {
	memory
	err error
}

func newMemoryStore() *memoryStore { return &memoryStore{memory: memory{now: time.Now}} }

func (m *memoryStore) Load(ctx context.Context) (KeptSession, error) {
	if m.err != nil {
		return KeptSession{}, m.err
	}
	return m.memory.Load(ctx)
}

func (m *memoryStore) Save(ctx context.Context, by string, kept KeptSession) error {
	if m.err != nil {
		return m.err
	}
	return m.memory.Save(ctx, by, kept)
}

// logBuffer collects a log for reading.
type logBuffer struct{ testlog.Buffer }

func (l *logBuffer) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(l, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// mustNotLeak fails when a text holds anything that opens a door.
func mustNotLeak(t *testing.T, where, s string) {
	t.Helper()
	for _, secret := range []string{testPassword, "session-1", "session-2", "hush-hush"} {
		if strings.Contains(s, secret) {
			t.Errorf("%s holds the secret %q:\n%s", where, secret, s)
		}
	}
}
