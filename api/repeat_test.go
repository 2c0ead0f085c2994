package api

import (
	"net/http"
	"testing"
	"time"

	"github.com/google/uuid"

	"evens/ledger"
	"evens/money"
	"evens/wallet"
)

// later is the same API with the clock so much further, and without a bookmaker.
func (b bundle) later(t *testing.T, by time.Duration) bundle {
	t.Helper()
	config := b.config
	config.Now = func() time.Time { return time.Now().UTC().Add(by) }
	config.Desk = nil
	b.url = serve(t, newHandler(config, testHeartbeat))
	return b
}

// A repeat is answered as at first, whatever the rules have become since; only a new call is judged by
// them. The same amount is the same, however it is written.
func TestARepeatIsJudgedByItsKey(t *testing.T) {
	t.Parallel()
	b := setup(t)
	p := b.player(t, "100")
	cash := depositBody("10.00")
	expires := time.Now().UTC().Add(time.Hour).Format(time.RFC3339)
	afterwards := b.later(t, 48*time.Hour)
	for _, test := range []struct {
		name, path    string
		body          fields
		amount, again string
		refused       int // what a new call gets afterwards; 0: nothing has changed
		code          string
	}{
		{"deposit", "/v1/players/" + p.ID + "/deposits", cash, "amount", "10.0", 0, ""},
		{"withdrawal", "/v1/players/" + p.ID + "/withdrawals", cash.with("transaction_id", "w1"), "amount", "10", 0, ""},
		{"bonus that expires", "/v1/players/" + p.ID + "/bonuses", fields{"amount": "10.00", "wagering": "40", "expires_at": expires}, "amount", "10.0",
			http.StatusUnprocessableEntity, CodeValidationFailed},
		{"coupon", "/v1/coupons", couponBody(p.ID), "stake", "15.5", http.StatusServiceUnavailable, CodeProviderNotConfigured},
	} {
		first := b.call(t, "POST", test.path, test.body, idempotent(test.name))
		if first.status >= 300 {
			t.Fatalf("%s: %d %s", test.name, first.status, first.body)
		}
		for _, body := range []fields{test.body, test.body.with(test.amount, test.again)} {
			for _, at := range []bundle{b, afterwards} {
				if got := at.call(t, "POST", test.path, body, idempotent(test.name)); got.status != first.status || got.body != first.body {
					t.Errorf("%s of %s again: %d %s, want %d %s", test.name, body[test.amount], got.status, got.body, first.status, first.body)
				}
			}
		}
		afterwards.call(t, "POST", test.path, test.body.with(test.amount, "11"), idempotent(test.name)).
			check(t, http.StatusConflict, CodeIdempotencyConflict)
		if test.refused != 0 {
			afterwards.call(t, "POST", test.path, test.body, idempotent("new "+test.name)).check(t, test.refused, test.code)
		}
	}
	if got := b.cash(t, p.ID); got != "84.50" {
		t.Errorf("cash = %s, want 84.50", got)
	}
}

// What was taken before amounts were held to their currency's decimals, or hashed as they are now, is
// answered as it was.
func TestARepeatOfAnEarlierRelease(t *testing.T) {
	t.Parallel()
	b := setup(t)
	p := b.player(t, "100")
	id := uuid.MustParse(p.ID)
	key, err := b.config.Keys.Resolve(t.Context(), b.key)
	if err != nil {
		t.Fatal(err)
	}
	body := depositBody("1.0050")
	paid := wallet.Cash{Player: id, Amount: money.MustParse("1.005"), Currency: "USD", Method: "card", TransactionID: body["transaction_id"].(string), At: time.Now()}
	paid.Request = wallet.Request{Scope: key.ID.String() + ":deposit", Key: "old", Hash: ledger.HashOf(p.ID, "1.005", "USD", "card", paid.TransactionID)}
	if _, err := wallet.Deposit(t.Context(), b.config.Poster, paid); err != nil {
		t.Fatal(err)
	}
	if got := b.call(t, "POST", "/v1/players/"+p.ID+"/deposits", body, idempotent("old")); got.status != http.StatusOK {
		t.Errorf("deposit again: %d %s", got.status, got.body)
	}
	b.call(t, "POST", "/v1/players/"+p.ID+"/deposits", depositBody("1.005"), idempotent("old")).check(t, http.StatusConflict, CodeIdempotencyConflict)

	granted := wallet.Request{Scope: key.ID.String() + ":bonus", Key: "old", Hash: ledger.HashOf(p.ID, "", "10", "40", "")}
	grant := wallet.Grant{Player: id, Currency: "USD", Amount: money.MustParse("10"), Wagering: 40 * money.One, Terms: wallet.OpenTerms(), At: time.Now()}
	if _, err := wallet.GiveBonus(t.Context(), b.config.Poster, grant, granted); err != nil {
		t.Fatal(err)
	}
	if got := b.call(t, "POST", "/v1/players/"+p.ID+"/bonuses", fields{"amount": "10", "wagering": "40"}, idempotent("old")); got.status != http.StatusCreated {
		t.Errorf("bonus again: %d %s", got.status, got.body)
	}
}
