package api

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// What a caller filters by is read, or refused by name: never left out.
func TestAFilterThatCannotBeReadIsRefused(t *testing.T) {
	t.Parallel()
	b := setup(t)
	p := b.player(t, "100")
	b.place(t, p.ID)
	history := "/v1/players/" + p.ID + "/transactions?"
	for _, test := range []struct{ path, location string }{
		{"/v1/coupons?player_id=" + p.ID + "%", "query.player_id"},
		{"/v1/coupons?player_id=", "query.player_id"},
		{"/v1/coupons?player_id", "query.player_id"},
		{"/v1/coupons?player_id=" + strings.ToUpper(p.ID), "query.player_id"},
		{"/v1/coupons?player_id=" + strings.ReplaceAll(p.ID, "-", ""), "query.player_id"},
		{"/v1/coupons?player_id=" + p.ID + ";status=won", "query.player_id"},
		{"/v1/coupons?player_id=" + p.ID + "&player_id=" + p.ID, "query.player_id"},
		{"/v1/coupons?status=won&status=nonsense", "query.status"},
		{"/v1/coupons?status=", "query.status"},
		{"/v1/coupons?state=won", "query.state"},
		{"/v1/coupons?Status=won", "query.Status"},
		{"/v1/coupons?from=", "query.from"},
		{"/v1/coupons?limit=", "query.limit"},
		{"/v1/coupons?limit=1&limit=999999", "query.limit"},
		{"/v1/coupons?%70layer_id=x", "query.player_id"},
		{"/v1/coupons?%00=x", "query.?"},
		{history + "round_id=%e9", "query.round_id"},
		{history + "game_id=%ed%a0%bd", "query.game_id"},
		{history + "type=deposit,lottery", "query.type"},
		{history + "type=deposit&type=lottery", "query.type"},
		{history + "type=deposit,", "query.type"},
		{history + "type=", "query.type"},
		{history + "provider=", "query.provider"},
		{history + "provider=bookie", "query.provider"},
		{history + "coupon_id=%", "query.coupon_id"},
		{"/v1/events?player_id=", "query.player_id"},
		{"/v1/events?player=" + p.ID, "query.player"},
		{"/v1/games?provider=", "query.provider"},
		{"/v1/players/" + p.ID + "/wallet?at_=now", "query.at_"},
		{"/v1/players/" + p.ID + "/bonuses?status=active", "query.status"},
	} {
		got := b.call(t, "GET", test.path, nil).check(t, http.StatusUnprocessableEntity, CodeValidationFailed)
		if len(got.Errors) != 1 || got.Errors[0].Location != test.location {
			t.Errorf("%s: %+v is to blame, want %s", test.path, got.Errors, test.location)
		}
	}
	for query, want := range map[string]int{
		"round_id=100%": 0, "round_id=%": 0, "game_id=a;b": 0, "game_id=" + url.QueryEscape("é & ü"): 0, "type=deposit&type=stake": 2,
		"type=deposit%2Cstake": 2, "provider=bet&limit=5&cursor=": 1, "&&": 2, "": 2,
	} {
		var page transactionPage
		got := b.call(t, "GET", history+query, nil)
		got.into(t, &page)
		if got.status != http.StatusOK || len(page.Items) != want {
			t.Errorf("%q: %d with %d items, want 200 with %d", query, got.status, len(page.Items), want)
		}
	}
}

// A percent sign that begins no escape is itself.
func TestUnescape(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"100%": "100%", "%": "%", "%%41": "%A", "%%%": "%%%", "%4%41": "%4A", "a+b%20c": "a b c", "%zz": "%zz", "%E2%82%aC": "€", "plain": "plain",
	} {
		if got := unescape(text); got != want {
			t.Errorf("unescape(%q) = %q, want %q", text, got, want)
		}
		if standard, err := url.QueryUnescape(text); err == nil && standard != want {
			t.Errorf("%q means %q everywhere else", text, standard)
		}
	}
}
