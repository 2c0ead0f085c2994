package api

import (
	"net/http"
	"testing"
	"time"

	"evens/internal/postgres"
	"evens/internal/testbed"
)

func TestDatabaseAwayIsUnavailableAndBackIsWell(t *testing.T) {
	t.Parallel()
	servers := testbed.PrivateServers(t)
	if err := postgres.Migrate(t.Context(), servers.DatabaseURL()); err != nil {
		t.Fatal(err)
	}
	b := setupOn(t, servers.DatabaseURL(), servers.RedisURL())
	p := b.player(t, "100")
	token := bearing(b.token(t, p.ID)) // asked for every time, unlike an API key
	open := b.stream(t, "/v1/coupons/"+b.place(t, p.ID).ID+"/events")
	if err := servers.StopPostgres(t.Context()); err != nil {
		t.Fatal(err)
	}
	deposit := depositBody("1")
	calls := map[string]func() answer{
		"a read":       func() answer { return b.call(t, "GET", "/v1/players/"+p.ID, nil) },
		"a deposit":    func() answer { return b.call(t, "POST", "/v1/players/"+p.ID+"/deposits", deposit, idempotent("k1")) },
		"a placement":  func() answer { return b.call(t, "POST", "/v1/coupons", couponBody(p.ID), idempotent("k2")) },
		"a new stream": func() answer { return b.call(t, "GET", "/v1/events", nil, token) },
	}
	for name, call := range calls {
		got := call()
		got.check(t, http.StatusServiceUnavailable, CodeUnavailable)
		if got.header.Get("Retry-After") == "" {
			t.Errorf("%s: no Retry-After header", name)
		}
	}
	open.ends(t)
	if got := b.bookmaker.placed.Load(); got != 1 {
		t.Errorf("the bookmaker was asked %d times, want once before the outage", got)
	}
	if err := servers.StartPostgres(t.Context()); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the same keys again, as the answer asked for
		for name, want := range map[string]int{"a read": 200, "a deposit": 200, "a placement": 201} {
			if got := persist(t, calls[name]); got.status != want {
				t.Errorf("%s after the outage: %d %s, want %d", name, got.status, got.body, want)
			}
		}
	}
	if got := b.cash(t, p.ID); got != "70.00" {
		t.Errorf("cash = %s, want 70.00: one deposit and two stakes", got)
	}
}

// persist repeats a call that nobody knows the outcome of, as its answer asks for: the pools
// find their connections broken one by one.
func persist(t *testing.T, call func() answer) answer {
	t.Helper()
	for deadline := time.Now().Add(patience); ; {
		got := call()
		if got.status != http.StatusServiceUnavailable || time.Now().After(deadline) {
			return got
		}
	}
}

func TestRedisAwayStopsNoMoney(t *testing.T) {
	t.Parallel()
	servers := testbed.PrivateServers(t)
	b := setupOn(t, testbed.Database(t), servers.RedisURL())
	p := b.player(t, "100")
	if err := servers.StopRedis(t.Context()); err != nil {
		t.Fatal(err)
	}
	c := b.place(t, p.ID)
	if got := b.call(t, "GET", "/v1/coupons/"+c.ID, nil); got.status != http.StatusOK {
		t.Errorf("reading with Redis away: %d %s", got.status, got.body)
	}
	if got := b.cash(t, p.ID); got != "84.50" {
		t.Errorf("cash = %s, want 84.50", got)
	}
}
