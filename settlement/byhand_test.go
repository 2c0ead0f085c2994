package settlement_test

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"evens/coupon"
	"evens/coupon/bet"
	"evens/money"
	"evens/settlement"
	"evens/wallet"
)

// parkedID is the only parked result's id.
func (s *shop) parkedID(attention string) int64 {
	s.t.Helper()
	waiting, err := s.settler.Waiting(s.t.Context(), 100)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, w := range waiting {
		if w.Attention == attention {
			return w.ID
		}
	}
	s.t.Fatalf("nothing waits with %s: %+v", attention, waiting)
	return 0
}

func byHand(id int64) settlement.Decision {
	return settlement.Decision{Result: id, Operator: "ops@example.com", Comment: "BeT confirmed it"}
}

// A result from the future waits for a person, and blocks no correction that comes after it.
func TestAResultFromTheFuture(t *testing.T) {
	t.Parallel()
	s := open(t, settlement.Guard{})
	c := s.place(s.player("100.00"), "10.00", "2.50")
	ahead := won(c.BetCode, 0, "25.00")
	ahead.DecidedAt = s.clock.Now().Add(settlement.Skew + time.Second)
	s.settle(ahead)
	s.is(c, coupon.Accepted, "0.00", "90.00")
	s.settle(lost(c.BetCode, 3))
	s.is(c, coupon.Lost, "0.00", "90.00")
	if err := mustDecide(s, byHand(s.parkedID("future"))); err != nil {
		t.Fatal(err)
	}
	s.is(c, coupon.Won, "25.00", "115.00")
	within := won(c.BetCode, 0, "24.00") // applied by hand, it blocks no later correction either
	within.DecidedAt = s.clock.Now().Add(settlement.Skew)
	s.settle(within)
	s.is(c, coupon.Won, "24.00", "114.00")
}

// An older word that waited does not beat BeT's newer one, unless a person forces it; BeT's repeat of the newer
// word holds again.
func TestAnOlderWordByHand(t *testing.T) {
	t.Parallel()
	s := open(t, settlement.Guard{})
	c := s.place(s.player("100.00"), "10.00", "2.50")
	s.settle(said(c.BetCode, 1, 2, 0, "99.00")) // more than it could win
	s.settle(won(c.BetCode, 2, "25.00"))
	older := byHand(s.parkedID("makes_no_sense"))
	nothing := money.Amount(0)
	older.Payout = &nothing
	_, err := s.settler.Decide(t.Context(), older)
	if newer, ok := errors.AsType[*settlement.NewerWordError](err); !ok || newer.Result == 0 {
		t.Fatalf("an older word was applied: %v", err)
	}
	s.is(c, coupon.Won, "25.00", "115.00")
	older.Force = true
	if _, err := s.settler.Decide(t.Context(), older); err != nil {
		t.Fatal(err)
	}
	s.is(c, coupon.Lost, "0.00", "90.00")
	s.settle(said(c.BetCode, 1, 2, 0, "99.00")) // the forced word itself, again: nothing
	s.is(c, coupon.Lost, "0.00", "90.00")
	s.settle(won(c.BetCode, 2, "25.00"))
	s.is(c, coupon.Won, "25.00", "115.00")
	s.settle(won(c.BetCode, 2, "25.00"))
	if n := len(s.read(c.ID).Settlements); n != 3 {
		t.Errorf("settled %d times, want 3", n)
	}
}

// A word that waits for a person is older than one that is on its way.
func TestAnOlderWordByHandBesideOneOnItsWay(t *testing.T) {
	t.Parallel()
	s := open(t, settlement.Guard{})
	c := s.place(s.player("100.00"), "10.00", "2.50")
	s.settle(said(c.BetCode, 1, 3, 0, "1.00"))
	s.push(won(c.BetCode, 2, "25.00"))
	half := money.MustParse("5.00")
	older := byHand(s.parkedID("makes_no_sense"))
	older.Payout = &half
	if err := mustDecide(s, older); err == nil {
		t.Error("an older word was applied")
	}
	s.work()
	s.is(c, coupon.Won, "25.00", "115.00")
}

