package api

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"

	"evens/access"
)

// calls is one request a route: its scope, and whether players' tokens are let in.
func calls(playerID, couponID string) []struct {
	method, path string
	scope        access.Scope
	players      bool
} {
	return []struct {
		method, path string
		scope        access.Scope
		players      bool
	}{
		{"POST", "/v1/players", access.ScopePlayers, false},
		{"GET", "/v1/players/" + playerID, access.ScopePlayers, false},
		{"POST", "/v1/players/" + playerID + "/tokens", access.ScopeTokens, false},
		{"DELETE", "/v1/players/" + playerID + "/tokens", access.ScopeTokens, false},
		{"GET", "/v1/players/" + playerID + "/wallet", access.ScopeWallet, true},
		{"GET", "/v1/players/" + playerID + "/transactions", access.ScopeWallet, true},
		{"POST", "/v1/players/" + playerID + "/deposits", access.ScopeCashier, false},
		{"POST", "/v1/players/" + playerID + "/withdrawals", access.ScopeCashier, false},
		{"GET", "/v1/players/" + playerID + "/limits", access.ScopeLimits, true},
		{"PUT", "/v1/players/" + playerID + "/limits", access.ScopeLimits, true},
		{"GET", "/v1/players/" + playerID + "/bonuses", access.ScopeBonuses, true},
		{"POST", "/v1/players/" + playerID + "/bonuses", access.ScopeBonuses, false},
		{"POST", "/v1/coupons", access.ScopeCoupons, true},
		{"GET", "/v1/coupons", access.ScopeCoupons, true},
		{"GET", "/v1/coupons/" + couponID, access.ScopeCoupons, true},
		{"GET", "/v1/coupons/" + couponID + "/events", access.ScopeCoupons, true},
		{"GET", "/v1/events", access.ScopeCoupons, true},
		{"GET", "/v1/providers", access.ScopeGames, true},
		{"GET", "/v1/games", access.ScopeGames, true},
		{"POST", "/v1/games/launch", access.ScopeGames, true},
		{"DELETE", "/v1/games/sessions/" + couponID, access.ScopeGames, true},
	}
}

func TestEveryCallWantsABearer(t *testing.T) {
	t.Parallel()
	b := setup(t)
	revoked := b.keyOf(t, "revoked", access.Scopes()...)
	if err := b.config.Keys.Revoke(t.Context(), "revoked"); err != nil {
		t.Fatal(err)
	}
	bearers := map[string]option{
		"none":             func(r *http.Request) { r.Header.Del("Authorization") },
		"an empty one":     bearing(""),
		"another scheme":   header("Authorization", "Basic "+b.key),
		"nonsense":         bearing("nonsense"),
		"an unknown key":   bearing(b.key[:len(b.key)-1] + "_"),
		"a revoked key":    bearing(revoked),
		"an unknown token": bearing("evp_" + b.key[4:]),
	}
	for _, call := range append(calls(uuid.NewString(), uuid.NewString()), calls("", "")[0]) {
		for name, bearer := range bearers {
			got := b.call(t, call.method, call.path, nil, bearer)
			got.check(t, http.StatusUnauthorized, CodeUnauthorized)
			if got.header.Get("WWW-Authenticate") != "Bearer" {
				t.Errorf("%s %s with %s: no WWW-Authenticate header", call.method, call.path, name)
			}
		}
	}
}

func (b bundle) keyOf(t *testing.T, name string, scopes ...access.Scope) string {
	t.Helper()
	_, secret, err := b.config.Keys.Create(t.Context(), name, scopes)
	if err != nil {
		t.Fatal(err)
	}
	return secret
}

func TestKeyOpensItsScopeOnly(t *testing.T) {
	t.Parallel()
	b := setup(t)
	keys := map[access.Scope]string{}
	for _, scope := range access.Scopes() {
		keys[scope] = b.keyOf(t, "only "+string(scope), scope)
	}
	p := b.player(t, "")
	for _, call := range calls(p.ID, uuid.NewString()) {
		for scope, key := range keys {
			if call.path == "/v1/events" && scope == call.scope {
				continue // a stream without end
			}
			got := b.call(t, call.method, call.path, nil, bearing(key))
			if scope == call.scope {
				if got.status == http.StatusUnauthorized || got.status == http.StatusForbidden {
					t.Errorf("%s %s with scope %s: %d %s", call.method, call.path, scope, got.status, got.body)
				}
				continue
			}
			if problem := got.check(t, http.StatusForbidden, CodeForbidden); !strings.Contains(problem.Detail, string(call.scope)) {
				t.Errorf("%s %s with scope %s: %q does not name the scope %s", call.method, call.path, scope, problem.Detail, call.scope)
			}
		}
	}
	b.call(t, "DELETE", "/v1/tokens/current", nil).check(t, http.StatusForbidden, CodeForbidden)
}

