package api

import (
	"net/http"
	"testing"

	"github.com/google/uuid"
)

// playerIn opens a player in a currency, with cash.
func (b bundle) playerIn(t *testing.T, currency, cash string) string {
	t.Helper()
	var made playerView
	created := b.call(t, "POST", "/v1/players", fields{
		"external_id": uuid.NewString(), "name": "P", "email": "p@example.com", "currency": currency,
	})
	created.into(t, &made)
	if created.status != http.StatusCreated {
		t.Fatalf("player in %s: %d %s", currency, created.status, created.body)
	}
	if cash != "" {
		deposit := b.call(t, "POST", "/v1/players/"+made.ID+"/deposits", depositBody(cash).with("currency", currency), idempotent(uuid.NewString()))
		if deposit.status != http.StatusOK {
			t.Fatalf("deposit of %s %s: %d %s", cash, currency, deposit.status, deposit.body)
		}
	}
	return made.ID
}

// Amounts that people state have at most the decimals of their currency, wherever they state one.
func TestAmountsHaveTheDecimalsOfTheirCurrency(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, test := range []struct{ currency, cash, good, bad string }{
		{"USD", "100", "1.05", "1.005"}, {"JPY", "1000", "15.00", "15.5"}, {"KWD", "100", "1.005", "1.0005"}, {"RSD", "100", "12.40", "12.401"},
		{"CLF", "10", "0.0001", "0.00001"}, {"UYW", "10", "1.0001", "1.00001"}, {"VES", "100", "1.05", "1.005"}, {"ISK", "1000", "10", "10.01"},
	} {
		id := b.playerIn(t, test.currency, test.cash)
		money := func(amount string) fields { return depositBody(amount).with("currency", test.currency) }
		coupon := couponBody(id).with("currency", test.currency)
		for _, call := range []struct {
			method, path, field string
			body                func(amount string) fields
		}{
			{"POST", "/v1/players/" + id + "/deposits", "body.amount", money},
			{"POST", "/v1/players/" + id + "/withdrawals", "body.amount", money},
			{"POST", "/v1/coupons", "body.stake", func(amount string) fields { return coupon.with("stake", amount) }},
			{"PUT", "/v1/players/" + id + "/limits", "body.loss.weekly", func(amount string) fields {
				return fields{"loss": fields{"weekly": amount}}
			}},
			{"POST", "/v1/players/" + id + "/bonuses", "body.amount", func(amount string) fields { return fields{"amount": amount, "wagering": "1"} }},
		} {
			refused := b.call(t, call.method, call.path, call.body(test.bad), idempotent(uuid.NewString())).
				check(t, http.StatusUnprocessableEntity, CodeInvalidAmount)
			if len(refused.Errors) != 1 || refused.Errors[0].Location != call.field {
				t.Errorf("%s of %s %s: %+v is to blame, want %s", call.path, test.bad, test.currency, refused.Errors, call.field)
			}
			if got := b.call(t, call.method, call.path, call.body(test.good), idempotent(uuid.NewString())); got.status >= 300 {
				t.Errorf("%s of %s %s: %d %s", call.path, test.good, test.currency, got.status, got.body)
			}
		}
	}
}

// The list of today: new codes open wallets, historic ones do not.
func TestWalletsInCurrenciesOfToday(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, currency := range []string{"VES", "VED", "SLE", "MRU", "ZWG", "XCG", "UYW"} {
		b.playerIn(t, currency, "1")
	}
	for _, currency := range []string{"DEM", "VEF", "XXX", "XAU", "SLL", "ANG", "BGN", "usd"} {
		got := b.call(t, "POST", "/v1/players", fields{"external_id": uuid.NewString(), "name": "P", "email": "p@example.com", "currency": currency}).
			check(t, http.StatusUnprocessableEntity, CodeValidationFailed)
		if len(got.Errors) != 1 || got.Errors[0].Location != "body.currency" {
			t.Errorf("%s: %+v is to blame", currency, got.Errors)
		}
	}
}