// staked is what the ledger counts as staked by a player.
func (s *shop) staked(player uuid.UUID) string {
	s.t.Helper()
	var sum money.Amount
	err := s.db.Pool.QueryRow(s.t.Context(), `SELECT coalesce(sum(staked), 0)::bigint FROM transactions WHERE player_id = $1`, player).Scan(&sum)
	if err != nil {
		s.t.Fatal(err)
	}
	return sum.String()
}

// What a coupon counts as staked follows from its last word, whatever came before: every order of four words,
// in one push and one by one.
func TestUsageIsATarget(t *testing.T) {
	t.Parallel()
	s := open(t, settlement.Guard{})
	words := []func(code string, minute int) settlement.Head{
		lost,
		func(code string, minute int) settlement.Head { return void(code, minute, "40.00") },
		func(code string, minute int) settlement.Head { return won(code, minute, "80.00") },
		func(code string, minute int) settlement.Head { return won(code, minute, "40.00") }, // as much as the stake
	}
	for n, order := range orders(len(words)) {
		p := s.player("100.00")
		c := s.place(p, "40.00", "2.00")
		for minute, i := range order {
			s.push(words[i](c.BetCode, 1+minute))
			if n%2 == 0 {
				s.work()
			}
		}
		s.work()
		want := "40.00"
		if order[len(order)-1] == 1 {
			want = "0.00"
		}
		if got := s.staked(p); got != want {
			t.Errorf("order %v: staked %s, want %s", order, got, want)
		}
	}
}

// orders are all permutations of 0 … n−1.
func orders(n int) [][]int {
	if n == 0 {
		return [][]int{{}}
	}
	var all [][]int
	for _, shorter := range orders(n - 1) {
		for at := range n {
			all = append(all, slices.Insert(slices.Clone(shorter), at, n-1))
		}
	}
	return all
}

// A refunded coupon that is won for as much as its stake counts towards the bonus, though nothing moves.
func TestWageringOfACouponThatIsWonForItsStake(t *testing.T) {
	t.Parallel()
	s := open(t, settlement.Guard{})
	p := s.player("10.00")
	s.grant(p, "100.00", 40)
	c := s.place(p, "40.00", "2.00")
	s.settle(void(c.BetCode, 1, "40.00"))
	s.pockets(p, "10.00", "100.00", "0.00")
	s.settle(won(c.BetCode, 2, "40.00"))
	s.pockets(p, "10.00", "100.00", "40.00")
}

// A coupon is cancelled from wherever it stands: its stake goes back, payouts are taken back, usage and wagering
// too, and later results wait for a person.
func TestCancel(t *testing.T) {
	t.Parallel()
	s := open(t, settlement.Guard{})
	for name, words := range map[string]func(code string) []settlement.Head{
		"accepted": func(string) []settlement.Head { return nil },
		"won":      func(code string) []settlement.Head { return []settlement.Head{won(code, 1, "25.00")} },
		"lost":     func(code string) []settlement.Head { return []settlement.Head{lost(code, 1)} },
		"refunded": func(code string) []settlement.Head { return []settlement.Head{void(code, 1, "10.00")} },
		"resettled": func(code string) []settlement.Head {
			return []settlement.Head{won(code, 1, "25.00"), lost(code, 2), won(code, 3, "20.00")}
		},
	} {
		p := s.player("100.00")
		c := s.place(p, "10.00", "2.50")
		for _, word := range words(c.BetCode) {
			s.settle(word)
		}
		before := s.cash(p)
		wish := settlement.Cancellation{Coupon: c.ID, Operator: "ops@example.com", Comment: "wrong match", DryRun: true}
		look, err := s.settler.Cancel(t.Context(), wish)
		if err != nil || look.CashFrom.String() != before || look.CashTo.String() != "100.00" || s.cash(p) != before {
			t.Errorf("%s: a look: %+v, %v; cash %s", name, look, err, s.cash(p))
		}
		wish.DryRun = false
		done, err := s.settler.Cancel(t.Context(), wish)
		if err != nil || done != look {
			t.Errorf("%s: %+v, %v, want %+v", name, done, err, look)
		}
		s.is(c, coupon.Cancelled, "10.00", "100.00")
		if got := s.staked(p); got != "0.00" {
			t.Errorf("%s: staked %s", name, got)
		}
		if _, err := s.settler.Cancel(t.Context(), wish); err == nil {
			t.Errorf("%s: cancelled twice", name)
		}
		s.settle(won(c.BetCode, 9, "25.00"))
		s.is(c, coupon.Cancelled, "10.00", "100.00")
	}
	if states := s.states(); states["parked coupon_state"] != 5 {
		t.Errorf("results: %v", states)
	}
}