func TestTokenOpensItsPlayersOwnOnly(t *testing.T) {
	t.Parallel()
	b := setup(t)
	p, other := b.player(t, "100"), b.player(t, "100")
	token := bearing(b.token(t, p.ID))
	own, foreign := b.place(t, p.ID), b.place(t, other.ID)

	for _, call := range calls(p.ID, own.ID) {
		if strings.HasSuffix(call.path, "/events") {
			continue // see events_test.go
		}
		got := b.call(t, call.method, call.path, nil, token)
		if call.players != (got.status != http.StatusForbidden) {
			t.Errorf("%s %s with a player's token: %d %s", call.method, call.path, got.status, got.body)
		}
	}
	for _, path := range []string{
		"/v1/players/" + other.ID + "/wallet",
		"/v1/players/nobody/wallet",
		"/v1/players/" + other.ID + "/transactions",
		"/v1/players/" + other.ID + "/limits",
		"/v1/players/" + other.ID + "/bonuses",
		"/v1/coupons?player_id=" + other.ID,
		"/v1/events?player_id=" + other.ID,
	} {
		b.call(t, "GET", path, nil, token).check(t, http.StatusForbidden, CodeForbidden)
	}
	for _, path := range []string{"/v1/coupons/" + foreign.ID, "/v1/coupons/" + foreign.ID + "/events"} {
		b.call(t, "GET", path, nil, token).check(t, http.StatusNotFound, CodeCouponNotFound)
	}
	b.call(t, "POST", "/v1/coupons", couponBody(other.ID), token, idempotent("k1")).check(t, http.StatusForbidden, CodeForbidden)
	if got := b.cash(t, other.ID); got != "84.50" {
		t.Errorf("the other player's cash = %s, want 84.50 untouched", got)
	}

	var page couponPage
	b.call(t, "GET", "/v1/coupons", nil, token).into(t, &page)
	if len(page.Items) != 1 || page.Items[0].ID != own.ID {
		t.Errorf("listed %+v, want the player's own coupon", page.Items)
	}
	placed := b.call(t, "POST", "/v1/coupons", couponBody(p.ID).with("player_id", nil), token, idempotent("k1"))
	var c couponView
	placed.into(t, &c)
	if placed.status != http.StatusCreated || c.PlayerID != p.ID {
		t.Errorf("placed without player_id: %d %s, want a coupon of %s", placed.status, placed.body, p.ID)
	}
}

func TestLogoutHoldsAtOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	p := b.player(t, "")
	token, kept := bearing(b.token(t, p.ID)), bearing(b.token(t, p.ID))
	if got := b.call(t, "DELETE", "/v1/tokens/current", nil, token); got.status != http.StatusNoContent || got.body != "" {
		t.Fatalf("logout: %d %s, want 204", got.status, got.body)
	}
	b.call(t, "GET", "/v1/players/"+p.ID+"/wallet", nil, token).check(t, http.StatusUnauthorized, CodeUnauthorized)
	b.call(t, "DELETE", "/v1/tokens/current", nil, token).check(t, http.StatusUnauthorized, CodeUnauthorized)
	if got := b.call(t, "GET", "/v1/players/"+p.ID+"/wallet", nil, kept); got.status != http.StatusOK {
		t.Errorf("the player's other token: %d %s", got.status, got.body)
	}
}

func TestIdempotencyKeysOfCallersNeverMeet(t *testing.T) {
	t.Parallel()
	b := setup(t)
	p, other := b.player(t, "100"), b.player(t, "100")
	first := b.place(t, p.ID, idempotent("k1"), bearing(b.token(t, p.ID)))
	again := b.place(t, p.ID, idempotent("k1"), bearing(b.token(t, p.ID)))
	if first.ID != again.ID {
		t.Errorf("another token of the same player made coupon %s, want %s again", again.ID, first.ID)
	}
	second := b.place(t, other.ID, idempotent("k1"), bearing(b.token(t, other.ID)))
	third := b.place(t, p.ID, idempotent("k1"))
	if second.ID == first.ID || third.ID == first.ID || third.ID == second.ID {
		t.Errorf("the same key of other callers answered with another's coupon: %s, %s, %s", first.ID, second.ID, third.ID)
	}
}
