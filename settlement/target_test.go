package settlement

import (
	"encoding/json"
	"errors"
	"os"
	"testing"

	"pgregory.net/rapid"

	"evens/money"
)

// vector is one case made by another implementation of the same rule.
type vector struct {
	Mode      string
	Stake     string
	Coef      string
	Sent      string
	Status    int
	ExtStatus int     `json:"ext_status"`
	AmountOut *string `json:"amount_out"`
	Target    string
	Outcome   string
	Parked    bool
	Why       string
}

func (v vector) terms(t testing.TB, currency money.Currency) Terms {
	t.Helper()
	coef, err := money.ParseCoef(v.Coef)
	if err != nil {
		t.Fatal(err)
	}
	terms := Terms{Stake: money.MustParse(v.Stake), Sent: money.MustParse(v.Sent), Nominal: v.Mode == "nominal", Coef: coef, Currency: currency}
	if terms.PossibleWin, err = coef.Times(terms.Stake, currency); err != nil {
		t.Fatal(err)
	}
	return terms
}

func TestTargetAgreesWithOtherImplementations(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("testdata/targets.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Currency money.Currency
		Cases    []vector
	}
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Cases) < 200 {
		t.Fatalf("%d cases: the file is not whole", len(file.Cases))
	}
	for i, v := range file.Cases {
		word := Word{Status: v.Status, ExtStatus: v.ExtStatus}
		if v.AmountOut != nil {
			word.AmountOut, word.HasAmount = money.MustParse(*v.AmountOut), true
		}
		verdict, err := Target(v.terms(t, file.Currency), word)
		if _, parked := errors.AsType[*ParkedError](err); parked != v.Parked {
			t.Errorf("case %d (%s): parked = %t (%v), want %t", i, v.Why, parked, err, v.Parked)
			continue
		}
		if !v.Parked && (verdict.Payout != money.MustParse(v.Target) || string(verdict.Outcome) != v.Outcome) {
			t.Errorf("case %d (%s) = %s %s, want %s %s", i, v.Why, verdict.Outcome, verdict.Payout, v.Outcome, v.Target)
		}
	}
}