func TestCancelRefuses(t *testing.T) {
	t.Parallel()
	s := open(t, settlement.Guard{})
	p := s.player("100.00")
	s.bet = func(bet.Ticket) (bet.Answer, error) {
		return bet.Answer{}, &bet.Rejection{Code: "odds", Message: "changed"}
	}
	rejected, err := s.desk.Place(t.Context(), order(p, "10.00", "2.00"))
	if err != nil {
		t.Fatal(err)
	}
	s.bet = func(bet.Ticket) (bet.Answer, error) { return bet.Answer{}, errLost }
	unconfirmed, err := s.desk.Place(t.Context(), order(p, "10.00", "2.00"))
	if err != nil {
		t.Fatal(err)
	}
	wish := settlement.Cancellation{Coupon: rejected.ID, Operator: "o", Comment: "c"}
	if _, err := s.settler.Cancel(t.Context(), wish); err == nil {
		t.Error("a rejected coupon was cancelled")
	}
	wish.Coupon = uuid.New()
	if _, err := s.settler.Cancel(t.Context(), wish); !errors.Is(err, coupon.ErrNotFound) {
		t.Errorf("no coupon: %v", err)
	}
	wish.Coupon, wish.Comment = unconfirmed.ID, ""
	if _, err := s.settler.Cancel(t.Context(), wish); err == nil {
		t.Error("without a comment")
	}
	wish.Comment = "BeT does not have it"
	if _, err := s.settler.Cancel(t.Context(), wish); err != nil {
		t.Fatal(err)
	}
	s.is(unconfirmed, coupon.Cancelled, "10.00", "100.00")
}

// A payout that was spent is taken back below zero.
func TestCancelOfACouponWhosePayoutWasSpent(t *testing.T) {
	t.Parallel()
	s := open(t, settlement.Guard{})
	p := s.player("10.00")
	s.grant(p, "30.00", 40)
	c := s.place(p, "40.00", "2.50")
	s.settle(won(c.BetCode, 1, "100.00")) // 25 of cash, 75 of bonus
	s.place(p, "100.00", "2.00")
	if _, err := s.settler.Cancel(t.Context(), settlement.Cancellation{Coupon: c.ID, Operator: "o", Comment: "c"}); err != nil {
		t.Fatal(err)
	}
	s.pockets(p, "-15.00", "-45.00", "0.00")
}

