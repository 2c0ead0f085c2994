package settlement_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"evens/coupon"
	"evens/coupon/bet"
	"evens/money"
	"evens/money/threshold"
	"evens/settlement"
)

// Each story is what BeT says of one coupon of 10.00 at 2.50, placed by a player with 100.00,
// push by push; a push may hold several results.
func TestWhatResultsDo(t *testing.T) {
	t.Parallel()
	type pushes = [][]settlement.Head
	for _, test := range []struct {
		name         string
		say          func(code string) pushes
		status       coupon.Status
		payout, cash string
		settlements  []string // outcome and payout of each
	}{
		{"a win pays", func(c string) pushes { return pushes{{won(c, 1, "25.00")}} }, coupon.Won, "25.00", "115.00", []string{"won 25.00"}},
		{"a loss pays nothing", func(c string) pushes { return pushes{{lost(c, 1)}} }, coupon.Lost, "0.00", "90.00", []string{"lost 0.00"}},
		{"a voided match returns the stake", func(c string) pushes { return pushes{{void(c, 1, "10.00")}} }, coupon.Refunded, "10.00", "100.00", []string{"refunded 10.00"}},
		{"a voided match without AmountOut returns the stake", func(c string) pushes { return pushes{{void(c, 1, "")}} }, coupon.Refunded, "10.00", "100.00", []string{"refunded 10.00"}},
		{"an express with a voided leg wins less", func(c string) pushes { return pushes{{void(c, 1, "17.30")}} }, coupon.Won, "17.30", "107.30", []string{"won 17.30"}},
		{"the same push again pays once", func(c string) pushes { return pushes{{won(c, 1, "25.00")}, {won(c, 1, "25.00")}} }, coupon.Won, "25.00", "115.00", []string{"won 25.00"}},
		{"the same result twice in a push pays once", func(c string) pushes { return pushes{{won(c, 1, "25.00"), won(c, 1, "25.00")}} }, coupon.Won, "25.00", "115.00", []string{"won 25.00"}},
		{"the same said again later moves nothing", func(c string) pushes { return pushes{{won(c, 1, "25.00")}, {won(c, 2, "25.00")}} }, coupon.Won, "25.00", "115.00", []string{"won 25.00"}},
		{"win, then loss: taken back", func(c string) pushes { return pushes{{won(c, 1, "25.00")}, {lost(c, 2)}} }, coupon.Lost, "0.00", "90.00", []string{"won 25.00", "lost 0.00"}},
		{"loss, then win: paid", func(c string) pushes { return pushes{{lost(c, 1)}, {won(c, 2, "25.00")}} }, coupon.Won, "25.00", "115.00", []string{"lost 0.00", "won 25.00"}},
		{"win, loss, win", func(c string) pushes { return pushes{{won(c, 1, "25.00")}, {lost(c, 2)}, {won(c, 3, "25.00")}} }, coupon.Won, "25.00", "115.00", []string{"won 25.00", "lost 0.00", "won 25.00"}},
		{"refund, then win", func(c string) pushes { return pushes{{void(c, 1, "10.00")}, {won(c, 2, "25.00")}} }, coupon.Won, "25.00", "115.00", []string{"refunded 10.00", "won 25.00"}},
		{"win, then refund", func(c string) pushes { return pushes{{won(c, 1, "25.00")}, {void(c, 2, "10.00")}} }, coupon.Refunded, "10.00", "100.00", []string{"won 25.00", "refunded 10.00"}},
		{"refund, then a win of as much: no money, another word", func(c string) pushes { return pushes{{void(c, 1, "10.00")}, {won(c, 2, "10.00")}} }, coupon.Won, "10.00", "100.00", []string{"refunded 10.00", "won 10.00"}},
		{"an older result after a newer one changes nothing", func(c string) pushes { return pushes{{lost(c, 5)}, {won(c, 1, "25.00")}} }, coupon.Lost, "0.00", "90.00", []string{"lost 0.00"}},
		{"after a repetition, what was decided between is old", func(c string) pushes { return pushes{{lost(c, 1)}, {lost(c, 9)}, {won(c, 5, "25.00")}} }, coupon.Lost, "0.00", "90.00", []string{"lost 0.00"}},
		{"decided in the same second: the last to arrive holds", func(c string) pushes { return pushes{{won(c, 1, "25.00")}, {lost(c, 1)}} }, coupon.Lost, "0.00", "90.00", []string{"won 25.00", "lost 0.00"}},
		{"decided in the same second, in one push: the last in it holds", func(c string) pushes { return pushes{{won(c, 1, "25.00"), lost(c, 1)}} }, coupon.Lost, "0.00", "90.00", []string{"lost 0.00"}},
		{"several in one push, in disorder: the latest decision holds", func(c string) pushes { return pushes{{lost(c, 3), won(c, 4, "25.00"), lost(c, 2)}} }, coupon.Won, "25.00", "115.00", []string{"won 25.00"}},
		{"nonsense holds up nothing", func(c string) pushes { return pushes{{said(c, 9, 3, 0, "25.00"), won(c, 1, "25.00")}} }, coupon.Won, "25.00", "115.00", []string{"won 25.00"}},
		{"nonsense after a result changes nothing", func(c string) pushes { return pushes{{lost(c, 1)}, {won(c, 2, "99.00")}} }, coupon.Lost, "0.00", "90.00", []string{"lost 0.00"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := open(t, settlement.Guard{})
			c := s.place(s.player("100.00"), "10.00", "2.50")
			for _, heads := range test.say(c.BetCode) {
				s.settle(heads...)
			}
			s.is(c, test.status, test.payout, test.cash)
			var got []string
			for _, settled := range s.read(c.ID).Settlements {
				got = append(got, settled.Outcome+" "+settled.PayoutAfter.String())
			}
			if diff := cmp.Diff(test.settlements, got); diff != "" {
				t.Errorf("settlements (-want +got):\n%s", diff)
			}
		})
	}
}