// The table of the doc comment, row by row, with what lies beside it.
func TestTarget(t *testing.T) {
	t.Parallel()
	amount := func(text string) Word { return Word{AmountOut: money.MustParse(text), HasAmount: true} }
	with := func(w Word, status, ext int) Word { w.Status, w.ExtStatus = status, ext; return w }
	real := vector{Mode: "real", Stake: "10.00", Coef: "2.50", Sent: "10.00"}
	nominal := vector{Mode: "nominal", Stake: "10.00", Coef: "2.50", Sent: "1000.00"}
	for _, test := range []struct {
		name  string
		terms vector
		word  Word
		want  string // outcome and payout, or "parked"
	}{
		{"lost: AmountOut is only what could have been won", real, with(amount("25.00"), 4, 0), "lost 0.00"},
		{"lost with a changed leg", real, with(amount("25.00"), 4, 1), "lost 0.00"},
		{"lost without AmountOut", real, Word{Status: 4}, "lost 0.00"},
		{"lost with a negative AmountOut", real, with(amount("-3"), 4, 0), "lost 0.00"},
		{"won", real, with(amount("25.00"), 2, 0), "won 25.00"},
		{"won less than it could: BeT's word holds", real, with(amount("24.00"), 2, 0), "won 24.00"},
		{"won under a nominal: stake × coefficient", nominal, with(amount("2500.00"), 2, 0), "won 25.00"},
		{"won under a nominal, BeT's coefficient rounded", nominal, with(amount("2505.00"), 2, 0), "won 25.00"},
		{"won under a nominal, at a coefficient that is not ours", nominal, with(amount("2350.00"), 2, 0), "parked"},
		{"won under a nominal, far too little", nominal, with(amount("1.00"), 2, 0), "parked"},
		{"won under a nominal, far too much", nominal, with(amount("2600.00"), 2, 0), "parked"},
		{"won under a nominal, without AmountOut", nominal, Word{Status: 2}, "won 25.00"},
		{"a single's match voided", real, with(amount("10.00"), 2, 1), "refunded 10.00"},
		{"voided, no AmountOut", real, Word{Status: 2, ExtStatus: 1}, "refunded 10.00"},
		{"an express with one leg voided", real, with(amount("17.30"), 2, 1), "won 17.30"},
		{"voided under a nominal", nominal, with(amount("1000.00"), 2, 1), "refunded 10.00"},
		{"an express with one leg voided, under a nominal", nominal, with(amount("1730.00"), 2, 1), "won 17.30"},
		{"half a cent goes to the player", real, with(amount("17.305"), 2, 0), "won 17.31"},
		{"pays more than it could win", real, with(amount("25.01"), 2, 0), "parked"},
		{"pays more than it could win, with a voided leg", real, with(amount("25.01"), 2, 1), "parked"},
		{"pays more than it could win, under a nominal", nominal, with(amount("2600.00"), 2, 1), "parked"},
		{"won without AmountOut", real, Word{Status: 2}, "parked"},
		{"won nothing", real, with(amount("0"), 2, 0), "parked"},
		{"won a negative amount", real, with(amount("-25.00"), 2, 0), "parked"},
		{"a status nobody knows", real, with(amount("25.00"), 3, 0), "parked"},
		{"an ExtStatus nobody knows", real, with(amount("25.00"), 2, 7), "parked"},
		{"more than can be counted", nominal, with(amount("900000000000"), 2, 1), "parked"},
		{"more than the largest amount", vector{Mode: "nominal", Stake: "1000000000000", Coef: "2.50", Sent: "1.00"}, with(amount("2.50"), 2, 0), "parked"},
	} {
		verdict, err := Target(test.terms.terms(t, "USD"), test.word)
		got := string(verdict.Outcome) + " " + verdict.Payout.String()
		if _, parked := errors.AsType[*ParkedError](err); parked {
			got = "parked"
		} else if err != nil {
			t.Errorf("%s: %v", test.name, err)
		}
		if got != test.want {
			t.Errorf("%s: %s, want %s (%v)", test.name, got, test.want, err)
		}
	}
}

// Whatever BeT sends, a payout is never negative, never above what the coupon could win (but for
// a cent of the nominal), and a lost coupon pays nothing.
func TestTargetStaysWithinBounds(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		terms := Terms{
			Stake:   money.Amount(rapid.Int64Range(1, 1_000_000).Draw(t, "stake in cents") * 100),
			Coef:    money.Coef(rapid.Int64Range(100, 100_000).Draw(t, "coef in hundredths") * 10_000),
			Nominal: rapid.Bool().Draw(t, "nominal"), Currency: "USD",
		}
		terms.Sent = terms.Stake
		if terms.Nominal {
			terms.Sent = 1000 * money.Scale
		}
		win, err := terms.Coef.Times(terms.Stake, "USD")
		if err != nil {
			t.Skip("out of range")
		}
		terms.PossibleWin = win
		word := Word{
			Status: rapid.IntRange(0, 5).Draw(t, "status"), ExtStatus: rapid.IntRange(-1, 2).Draw(t, "ext"),
			AmountOut: money.Amount(rapid.Int64().Draw(t, "amount")), HasAmount: rapid.Bool().Draw(t, "has amount"),
		}
		verdict, err := Target(terms, word)
		if err != nil {
			return
		}
		cent := terms.Stake/terms.Sent*100 + 100
		if verdict.Payout < 0 || verdict.Payout > max(win, terms.Stake)+cent {
			t.Fatalf("%+v of %+v pays %s", word, terms, verdict.Payout)
		}
		if (verdict.Outcome == Lost) != (word.Status == 4) || verdict.Outcome == Lost && verdict.Payout != 0 {
			t.Fatalf("status %d: %s %s", word.Status, verdict.Outcome, verdict.Payout)
		}
	})
}
