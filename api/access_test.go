package api

import (
	"net/http"
	"testing"
	"time"

	"github.com/google/uuid"

	"evens/access"
	"evens/wallet"
)

// age makes a key one of before the scope tokens.
func (b bundle) age(t *testing.T, name string) {
	t.Helper()
	if _, err := b.db.Pool.Exec(t.Context(), `UPDATE api_keys SET scope_rules = 1 WHERE name = $1`, name); err != nil {
		t.Fatal(err)
	}
}

// A key that knows players does not become them: tokens have a scope of their own. Older keys go on.
func TestPlayersKeyMintsNoToken(t *testing.T) {
	t.Parallel()
	b := setup(t)
	p := b.player(t, "100")
	path := "/v1/players/" + p.ID + "/tokens"
	young, old, tokens := b.keyOf(t, "young", access.ScopePlayers), b.keyOf(t, "old", access.ScopePlayers), b.keyOf(t, "tokens", access.ScopeTokens)
	b.age(t, "old")
	b.call(t, "POST", path, nil, bearing(young)).check(t, http.StatusForbidden, CodeForbidden)
	b.call(t, "DELETE", path, nil, bearing(young)).check(t, http.StatusForbidden, CodeForbidden)
	for name, key := range map[string]string{"old": old, "tokens": tokens} {
		if got := b.call(t, "POST", path, nil, bearing(key)); got.status != http.StatusOK {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	}
	b.call(t, "GET", "/v1/players/"+p.ID, nil, bearing(tokens)).check(t, http.StatusForbidden, CodeForbidden)
}

// A key for coupons hears of coupons only; one with the scope wallet too, and an older one, of both.
func TestCouponsKeyHearsNoWallets(t *testing.T) {
	t.Parallel()
	b := setup(t)
	p := b.player(t, "100")
	keys := map[string]string{
		"young": b.keyOf(t, "young", access.ScopeCoupons), "old": b.keyOf(t, "old", access.ScopeCoupons),
		"both": b.keyOf(t, "both", access.ScopeCoupons, access.ScopeWallet),
	}
	b.age(t, "old")
	c := b.place(t, p.ID)
	b.heard(t)
	for name, key := range keys {
		for _, path := range []string{"/v1/events?player_id=" + p.ID, "/v1/events", "/v1/coupons/" + c.ID + "/events"} {
			s := b.stream(t, path, bearing(key))
			id := uuid.MustParse(p.ID)
			b.changes.WalletsMoved([]uuid.UUID{id})
			wallets := 0
			for range 2 { // of what comes at once coupons are shown first: the wallet comes before the second at the latest
				b.changes.CouponChanged(uuid.MustParse(c.ID), id)
				for kind := ""; kind != "coupon"; {
					if kind, _ = s.next(t); kind == "wallet" {
						wallets++
					}
				}
			}
			if (wallets > 0) != (name != "young") {
				t.Errorf("%s, %s: %d wallets were shown", name, path, wallets)
			}
		}
	}
}

// One call ends every token of a player, and what follows by them; other players go on.
func TestLogoutEverywhere(t *testing.T) {
	t.Parallel()
	b := setup(t)
	p, other := b.player(t, "10"), b.player(t, "10")
	first, second, foreign := b.token(t, p.ID), b.token(t, p.ID), b.token(t, other.ID)
	s := b.stream(t, "/v1/events", bearing(first))
	if got := b.call(t, "DELETE", "/v1/players/"+p.ID+"/tokens", nil); got.status != http.StatusNoContent {
		t.Fatalf("%d %s", got.status, got.body)
	}
	for _, token := range []string{first, second} {
		b.call(t, "GET", "/v1/players/"+p.ID+"/wallet", nil, bearing(token)).check(t, http.StatusUnauthorized, CodeUnauthorized)
	}
	s.ends(t)
	if got := b.call(t, "GET", "/v1/players/"+other.ID+"/wallet", nil, bearing(foreign)); got.status != http.StatusOK {
		t.Errorf("another player: %d %s", got.status, got.body)
	}
	b.call(t, "DELETE", "/v1/players/"+uuid.NewString()+"/tokens", nil).check(t, http.StatusNotFound, CodePlayerNotFound)
	b.call(t, "DELETE", "/v1/players/"+p.ID+"/tokens", nil, bearing(foreign)).check(t, http.StatusForbidden, CodeForbidden)
}

// A blocked player's token reads nothing, its stream ends, and no other is made.
func TestBlockedPlayersTokenReadsNothing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	p := b.player(t, "10")
	token := b.token(t, p.ID)
	s := b.stream(t, "/v1/events", bearing(token))
	if err := b.config.Players.SetStatus(t.Context(), uuid.MustParse(p.ID), wallet.Blocked, "eva@example.com", "asked for it"); err != nil {
		t.Fatal(err)
	}
	for _, call := range calls(p.ID, uuid.NewString()) {
		if call.players {
			b.call(t, call.method, call.path, nil, bearing(token)).check(t, http.StatusUnauthorized, CodeUnauthorized)
		}
	}
	s.ends(t)
	b.call(t, "POST", "/v1/players/"+p.ID+"/tokens", nil).check(t, http.StatusForbidden, CodePlayerBlocked)
}