func TestResultsEndInTheirState(t *testing.T) {
	t.Parallel()
	s := open(t, settlement.Guard{})
	p := s.player("100.00")
	a, b := s.place(p, "10.00", "2.50"), s.place(p, "10.00", "2.50")
	s.settle(won(a.BetCode, 5, "25.00"), lost(b.BetCode, 5))
	s.settle(won(a.BetCode, 6, "25.00"), lost(a.BetCode, 2), said(b.BetCode, 7, 8, 0, ""), lost("nobody", 1))
	want := map[string]int{"applied": 2, "duplicate": 1, "stale": 1, "parked makes_no_sense": 1, "pending unknown_bar_code": 1}
	if diff := cmp.Diff(want, s.states()); diff != "" {
		t.Errorf("results (-want +got):\n%s", diff)
	}
}

// The win was spent before it was taken back: the balance goes below zero, stakes are refused,
// and the next win makes it good.
func TestReversalOfMoneySpent(t *testing.T) {
	t.Parallel()
	s := open(t, settlement.Guard{})
	p := s.player("20.00")
	first, second := s.place(p, "10.00", "2.50"), s.place(p, "10.00", "2.50")
	s.settle(won(first.BetCode, 1, "25.00"))
	third := s.place(p, "25.00", "2.00")
	s.settle(lost(first.BetCode, 2))
	s.is(first, coupon.Lost, "0.00", "-25.00")
	if !s.refused(p, "0.01") {
		t.Error("a stake was taken from a balance below zero")
	}
	s.settle(won(second.BetCode, 3, "25.00"))
	s.is(second, coupon.Won, "25.00", "0.00")
	s.settle(void(third.BetCode, 3, "25.00"))
	s.is(third, coupon.Refunded, "25.00", "25.00")
}

