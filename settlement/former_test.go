package settlement_test

import (
	"testing"

	"evens/coupon"
	"evens/money"
	"evens/player"
	"evens/settlement"
	"evens/wallet"
)

// A payout that an earlier release rounded to whole dinars stays right in the books, and is corrected
// by the units of today.
func TestOlderPayoutsAreJudgedByTheUnitOfTheirTime(t *testing.T) {
	t.Parallel()
	s := open(t, settlement.Guard{})
	p, _, err := s.players.Create(t.Context(), player.Registration{ExternalID: "rs", Name: "P", Email: "p@example.com", Currency: "RSD"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err = wallet.Deposit(t.Context(), s.poster, wallet.Cash{
		Player: p.ID, Amount: money.MustParse("100"), Currency: "RSD", Method: "card", TransactionID: "d", At: s.clock.Now(),
	}); err != nil {
		t.Fatal(err)
	}
	place := func(stake string) coupon.Coupon {
		o := order(p.ID, stake, "2.00")
		o.Currency = "RSD"
		placed, err := s.desk.Place(t.Context(), o)
		if err != nil || placed.Status != coupon.Accepted {
			t.Fatalf("%s, %v", placed.Status, err)
		}
		return placed
	}
	won12, refunded := place("10.00"), place("10.40")
	// The former rule's payouts, by hand; then as if no hand had been in it.
	s.settle(said(won12.BetCode, 1, 2, 7, "12.40"), said(refunded.BetCode, 1, 2, 7, "10.40"))
	waiting, err := s.settler.Waiting(t.Context(), 10)
	if err != nil || len(waiting) != 2 {
		t.Fatalf("%d wait, %v", len(waiting), err)
	}
	for _, w := range waiting {
		whole := money.MustParse("12.00")
		if w.BarCode == refunded.BetCode {
			whole = money.MustParse("10.00")
		}
		if _, err := s.settler.Decide(t.Context(), settlement.Decision{Result: w.ID, Operator: "o", Comment: "c", Payout: &whole}); err != nil {
			t.Fatal(err)
		}
	}
	for _, statement := range []string{
		`ALTER TABLE settlements DISABLE TRIGGER settlements_append_only`,
		`UPDATE settlements SET operator = NULL, comment = NULL, unit = NULL`,
		`ALTER TABLE settlements ENABLE TRIGGER settlements_append_only`,
		`ALTER TABLE transactions DISABLE TRIGGER transactions_append_only`,
		`UPDATE transactions SET operator = NULL, comment = NULL WHERE source = 'settlement'`,
		`ALTER TABLE transactions ENABLE TRIGGER transactions_append_only`,
		`UPDATE results SET ext_status = CASE WHEN amount_out = 104000 THEN 1 ELSE 0 END`,
	} {
		if _, err := s.db.Pool.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	s.audit()
	s.is(won12, coupon.Won, "12.00", "101.60")

	s.settle(won(won12.BetCode, 2, "12.40"), void(refunded.BetCode, 2, "10.40"))
	s.is(won12, coupon.Won, "12.40", "102.40")
	s.is(refunded, coupon.Refunded, "10.40", "102.40")
}
