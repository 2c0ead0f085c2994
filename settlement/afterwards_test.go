package settlement_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"evens/coupon"
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

// Chunks are forgotten that were done long ago: not those done of late, and not those that are open.
func TestOnlyOldDoneChunksAreForgotten(t *testing.T) {
	t.Parallel()
	s := open(t, settlement.Guard{})
	p := s.player("100.00")
	old, fresh, waits := s.place(p, "10.00", "2.50"), s.place(p, "10.00", "2.50"), s.place(p, "10.00", "2.50")
	s.settle(lost(old.BetCode, 1))
	s.clock.forward(2 * time.Hour)
	s.settle(lost(fresh.BetCode, 1))
	s.push(won(waits.BetCode, 1, "25.00"))
	left := func() []int64 {
		rows, err := s.db.Pool.Query(t.Context(), `SELECT result_ids[1] FROM result_chunks ORDER BY id`)
		if err != nil {
			t.Fatal(err)
		}
		ids, err := pgx.CollectRows(rows, pgx.RowTo[int64])
		if err != nil {
			t.Fatal(err)
		}
		return ids
	}
	if n, err := s.settler.DropDone(t.Context(), s.clock.Now().Add(-time.Hour)); err != nil || n != 1 {
		t.Errorf("forgot %d chunks, %v", n, err)
	}
	if got, want := left(), []int64{s.idOf(fresh.BetCode), s.idOf(waits.BetCode)}; !slices.Equal(got, want) {
		t.Errorf("chunks of the results %v are left, want %v", got, want)
	}
	// At the very moment it was done it is not older yet.
	if n, err := s.settler.DropDone(t.Context(), s.clock.Now()); err != nil || n != 0 {
		t.Errorf("forgot %d chunks, %v", n, err)
	}
	s.work()
	s.is(waits, coupon.Won, "25.00", "95.00")
}