// A chunk that is worked off twice, or by two workers at once, settles once.
func TestChunkAppliedByMany(t *testing.T) {
	t.Parallel()
	s := open(t, settlement.Guard{})
	p := s.player("1000.00")
	var heads []settlement.Head
	for range 40 {
		heads = append(heads, won(s.place(p, "10.00", "2.50").BetCode, 1, "25.00"))
	}
	s.push(heads...)
	chunks := s.bell.take()
	// The same results in a second chunk, as a sweep or an early greeting makes them.
	_, err := s.db.Pool.Exec(t.Context(), `INSERT INTO result_chunks (result_ids, rung_at) SELECT array_agg(id), now() FROM results`)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 4 {
		for _, id := range []int64{chunks[0].ID, chunks[0].ID + 1} {
			wg.Go(func() {
				if err := s.settler.Apply(context.Background(), id); err != nil {
					t.Error(err)
				}
			})
		}
	}
	wg.Wait()
	if got := s.cash(p); got != "1600.00" {
		t.Errorf("cash = %s, want 1600.00", got)
	}
}

// A chunk that this database does not have is another's: never done without a word.
func TestUnknownChunkIsAnError(t *testing.T) {
	t.Parallel()
	s := open(t, settlement.Guard{})
	s.push(won(s.place(s.player("1000.00"), "10.00", "2.50").BetCode, 1, "25.00"))
	chunk := s.bell.take()[0].ID
	if err := s.settler.Apply(t.Context(), chunk+1000); !errors.Is(err, settlement.ErrUnknownChunk) {
		t.Errorf("a chunk that is not there: %v, want ErrUnknownChunk", err)
	}
	for range 2 { // once more when it is done
		if err := s.settler.Apply(t.Context(), chunk); err != nil {
			t.Errorf("a chunk that is there: %v", err)
		}
	}
}

