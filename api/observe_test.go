package api

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"evens/coupon"
)

func TestUnknownAddressesAndMethodsAreProblems(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, path := range []string{"/", "/v1", "/v1/", "/v1/nothing", "/v1/players/a/b/c", "/v2/players", "/favicon.ico"} {
		b.call(t, "GET", path, nil).check(t, http.StatusNotFound, CodeNotFound)
	}
	for path, allow := range map[string]string{"/v1/players": "POST", "/v1/coupons": "GET, HEAD, POST", "/v1/tokens/current": "DELETE", "/v1/docs": "GET, HEAD"} {
		got := b.call(t, "PATCH", path, nil)
		got.check(t, http.StatusMethodNotAllowed, CodeMethodNotAllowed)
		if got.header.Get("Allow") != allow {
			t.Errorf("PATCH %s: Allow = %q, want %q", path, got.header.Get("Allow"), allow)
		}
	}
}

func TestSecurityHeaders(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, path := range []string{"/v1/providers", "/v1/docs", "/v1/nothing", "/v1/players/x"} {
		got := b.call(t, "GET", path, nil)
		for name, want := range map[string]string{
			"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "no-referrer", "Cache-Control": "no-store",
		} {
			if got.header.Get(name) != want {
				t.Errorf("%s: %s = %q, want %q", path, name, got.header.Get(name), want)
			}
		}
		if policy := got.header.Get("Content-Security-Policy"); !strings.Contains(policy, "default-src 'none'") || !strings.Contains(policy, "frame-ancestors 'none'") {
			t.Errorf("%s: Content-Security-Policy = %q", path, policy)
		}
	}
}

func TestOneLogLineARequestWithoutSecrets(t *testing.T) {
	t.Parallel()
	b := setup(t)
	p := b.player(t, "100")
	token := b.token(t, p.ID)
	b.call(t, "GET", "/v1/players/"+p.ID+"/wallet", nil, bearing(token))
	b.call(t, "GET", "/v1/players/"+uuid.NewString()+"/wallet?secret=s3cret", nil)
	b.call(t, "POST", "/v1/coupons", `{"lang":"s3cret"`, idempotent("s3cret"))
	log := b.log.String()
	lines := strings.Split(strings.TrimSpace(log), "\n")
	if len(lines) != 6 {
		t.Errorf("%d lines for 6 requests:\n%s", len(lines), log)
	}
	for i, want := range []string{
		`method=POST route="POST /v1/players" status=201`,
		`method=POST route="POST /v1/players/{id}/deposits" status=200`,
		`method=POST route="POST /v1/players/{id}/tokens" status=200`,
		`method=GET route="GET /v1/players/{id}/wallet" status=200`,
		`method=GET route="GET /v1/players/{id}/wallet" status=422`,
		`method=POST route="POST /v1/coupons" status=400`,
	} {
		if i < len(lines) && (!strings.Contains(lines[i], want) || !strings.Contains(lines[i], "took=")) {
			t.Errorf("line %d = %s, want %s", i, lines[i], want)
		}
	}
	if !strings.Contains(log, "caller=everything") || !strings.Contains(log, "caller=player player_id="+p.ID) {
		t.Errorf("the callers are not named:\n%s", log)
	}
	for _, secret := range []string{token, b.key, token[4:], b.key[4:], "s3cret", "Ann", "ann@example.com"} {
		if strings.Contains(log, secret) {
			t.Errorf("the log tells %q", secret)
		}
	}
}

// brokenDesk does as it is told.
type brokenDesk func() (coupon.Coupon, error)

func (d brokenDesk) Place(context.Context, coupon.Order) (coupon.Coupon, error) { return d() }

func TestOurMistakesSayNothing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	p := b.player(t, "100")
	for name, desk := range map[string]brokenDesk{
		"an error": func() (coupon.Coupon, error) { return coupon.Coupon{}, errors.New("s3cret of ours") },
		"a panic":  func() (coupon.Coupon, error) { panic("s3cret of ours") },
	} {
		b.config.Desk = desk
		b.url = serve(t, New(b.config))
		got := b.call(t, "POST", "/v1/coupons", couponBody(p.ID), idempotent("k1"))
		got.check(t, http.StatusInternalServerError, CodeInternal)
		if strings.Contains(got.body, "s3cret") {
			t.Errorf("%s is answered with its text: %s", name, got.body)
		}
	}
	log := b.log.String()
	if strings.Count(log, "s3cret of ours") != 2 || strings.Count(log, "status=500") != 2 {
		t.Errorf("the log does not tell both, or not once:\n%s", log)
	}
}

func TestPanicInTheMiddleOfAnAnswerCutsIt(t *testing.T) {
	t.Parallel()
	s := &server{cfg: Config{Log: slog.New(slog.DiscardHandler)}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /half", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(strings.Repeat("x", 100_000)))
		panic("half-way")
	})
	server := httptest.NewUnstartedServer(s.observe(mux))
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	server.Start()
	defer server.Close()
	response, err := http.Get(server.URL + "/half")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if _, err := io.ReadAll(response.Body); err == nil {
		t.Error("half an answer looks like a whole one")
	}
}

func TestObserverHearsOfEveryRequest(t *testing.T) {
	t.Parallel()
	b := setup(t)
	type heard struct {
		route  string
		status int
	}
	got := make(chan heard, 10)
	b.config.Observe = func(route string, status int, _ time.Duration) { got <- heard{route, status} }
	b.url = serve(t, New(b.config))
	b.call(t, "GET", "/v1/providers", nil)
	b.call(t, "GET", "/v1/nothing", nil)
	for _, want := range []heard{{"GET /v1/providers", 200}, {"", 404}} {
		if h := <-got; h != want {
			t.Errorf("heard %+v, want %+v", h, want)
		}
	}
}

func TestSchemaMistakeIsOurs(t *testing.T) {
	t.Parallel()
	b := setup(t)
	if _, err := b.db.Pool.Exec(t.Context(), `ALTER TABLE api_keys RENAME TO gone`); err != nil {
		t.Fatal(err)
	}
	b.call(t, "GET", "/v1/providers", nil).check(t, http.StatusInternalServerError, CodeInternal)
}
