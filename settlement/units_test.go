package settlement

import (
	"testing"

	"github.com/jackc/pgx/v5/pgtype"
	"pgregory.net/rapid"

	"evens/money"
)

// Payouts and what they are held against are rounded alike, by ISO 4217's units; a stake comes back as
// it went.
func TestTargetsFollowTheCurrencysUnit(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, currency, stake, coef, nominal string
		ext                                  int
		out, want                            string
	}{
		{"a cent is a cent", "RSD", "10.00", "1.24", "", 0, "12.40", "won 12.40"},
		{"all that it could win", "RSD", "10.00", "1.99", "", 0, "19.90", "won 19.90"},
		{"a refund", "RSD", "10.40", "1.99", "", 1, "10.40", "refunded 10.40"},
		{"half a yen above", "JPY", "15", "1.99", "", 0, "29.85", "won 30.00"},
		{"half a yen below", "JPY", "15", "1.95", "", 0, "29.25", "won 29.00"},
		{"a yen more than it could win", "JPY", "15", "1.99", "", 0, "31", "parked"},
		{"half a yen under a nominal", "JPY", "15", "1.99", "1000", 1, "1990", "won 30.00"},
		{"thousandths", "KWD", "1.001", "2.5", "", 0, "2.5025", "won 2.503"},
		{"an old stake of more decimals, refunded", "USD", "10.4050", "2", "", 1, "10.4050", "refunded 10.405"},
		{"refunded in whole cents", "USD", "10.4050", "2", "", 1, "10.41", "refunded 10.405"},
		{"refunded under a nominal", "JPY", "10.4", "2", "1000", 1, "1000", "refunded 10.40"},
		{"refunded without an amount", "JPY", "10.4", "2", "", 1, "", "refunded 10.40"},
	} {
		coef, _ := money.ParseCoef(test.coef)
		terms := Terms{Stake: money.MustParse(test.stake), Coef: coef, Currency: money.Currency(test.currency)}
		terms.PossibleWin, _ = terms.Stake.MulDiv(int64(coef), money.CoefScale, 1)
		terms.Sent = terms.Stake
		if test.nominal != "" {
			terms.Sent, terms.Nominal = money.MustParse(test.nominal), true
		}
		word := Word{Status: 2, ExtStatus: test.ext}
		if test.out != "" {
			word.AmountOut, word.HasAmount = money.MustParse(test.out), true
		}
		verdict, err := Target(terms, word)
		got := string(verdict.Outcome) + " " + verdict.Payout.String()
		if err != nil {
			got = "parked"
		}
		if got != test.want {
			t.Errorf("%s: %s %s, AmountOut %s: %s, want %s (%v)", test.name, test.stake, test.currency, test.out, got, test.want, err)
		}
	}
}

// No AmountOut up to what a coupon could win is parked for its rounding, in no currency.
func TestWhatCouldBeWonIsPaid(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		currency := money.Currency(rapid.SampledFrom([]string{"USD", "JPY", "KWD", "CLF", "RSD", "IQD"}).Draw(t, "currency"))
		terms := Terms{Currency: currency, Coef: money.Coef(rapid.Int64Range(1_000_000, 90_000_000).Draw(t, "coef"))}
		terms.Stake = money.Amount(rapid.Int64Range(1, 1e6).Draw(t, "stake")) * currency.MinorUnit()
		terms.Sent = terms.Stake
		terms.PossibleWin, _ = terms.Stake.MulDiv(int64(terms.Coef), money.CoefScale, 1)
		out := money.Amount(rapid.Int64Range(int64(terms.PossibleWin)/2, int64(terms.PossibleWin)).Draw(t, "out"))
		verdict, err := Target(terms, Word{Status: 2, AmountOut: out, HasAmount: true})
		rounded, _ := out.Round(currency.MinorUnit())
		if rounded == 0 {
			return
		}
		if err != nil || verdict.Payout != rounded {
			t.Fatalf("%s %s at %s, AmountOut %s: %s, %v", terms.Stake, currency, terms.Coef, out, verdict.Payout, err)
		}
	})
}

// What was shared by whole dinars is taken back by whole dinars, what was shared by paras by paras.
func TestAPayoutIsTakenBackAsItWasShared(t *testing.T) {
	t.Parallel()
	c := held{bonusStake: money.MustParse("5"), payout: money.MustParse("15"), terms: Terms{Stake: money.MustParse("10"), Currency: "RSD"}}
	for _, test := range []struct {
		unit        pgtype.Int8
		cash, bonus string
	}{
		{pgtype.Int8{}, "7.00", "8.00"},
		{pgtype.Int8{Int64: 100, Valid: true}, "7.50", "7.50"},
	} {
		c.paidUnit = test.unit
		split, err := c.paidShare()
		if err != nil || split.Cash != money.MustParse(test.cash) || split.Bonus != money.MustParse(test.bonus) {
			t.Errorf("unit %v: %s and %s, %v, want %s and %s", test.unit, split.Cash, split.Bonus, err, test.cash, test.bonus)
		}
	}
}