// A player sets limits with the token: stricter ones hold at once, looser ones after the wait; an
// exclusion never gets shorter, and nobody else's limits are touched.
func TestPlayerSetsLimits(t *testing.T) {
	t.Parallel()
	b := setup(t)
	p, other := b.player(t, "100"), b.player(t, "100")
	token := bearing(b.token(t, p.ID))
	path := "/v1/players/" + p.ID + "/limits"
	put := func(body fields) limitsView {
		t.Helper()
		got := b.call(t, "PUT", path, body, token)
		var view limitsView
		if got.into(t, &view); got.status != http.StatusOK {
			t.Fatalf("put %v: %d %s", body, got.status, got.body)
		}
		return view
	}
	if view := put(fields{"wager": fields{"daily": "20"}}); view.Wager.Daily == nil || *view.Wager.Daily != "20.00" || len(view.Pending) != 0 {
		t.Errorf("the first limit: %+v", view)
	}
	if view := put(fields{"wager": fields{"daily": "10"}}); *view.Wager.Daily != "10.00" || len(view.Pending) != 0 {
		t.Errorf("a stricter limit: %+v", view)
	}
	for _, looser := range []any{"5000", nil} {
		view := put(fields{"wager": fields{"daily": looser}})
		if *view.Wager.Daily != "10.00" || len(view.Pending) != 1 || view.Pending[0].From.Before(time.Now().Add(23*time.Hour)) {
			t.Errorf("a looser limit, %v: %+v", looser, view)
		}
	}
	var read limitsView
	if b.call(t, "GET", path, nil, token).into(t, &read); *read.Wager.Daily != "10.00" {
		t.Errorf("read: %+v", read)
	}
	b.call(t, "POST", "/v1/coupons", couponBody(p.ID), token, idempotent("k1")).check(t, http.StatusForbidden, CodeLimitExceeded)
	for _, method := range []string{"GET", "PUT"} {
		b.call(t, method, "/v1/players/"+other.ID+"/limits", fields{"wager": fields{"daily": "1"}}, token).check(t, http.StatusForbidden, CodeForbidden)
	}
	until := time.Now().Add(48 * time.Hour).UTC()
	put(fields{"excluded_until": until})
	b.call(t, "PUT", path, fields{"excluded_until": until.Add(-time.Hour)}, token).check(t, http.StatusConflict, CodeExclusionActive)
	if got := b.call(t, "GET", "/v1/players/"+p.ID+"/bonuses", nil, token); got.status != http.StatusOK {
		t.Errorf("bonuses: %d %s", got.status, got.body)
	}
}