// Chunks that share players, worked off at once in every order, never deadlock.
func TestChunksThatShareCouponsAndPlayers(t *testing.T) {
	t.Parallel()
	s := open(t, settlement.Guard{Count: 10_000})
	var heads []settlement.Head
	players := 12
	ids := make([]coupon.Coupon, 0, 120)
	for i := range players {
		p := s.player("1000.00")
		for range 10 {
			c := s.place(p, "10.00", "2.50")
			ids = append(ids, c)
			heads = append(heads, won(c.BetCode, 1+i, "25.00"))
		}
	}
	for round := range 6 {
		for i := range heads {
			heads[i] = won(heads[i].BarCode, 10+round, "25.00")
			if round%2 == 1 {
				heads[i] = lost(heads[i].BarCode, 10+round)
			}
		}
		s.push(heads[:60]...)
		s.push(heads[60:]...)
		s.push(heads[30:90]...)
	}
	var wg sync.WaitGroup
	for _, chunk := range s.bell.take() {
		wg.Go(func() {
			if err := s.settler.Apply(context.Background(), chunk.ID); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for _, c := range ids {
		if now := s.read(c.ID); now.Status != coupon.Lost {
			t.Fatalf("coupon %s is %s, want lost: the last word", c.BetCode, now.Status)
		}
	}
}

// What no job came for, the sweep rings for again, under a new number.
func TestSweepRingsForLostChunks(t *testing.T) {
	t.Parallel()
	s := open(t, settlement.Guard{})
	c := s.place(s.player("100.00"), "10.00", "2.50")
	s.push(won(c.BetCode, 1, "25.00"))
	lost := s.bell.take()
	if n, err := s.settler.Sweep(t.Context()); err != nil || n != 0 {
		t.Fatalf("a sweep right away rang for %d chunks, %v: the job may still come", n, err)
	}
	s.rungEarlier(settlement.SweepPatience + time.Second)
	if n, err := s.settler.Sweep(t.Context()); err != nil || n != 1 {
		t.Fatalf("the sweep rang for %d chunks, %v, want 1", n, err)
	}
	again := s.bell.take()
	if again[0].ID != lost[0].ID || again[0].Rung != lost[0].Rung+1 {
		t.Errorf("rung %+v after %+v", again, lost)
	}
	s.bell.Ring(again)
	s.work()
	s.is(c, coupon.Won, "25.00", "115.00")
	if n, err := s.settler.Sweep(t.Context()); err != nil || n != 0 {
		t.Errorf("a sweep with nothing left rang for %d chunks, %v", n, err)
	}
}

// A result overtakes its placement's answer: it waits for its BarCode.
func TestResultBeforeItsCouponIsKnown(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		find func(s *shop, greeter *settlement.Greeter)
	}{
		{"found when the coupon is accepted", func(s *shop, greeter *settlement.Greeter) { s.accepted = greeter.Accepted }},
		{"found by the sweep", func(*shop, *settlement.Greeter) {}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := open(t, settlement.Guard{})
			greeter := settlement.NewGreeter(s.settler, nil)
			t.Cleanup(greeter.Close)
			test.find(s, greeter)
			s.bet = func(bet.Ticket) (bet.Answer, error) {
				code := s.nextCode()
				s.settle(won(code, 1, "25.00")) // comes, and is worked off, before we have answered
				return bet.Answer{BetCode: code}, nil
			}
			c := s.place(s.player("100.00"), "10.00", "2.50")
			for deadline := time.Now().Add(time.Minute); s.read(c.ID).Status != coupon.Won; time.Sleep(20 * time.Millisecond) {
				if time.Now().After(deadline) {
					t.Fatal("the early result was never applied")
				}
				if s.accepted == nil {
					if _, err := s.settler.Sweep(t.Context()); err != nil {
						t.Fatal(err)
					}
				}
				s.work()
			}
			s.is(c, coupon.Won, "25.00", "115.00")
			if diff := cmp.Diff(map[string]int{"applied": 1}, s.states()); diff != "" {
				t.Errorf("results (-want +got):\n%s", diff)
			}
		})
	}
}

// One push takes back more than is let pass: its reversals wait, everything else flows.
func TestBlastRadiusOfAPush(t *testing.T) {
	t.Parallel()
	s := open(t, settlement.Guard{Count: 3})
	p := s.player("1000.00")
	var wins, reversals []settlement.Head
	for range 5 {
		c := s.place(p, "10.00", "2.50")
		wins, reversals = append(wins, won(c.BetCode, 1, "25.00")), append(reversals, lost(c.BetCode, 2))
	}
	other := s.place(p, "10.00", "2.50")
	s.settle(wins...)
	s.settle(append(reversals, won(other.BetCode, 2, "25.00"))...)
	s.is(other, coupon.Won, "25.00", "1090.00") // 1000 − 60 + 6 × 25
	want := map[string]int{"applied": 6, "parked blast_radius": 5}
	if diff := cmp.Diff(want, s.states()); diff != "" {
		t.Fatalf("results (-want +got):\n%s", diff)
	}
	waiting, err := s.settler.Waiting(t.Context(), 10)
	if err != nil {
		t.Fatal(err)
	}
	if w := waiting[0]; !w.Decidable || w.Target.Payout != 0 || w.Payout != money.MustParse("25.00") || w.CashAfter() != money.MustParse("1065.00") {
		t.Errorf("preview = %+v", w)
	}
	// A second pair of eyes lets one through and refuses the others.
	for i, w := range waiting {
		decision := settlement.Decision{Result: w.ID, Operator: "ops@example.com", Comment: "checked the score"}
		if i == 0 {
			_, err = s.settler.Decide(t.Context(), decision)
		} else {
			err = s.settler.Refuse(t.Context(), decision)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if got := s.cash(p); got != "1065.00" {
		t.Errorf("cash = %s, want 1065.00", got)
	}
}

// Small pushes add up: what would go beyond the hour's measure waits.
func TestBlastRadiusOfAnHour(t *testing.T) {
	t.Parallel()
	s := open(t, settlement.Guard{Count: 1000, Amount: threshold.Dollars(money.MustParse("60.00"))})
	p := s.player("1000.00")
	var coupons []coupon.Coupon
	for range 4 {
		c := s.place(p, "10.00", "2.50")
		coupons = append(coupons, c)
		s.settle(won(c.BetCode, 1, "25.00"))
	}
	for _, c := range coupons[:3] {
		s.settle(lost(c.BetCode, 2))
	}
	want := map[string]int{"applied": 6, "parked blast_radius": 1}
	if diff := cmp.Diff(want, s.states()); diff != "" {
		t.Fatalf("results (-want +got):\n%s", diff)
	}
	s.clock.forward(time.Hour)
	s.settle(lost(coupons[3].BetCode, 2))
	s.is(coupons[3], coupon.Lost, "0.00", "985.00") // 1000 − 40 + 25: the next hour has its own measure
}

func TestOperatorDecides(t *testing.T) {
	t.Parallel()
	payout := func(text string) *money.Amount { a := money.MustParse(text); return &a }
	for _, test := range []struct {
		name     string
		head     func(code string) settlement.Head
		decision settlement.Decision
		wantErr  string
		status   coupon.Status
		cash     string
	}{
		{"a payout said by hand", func(c string) settlement.Head { return said(c, 1, 3, 0, "") }, settlement.Decision{Payout: payout("12.50")}, "", coupon.Won, "102.50"},
		{"the stake, by hand", func(c string) settlement.Head { return won(c, 1, "99.00") }, settlement.Decision{Payout: payout("10.00")}, "", coupon.Refunded, "100.00"},
		{"nothing, by hand", func(c string) settlement.Head { return won(c, 1, "99.00") }, settlement.Decision{Payout: payout("0")}, "", coupon.Lost, "90.00"},
		{"a result that gives no payout needs one", func(c string) settlement.Head { return said(c, 1, 3, 0, "") }, settlement.Decision{}, "say it with --payout", coupon.Accepted, "90.00"},
		{"a negative payout", func(c string) settlement.Head { return said(c, 1, 3, 0, "") }, settlement.Decision{Payout: payout("-1")}, "not negative", coupon.Accepted, "90.00"},
		{"no comment", func(c string) settlement.Head { return said(c, 1, 3, 0, "") }, settlement.Decision{Comment: "-", Payout: payout("1")}, "needs a comment", coupon.Accepted, "90.00"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := open(t, settlement.Guard{})
			c := s.place(s.player("100.00"), "10.00", "2.50")
			s.settle(test.head(c.BetCode))
			waiting, err := s.settler.Waiting(t.Context(), 10)
			if err != nil || len(waiting) != 1 {
				t.Fatalf("waiting = %+v, %v", waiting, err)
			}
			decision := test.decision
			decision.Result, decision.Operator = waiting[0].ID, "ops@example.com"
			switch decision.Comment {
			case "":
				decision.Comment = "as BeT told by phone"
			case "-":
				decision.Comment = ""
			}
			_, err = s.settler.Decide(t.Context(), decision)
			if got := fmt.Sprint(err); test.wantErr == "" && err != nil || test.wantErr != "" && !strings.Contains(got, test.wantErr) {
				t.Errorf("Decide() = %v, want %q", err, test.wantErr)
			}
			if got := s.read(c.ID).Status; got != test.status {
				t.Errorf("the coupon is %s, want %s", got, test.status)
			}
			if got := s.cash(c.Player); got != test.cash {
				t.Errorf("cash = %s, want %s", got, test.cash)
			}
			if test.wantErr == "" {
				if _, err := s.settler.Decide(t.Context(), decision); !errors.Is(err, settlement.ErrNotWaiting) {
					t.Errorf("deciding twice = %v, want ErrNotWaiting", err)
				}
			}
		})
	}
}

// Under a nominal, AmountOut counts in the sum BeT was told.
func TestNominalCoupon(t *testing.T) {
	t.Parallel()
	s := open(t, settlement.Guard{})
	s.desk = coupon.NewDesk(s.poster, s.store, coupon.Config{Bookmaker: asBookmaker{s}, RemoteHost: "http://us", Nominal: money.MustParse("1000"), Now: s.clock.Now})
	p := s.player("100.00")
	a, b := s.place(p, "15.50", "1.99"), s.place(p, "10.00", "2.00", "3.00")
	s.settle(won(a.BetCode, 1, "1990.00"), void(b.BetCode, 1, "2000.00"))
	s.is(a, coupon.Won, "30.85", "125.35")
	s.is(b, coupon.Won, "20.00", "125.35")
}
