package settlement

import (
	"testing"

	"evens/money"
	"evens/money/threshold"
)

func TestGuardCountsByCurrency(t *testing.T) {
	t.Parallel()
	zero, _ := threshold.Parse("0")
	listed, _ := threshold.Parse("USD=10,VND=25000000")
	for _, test := range []struct {
		guard            Guard
		count            int64
		amount, currency string
		exceeds          bool
	}{
		{Guard{}, 1000, "100000", "USD", false}, {Guard{}, 1001, "1", "USD", true}, {Guard{}, 1, "100000.01", "USD", true},
		{Guard{}, 1, "190000000", "VND", false}, {Guard{}, 1, "95000", "KWD", true}, {Guard{}, 1, "1", "XAD", true},
		{Guard{Count: 3}, 4, "1", "USD", true}, {Guard{Count: 3}, 3, "100000", "USD", false},
		{Guard{Count: 1000, Amount: zero}, 1, "0.01", "USD", true}, {Guard{Count: 0, Amount: listed}, 1, "1", "USD", true},
		{Guard{Count: 1000, Amount: listed}, 1, "25000000", "VND", false}, {Guard{Count: 1000, Amount: listed}, 1, "1", "EUR", true},
	} {
		if got := test.guard.orDefault().exceeds(test.count, money.MustParse(test.amount), money.Currency(test.currency)); got != test.exceeds {
			t.Errorf("%+v: %d of %s %s exceed it: %t", test.guard, test.count, test.amount, test.currency, got)
		}
	}
}
