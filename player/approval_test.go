package player

import (
	"testing"

	"evens/money"
)

// What needs a second person counts by the wallet's currency: a hundred dollars' worth here.
func TestApprovalCountsByCurrency(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	for _, test := range []struct {
		currency, amount string
		status           AdjustmentStatus
	}{
		{"USD", "100", AdjustmentPosted}, {"USD", "101", AdjustmentPending}, {"VND", "190000", AdjustmentPosted}, {"KWD", "95", AdjustmentPending},
		{"KWD", "20.005", AdjustmentPosted}, {"CLF", "0.0001", AdjustmentPending}, // there is no rate: a person decides
	} {
		p, _, err := o.players.Create(t.Context(), Registration{
			ExternalID: test.currency, Name: "P", Email: "p@example.com", Currency: money.Currency(test.currency),
		})
		if err != nil {
			t.Fatal(err)
		}
		a, err := o.adjustments.Make(t.Context(), p.ID, money.MustParse(test.amount), "why not", "ana@example.com", "")
		if err != nil || a.Status != test.status {
			t.Errorf("%s %s: %s, %v, want %s", test.amount, test.currency, a.Status, err, test.status)
		}
	}
}
