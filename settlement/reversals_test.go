package settlement_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"evens/coupon"
	"evens/internal/testbed"
	"evens/money"
	"evens/money/threshold"
	"evens/player"
	"evens/settlement"
	"evens/wallet"
)

// sixty lets 60.00 dollars an hour be taken back.
func sixty() settlement.Guard {
	return settlement.Guard{Count: 1000, Amount: threshold.Dollars(money.MustParse("60.00"))}
}

// together makes one chunk of all results that are pending, as a sweep makes it of what it finds.
func (s *shop) together() (chunk int64) {
	s.t.Helper()
	s.bell.take()
	err := s.db.Pool.QueryRow(s.t.Context(), `
		INSERT INTO result_chunks (result_ids, rung_at) SELECT array_agg(id ORDER BY id), now() FROM results WHERE state = 'pending' RETURNING id`).Scan(&chunk)
	if err != nil {
		s.t.Fatal(err)
	}
	return chunk
}

// hours is what has been taken back, by hour and currency.
func (s *shop) hours() map[string]string {
	s.t.Helper()
	rows, err := s.db.Pool.Query(s.t.Context(), `SELECT hour, currency, count, amount FROM reversal_hours`)
	if err != nil {
		s.t.Fatal(err)
	}
	hours := map[string]string{}
	var hour time.Time
	var currency string
	var count int
	var amount money.Amount
	_, err = pgx.ForEachRow(rows, []any{&hour, &currency, &count, &amount}, func() error {
		hours[hour.UTC().Format("15h ")+currency] = fmt.Sprintf("%d, %s", count, amount)
		return nil
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return hours
}

// paid is a coupon that has won, two and a half times its stake, for a player of its own.
func (s *shop) paid(stake, win string) coupon.Coupon {
	s.t.Helper()
	c := s.place(s.player("100.00"), stake, "2.50")
	s.settle(won(c.BetCode, 1, win))
	return c
}

// Each push takes back little; settled in one commit they would take back too much: none is taken back, and the
// win beside them is paid.
func TestReversalsOfOneCommitAddUp(t *testing.T) {
	t.Parallel()
	s := open(t, sixty())
	taken := []coupon.Coupon{s.paid("10.00", "25.00"), s.paid("10.00", "25.00"), s.paid("10.00", "25.00")}
	wins := s.place(s.player("100.00"), "10.00", "2.50")
	for _, c := range taken {
		s.push(lost(c.BetCode, 2))
	}
	s.push(won(wins.BetCode, 2, "25.00"))
	if err := s.settler.Apply(t.Context(), s.together()); err != nil {
		t.Fatal(err)
	}
	for _, c := range taken {
		s.is(c, coupon.Won, "25.00", "115.00")
	}
	s.is(wins, coupon.Won, "25.00", "115.00")
	if diff := cmp.Diff(map[string]int{"applied": 4, "parked blast_radius": 3}, s.states()); diff != "" {
		t.Errorf("results (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]string{"20h USD": "0, 0.00"}, s.hours()); diff != "" {
		t.Errorf("taken back (-want +got):\n%s", diff)
	}
}

// Two workers take back 50.00 each at the same moment, of 60.00 that an hour may: the second sees what the first
// has taken, before that has committed.
func TestTwoWorkersTakeBackAtOnce(t *testing.T) {
	t.Parallel()
	s := open(t, sixty())
	s.settle(lost(s.paid("0.40", "1.00").BetCode, 2)) // the hour has begun
	coupons := []coupon.Coupon{s.paid("20.00", "50.00"), s.paid("20.00", "50.00")}
	for _, c := range coupons {
		s.push(lost(c.BetCode, 2))
	}
	// Whoever has counted the hour waits here before its commit.
	gate := testbed.Hold(t, s.url(), `SELECT FROM results WHERE state = 'pending' FOR UPDATE`)
	var wg sync.WaitGroup
	for _, chunk := range s.bell.take() {
		wg.Go(func() {
			if err := s.settler.Apply(t.Context(), chunk.ID); err != nil {
				t.Error(err)
			}
		})
	}
	gate.UntilWaiting(2)
	gate.Open()
	wg.Wait()
	if diff := cmp.Diff(map[string]int{"applied": 5, "parked blast_radius": 1}, s.states()); diff != "" {
		t.Errorf("results (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]string{"20h USD": "2, 51.00"}, s.hours()); diff != "" {
		t.Errorf("taken back (-want +got):\n%s", diff)
	}
}

// in opens a player with 100.00 in a currency, whose coupon of that stake has won.
func (s *shop) in(currency money.Currency, stake, win string) coupon.Coupon {
	s.t.Helper()
	id := uuid.NewString()
	p, _, err := s.players.Create(s.t.Context(), player.Registration{ExternalID: id, Name: "P", Email: "p@example.com", Currency: currency})
	if err != nil {
		s.t.Fatal(err)
	}
	_, err = wallet.Deposit(s.t.Context(), s.poster, wallet.Cash{
		Player: p.ID, Amount: money.MustParse("100"), Currency: currency, Method: "pix", TransactionID: id, At: s.clock.Now(),
	})
	if err != nil {
		s.t.Fatal(err)
	}
	o := order(p.ID, stake, "2.50")
	o.Currency = currency
	placed, err := s.desk.Place(s.t.Context(), o)
	if err != nil {
		s.t.Fatal(err)
	}
	s.settle(won(placed.BetCode, 1, win))
	return placed
}

// What is taken back counts by currency and by hour: each has a sum of its own, and what is too much in one
// currency holds up nothing in another.
func TestReversalsCountByCurrencyAndHour(t *testing.T) {
	t.Parallel()
	limits, err := threshold.Parse("USD=75,EUR=75")
	if err != nil {
		t.Fatal(err)
	}
	s := open(t, settlement.Guard{Count: 1000, Amount: limits})
	earlier := s.paid("4.00", "10.00")
	s.settle(lost(earlier.BetCode, 2))
	s.clock.forward(time.Hour)
	euros, dollars := s.in("EUR", "12.00", "30.00"), s.in("USD", "28.00", "70.00")
	s.push(lost(euros.BetCode, 2))
	s.push(lost(dollars.BetCode, 2))
	if err := s.settler.Apply(t.Context(), s.together()); err != nil {
		t.Fatal(err)
	}
	s.is(euros, coupon.Lost, "0.00", "88.00")
	s.is(dollars, coupon.Lost, "0.00", "72.00")
	want := map[string]string{"20h USD": "1, 10.00", "21h EUR": "1, 30.00", "21h USD": "1, 70.00"}
	if diff := cmp.Diff(want, s.hours()); diff != "" {
		t.Errorf("taken back (-want +got):\n%s", diff)
	}
	moreEuros, moreDollars := s.in("EUR", "4.00", "10.00"), s.in("USD", "4.00", "10.00")
	s.push(lost(moreEuros.BetCode, 2))
	s.push(lost(moreDollars.BetCode, 2))
	if err := s.settler.Apply(t.Context(), s.together()); err != nil {
		t.Fatal(err)
	}
	s.is(moreEuros, coupon.Lost, "0.00", "96.00")
	s.is(moreDollars, coupon.Won, "10.00", "106.00")
	want["21h EUR"] = "2, 40.00"
	if diff := cmp.Diff(want, s.hours()); diff != "" {
		t.Errorf("taken back (-want +got):\n%s", diff)
	}
}