// One coupon whose arithmetic overflows is parked; its neighbours are paid, and the audit still runs.
func TestACulpritHoldsUpNobody(t *testing.T) {
	t.Parallel()
	s := open(t, settlement.Guard{})
	var heads []settlement.Head
	var coupons []coupon.Coupon
	for i := range 9 {
		p := s.player("100.00")
		c := s.place(p, "10.00", "2.50")
		coupons, heads = append(coupons, c), append(heads, won(c.BetCode, 1, "25.00"))
		if i == 3 || i == 4 {
			_, err := wallet.Deposit(t.Context(), s.poster, wallet.Cash{
				Player: p, Amount: math.MaxInt64 - money.MustParse("100.00"), Currency: "USD", Method: "pix", TransactionID: fmt.Sprint("huge", i), At: s.clock.Now(),
			})
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	s.settle(heads...)
	for i, c := range coupons {
		if i == 3 || i == 4 {
			if now := s.read(c.ID); now.Status != coupon.Accepted {
				t.Errorf("coupon %d is %s", i, now.Status)
			}
			continue
		}
		s.is(c, coupon.Won, "25.00", "115.00")
	}
	if states := s.states(); states["parked cannot_settle"] != 2 || states["applied"] != 7 {
		t.Errorf("results: %v", states)
	}
	var open int
	if err := s.db.Pool.QueryRow(t.Context(), `SELECT count(*) FROM result_chunks WHERE done_at IS NULL`).Scan(&open); err != nil || open != 0 {
		t.Errorf("%d chunks are open, %v", open, err)
	}
}

// A result whose BarCode nobody has names the coupon that it fits, and only that.
func TestUnknownBarCodesNameTheLikelyCoupon(t *testing.T) {
	t.Parallel()
	s := open(t, settlement.Guard{})
	s.bet = func(bet.Ticket) (bet.Answer, error) { return bet.Answer{}, errLost }
	p := s.player("100.00")
	fits, err := s.desk.Place(t.Context(), order(p, "10.00", "2.50"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.desk.Place(t.Context(), order(p, "10.00", "3.50")); err != nil {
		t.Fatal(err)
	}
	s.clock.forward(20 * time.Minute)
	if err := s.desk.Confirm(t.Context(), fits.ID); err != nil { // given up: its stake went back
		t.Fatal(err)
	}
	late := won("stranger", 0, "25.00")
	late.DecidedAt = s.clock.Now()
	other := late
	other.BarCode, other.AmountOut = "other", money.MustParse("26.00")
	s.settle(late, other)
	waiting, err := s.settler.Waiting(t.Context(), 10)
	if err != nil || len(waiting) != 2 {
		t.Fatal(waiting, err)
	}
	for _, w := range waiting {
		switch {
		case w.BarCode == "stranger" && (len(w.Likely) != 1 || w.Likely[0].Coupon != fits.ID):
			t.Errorf("%s: %+v", w.BarCode, w.Likely)
		case w.BarCode == "other" && len(w.Likely) != 0:
			t.Errorf("%s: %+v", w.BarCode, w.Likely)
		}
	}
}

// Cancelling, adopting and settling meet on the same coupons: whoever comes first, the books are even, and a
// cancelled coupon has paid its stake.
func TestByHandAndByItselfAtOnce(t *testing.T) {
	t.Parallel()
	s := open(t, settlement.Guard{})
	for round := range 6 {
		p := s.player("100.00")
		open, accepted := s.unconfirmed(p, "10.00", "2.50"), s.place(p, "10.00", "2.50")
		theirs := fmt.Sprint("theirs", round)
		s.push(won(theirs, 1, "25.00"), won(accepted.BetCode, 1, "25.00"), lost(accepted.BetCode, 2))
		chunks := s.bell.take()
		var wg sync.WaitGroup
		for range 2 {
			for _, id := range []uuid.UUID{open.ID, accepted.ID} {
				wg.Go(func() {
					_, _ = s.settler.Cancel(t.Context(), settlement.Cancellation{Coupon: id, Operator: "o", Comment: "c"})
				})
			}
			wg.Go(func() {
				_, _ = s.desk.AdoptByHand(t.Context(), coupon.Adoption{Coupon: open.ID, BetCode: theirs, Operator: "o", Comment: "c"})
			})
			wg.Go(func() {
				for _, chunk := range chunks {
					if err := s.settler.Apply(t.Context(), chunk.ID); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		for _, id := range []uuid.UUID{open.ID, accepted.ID} {
			if now := s.read(id); now.Status != coupon.Cancelled || now.Payout.String() != "10.00" {
				t.Errorf("round %d: %s %s", round, now.Status, now.Payout)
			}
		}
		if cash := s.cash(p); cash != "100.00" {
			t.Errorf("round %d: cash %s", round, cash)
		}
	}
}
