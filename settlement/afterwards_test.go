package settlement_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/google/uuid"

	"evens/money"
	"evens/settlement"
	"evens/wallet"
)

// A stake that came back is not used of a limit: of 100.00 a day, 60.00 were staked and came back, so 90.00 may be
// staked; 60.00 that were lost may not be staked again.
func TestWhatComesBackIsNotUsedOfALimit(t *testing.T) {
	t.Parallel()
	s := open(t, settlement.Guard{})
	rules := wallet.NewRulebook(s.books, 0, s.clock.Now)
	limited := func() uuid.UUID {
		p := s.player("500.00")
		var wish wallet.Wish
		wish.Caps[wallet.Wagers][wallet.Daily] = &wallet.Cap{Amount: money.MustParse("100.00"), Set: true}
		if _, err := rules.Change(t.Context(), p, wish, "ana", ""); err != nil {
			t.Fatal(err)
		}
		return p
	}
	used := func(p uuid.UUID) string {
		view, err := rules.Read(t.Context(), p)
		if err != nil {
			t.Fatal(err)
		}
		return view.Used[wallet.Wagers][wallet.Daily].String()
	}
	ana, bob, eve := limited(), limited(), limited()
	refunded, lose := s.place(ana, "60.00", "2.00"), s.place(bob, "60.00", "2.00")
	s.place(eve, "60.00", "2.00")
	s.settle(void(refunded.BetCode, 1, "60.00"), lost(lose.BetCode, 1))
	if got := []string{used(ana), used(bob), used(eve)}; !slices.Equal(got, []string{"0.00", "60.00", "60.00"}) {
		t.Errorf("used %v", got)
	}
	s.place(ana, "90.00", "2.00")
	for _, p := range []uuid.UUID{bob, eve} {
		if _, err := s.desk.Place(t.Context(), order(p, "40.01", "2.00")); !errors.Is(err, wallet.ErrLimitExceeded) {
			t.Errorf("more than the limit: %v", err)
		}
		s.place(p, "40.00", "2.00")
	}
	s.settle(won(refunded.BetCode, 2, "120.00")) // it counts again
	if got := []string{used(ana), used(bob), used(eve)}; !slices.Equal(got, []string{"150.00", "100.00", "100.00"}) {
		t.Errorf("used %v", got)
	}
}
