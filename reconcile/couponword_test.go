package reconcile

import (
	"fmt"
	"testing"

	"github.com/google/uuid"

	"evens/money"
)

// What a line says of a coupon is held against the books by the target rule: its rounding, its nominal, its words.
func TestCouponLinesAreJudgedByTheTargetRule(t *testing.T) {
	t.Parallel()
	amount := money.MustParse
	yen := couponPair{stake: amount("15"), sent: amount("15"), coef: 1_960_000, possible: amount("29.40"), currency: "JPY", sentIn: "JPY"}
	nominal := couponPair{stake: amount("150"), sent: amount("1"), nominal: true, coef: 1_995_000, possible: amount("299.25"), currency: "USD", sentIn: "USD"}
	for name, test := range map[string]struct {
		pair   couponPair
		ours   Status
		payout string
		theirs Status
		words  string
		amount string // "" for none
		want   string
	}{
		"yen, not rounded":                     {yen, Won, "29", Won, "2/0", "29.40", "[]"},
		"yen, rounded":                         {yen, Won, "29", Won, "2/0", "29", "[]"},
		"yen, in a file":                       {yen, Won, "29", Won, "", "29.40", "[]"},
		"yen, another":                         {yen, Won, "29", Won, "2/0", "28", "[amount]"},
		"yen, lost, what it could have won":    {yen, Lost, "0", Lost, "4/0", "29", "[]"},
		"a nominal of 1":                       {nominal, Won, "299.25", Won, "2/0", "2.00", "[]"},
		"a nominal of 1, in a file":            {nominal, Won, "299.25", Won, "", "2.00", "[]"},
		"a nominal, nothing said":              {nominal, Won, "299.25", Won, "2/0", "", "[]"},
		"a nominal, a voided leg, in a file":   {nominal, Won, "225", Won, "", "1.50", "[]"},
		"a nominal, a voided leg, as BeT":      {nominal, Won, "225", Won, "2/1", "1.50", "[]"},
		"a nominal, other legs, in a file":     {nominal, Won, "299.25", Won, "", "1.50", "[amount]"},
		"a nominal, paid otherwise":            {nominal, Won, "300", Won, "2/0", "2.00", "[amount]"},
		"a nominal of nothing":                 {nominal, Won, "299.25", Won, "2/0", "0", "[amount]"},
		"open here, won for nothing":           {yen, Open, "0", Won, "2/0", "0", "[status]"},
		"refunded, and nothing said":           {yen, Refunded, "15", Refunded, "", "", "[]"},
		"refunded, and the stake":              {yen, Refunded, "15", Refunded, "", "15", "[]"},
		"refunded, and less":                   {yen, Refunded, "15", Refunded, "", "4", "[amount]"},
		"refunded here, won the stake in file": {yen, Refunded, "15", Won, "", "15", "[]"},
	} {
		p := test.pair
		p.there, p.id = true, uuid.NullUUID{UUID: uuid.New(), Valid: true}
		p.ours, p.payout, p.status, p.words = test.ours, amount(test.payout), test.theirs, test.words
		if test.amount != "" {
			p.told, p.amount = true, amount(test.amount)
		}
		if got := fmt.Sprint(p.classify()); got != test.want {
			t.Errorf("%s: %s, want %s", name, got, test.want)
		}
	}
}
