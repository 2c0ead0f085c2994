package settlement_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"evens/coupon"
	"evens/internal/postgres"
	"evens/internal/testbed"
	"evens/settlement"
)

// ahead is a win that waits for a person: it is dated ahead of our clock.
func (s *shop) ahead(code, amount string) settlement.Head {
	head := won(code, 0, amount)
	head.DecidedAt = s.clock.Now().Add(time.Hour)
	return head
}

// idOf is the id of the only result of a BarCode.
func (s *shop) idOf(code string) (id int64) {
	s.t.Helper()
	if err := s.db.Pool.QueryRow(s.t.Context(), `SELECT id FROM results WHERE bar_code = $1`, code).Scan(&id); err != nil {
		s.t.Fatal(err)
	}
	return id
}

// stateOf is the state of the only result of a BarCode.
func (s *shop) stateOf(code string) (state string) {
	s.t.Helper()
	if err := s.db.Pool.QueryRow(s.t.Context(), `SELECT state FROM results WHERE bar_code = $1`, code).Scan(&state); err != nil {
		s.t.Fatal(err)
	}
	return state
}

// logged are the lines of an event in the activity log: its player, coupon and operator.
func (s *shop) logged(event string) (lines []string) {
	s.t.Helper()
	rows, err := s.db.Pool.Query(s.t.Context(), `
		SELECT format('%s %s %s %s', player_id, coupon_id, operator, detail ->> 'result') FROM activity_log WHERE event = $1 ORDER BY id`, event)
	if err != nil {
		s.t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			s.t.Fatal(err)
		}
		lines = append(lines, line)
	}
	return lines
}

// url is the shop's database.
func (s *shop) url() string { return s.db.Pool.Config().ConnString() }

// Results of several players wait. A person decides one: that coupon is paid, the others wait as they did, and
// the log has a line for it and for nothing else.
func TestADecisionIsAboutOneResult(t *testing.T) {
	t.Parallel()
	s := open(t, settlement.Guard{})
	ana := s.place(s.player("100.00"), "10.00", "2.50")
	bob := s.place(s.player("100.00"), "20.00", "2.00")
	eve := s.place(s.player("100.00"), "30.00", "3.00")
	s.settle(s.ahead(ana.BetCode, "25.00"), s.ahead(bob.BetCode, "40.00"), s.ahead(eve.BetCode, "90.00"))

	if err := mustDecide(s, byHand(s.idOf(bob.BetCode))); err != nil {
		t.Fatal(err)
	}
	s.is(bob, coupon.Won, "40.00", "120.00")
	s.is(ana, coupon.Accepted, "0.00", "90.00")
	s.is(eve, coupon.Accepted, "0.00", "70.00")
	if diff := cmp.Diff(map[string]int{"applied": 1, "parked future": 2}, s.states()); diff != "" {
		t.Errorf("results (-want +got):\n%s", diff)
	}
	if err := s.settler.Refuse(t.Context(), byHand(s.idOf(eve.BetCode))); err != nil {
		t.Fatal(err)
	}
	s.is(ana, coupon.Accepted, "0.00", "90.00")
	s.is(eve, coupon.Accepted, "0.00", "70.00")
	if state := s.stateOf(ana.BetCode); state != "parked" {
		t.Errorf("the neighbour's result is %s", state)
	}
	line := func(c coupon.Coupon) []string {
		return []string{fmt.Sprintf("%s %s ops@example.com %d", c.Player, c.ID, s.idOf(c.BetCode))}
	}
	if diff := cmp.Diff(line(bob), s.logged("result_applied")); diff != "" {
		t.Errorf("log of what was applied (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(line(eve), s.logged("result_refused")); diff != "" {
		t.Errorf("log of what was refused (-want +got):\n%s", diff)
	}
	if err := mustDecide(s, byHand(s.idOf(ana.BetCode))); err != nil {
		t.Fatal(err)
	}
	s.is(ana, coupon.Won, "25.00", "115.00")
	s.is(bob, coupon.Won, "40.00", "120.00")
}

// A result that waits for nobody cannot be refused: a win that is on its way is paid.
func TestWhatWaitsForNobodyIsNotRefused(t *testing.T) {
	t.Parallel()
	s := open(t, settlement.Guard{})
	ana, bob := s.place(s.player("100.00"), "10.00", "2.50"), s.place(s.player("100.00"), "10.00", "2.50")
	s.settle(s.ahead(bob.BetCode, "25.00"))
	s.push(won(ana.BetCode, 1, "25.00"))
	if err := s.settler.Refuse(t.Context(), byHand(s.idOf(ana.BetCode))); !errors.Is(err, settlement.ErrNotWaiting) {
		t.Errorf("a win that is on its way was refused: %v", err)
	}
	s.work()
	s.is(ana, coupon.Won, "25.00", "115.00")
	if err := s.settler.Refuse(t.Context(), byHand(s.idOf(ana.BetCode))); !errors.Is(err, settlement.ErrNotWaiting) {
		t.Errorf("a win that was paid was refused: %v", err)
	}
	if lines := s.logged("result_refused"); len(lines) > 0 {
		t.Errorf("logged %v", lines)
	}
	if state := s.stateOf(bob.BetCode); state != "parked" {
		t.Errorf("the neighbour's result is %s", state)
	}
}

// Two operators have the same result before them, and the first still looks: the second waits for the first, and
// hears that it is decided, whatever the second wants.
func TestTwoOperatorsAtOnce(t *testing.T) {
	t.Parallel()
	for name, second := range map[string]func(s *shop, id int64) error{
		"refuses": func(s *shop, id int64) error { return s.settler.Refuse(s.t.Context(), byHand(id)) },
		"applies": func(s *shop, id int64) error { return mustDecide(s, byHand(id)) },
	} {
		t.Run("the second "+name, func(t *testing.T) {
			t.Parallel()
			s := open(t, settlement.Guard{})
			ana, bob := s.place(s.player("100.00"), "10.00", "2.50"), s.place(s.player("100.00"), "20.00", "2.00")
			s.settle(s.ahead(ana.BetCode, "25.00"), s.ahead(bob.BetCode, "40.00"))
			heard := make(chan error, 1)
			done := make(chan struct{})
			first := byHand(s.idOf(ana.BetCode))
			begun := false
			first.Agree = func(postgres.Querier, settlement.Change) error {
				if !begun { // a transaction that is run again asks again
					begun = true
					go func() {
						heard <- second(s, first.Result)
						close(done)
					}()
				}
				testbed.UntilWaiting(t, s.url(), 1, done)
				return nil
			}
			if err := mustDecide(s, first); err != nil {
				t.Errorf("the first: %v", err)
			}
			if err := <-heard; !errors.Is(err, settlement.ErrNotWaiting) {
				t.Errorf("the second: %v, want ErrNotWaiting", err)
			}
			s.is(ana, coupon.Won, "25.00", "115.00")
			s.is(bob, coupon.Accepted, "0.00", "80.00")
			if diff := cmp.Diff(map[string]int{"applied": 1, "parked future": 1}, s.states()); diff != "" {
				t.Errorf("results (-want +got):\n%s", diff)
			}
			if applied, refused := len(s.logged("result_applied")), len(s.logged("result_refused")); applied != 1 || refused != 0 {
				t.Errorf("logged %d applied and %d refused", applied, refused)
			}
		})
	}
}

// A coupon holds a word of 18:00. A person lets one of 18:20 hold; then comes one of 18:10, and is too late.
func TestAWordBetweenTheOneThatHeldAndAPersons(t *testing.T) {
	t.Parallel()
	s := open(t, settlement.Guard{})
	ana, bob := s.place(s.player("100.00"), "10.00", "2.50"), s.place(s.player("100.00"), "10.00", "2.50")
	s.settle(won(ana.BetCode, 0, "25.00"), won(bob.BetCode, 0, "25.00"))
	s.settle(said(ana.BetCode, 20, 2, 0, "99.00")) // more than it could win
	decision := byHand(s.parkedID("makes_no_sense"))
	decision.Payout = new(ana.Stake)
	if err := mustDecide(s, decision); err != nil {
		t.Fatal(err)
	}
	s.is(ana, coupon.Refunded, "10.00", "100.00")
	s.settle(won(ana.BetCode, 10, "20.00"), lost(bob.BetCode, 10))
	s.is(ana, coupon.Refunded, "10.00", "100.00")
	s.is(bob, coupon.Lost, "0.00", "90.00")
	s.settle(won(ana.BetCode, 21, "24.00"))
	s.is(ana, coupon.Won, "24.00", "114.00")
	if states := s.states(); states["stale"] != 1 {
		t.Errorf("results: %v", states)
	}
}

// The list of what waits has a line for each result, with its own coupon, and one without where nobody has its
// BarCode. Refused, that one leaves a line in the log that names no coupon.
func TestTheListOfWhatWaits(t *testing.T) {
	t.Parallel()
	s := open(t, settlement.Guard{})
	ana, bob := s.place(s.player("100.00"), "10.00", "2.50"), s.place(s.player("200.00"), "20.00", "2.00")
	s.settle(s.ahead(ana.BetCode, "25.00"), s.ahead(bob.BetCode, "40.00"), lost("nobody's", 1))
	s.settle(won(s.place(s.player("50.00"), "5.00", "2.00").BetCode, 1, "10.00"))
	waiting, err := s.settler.Waiting(t.Context(), 10)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, w := range waiting {
		got[w.BarCode] = fmt.Sprintf("%s %s %s %s cash %s, after %s", w.Attention, w.Coupon.UUID, w.Player.UUID, w.Stake, w.Cash, w.CashAfter())
	}
	none := settlement.Waiting{}
	want := map[string]string{
		ana.BetCode: fmt.Sprintf("future %s %s 10.00 cash 90.00, after 115.00", ana.ID, ana.Player),
		bob.BetCode: fmt.Sprintf("future %s %s 20.00 cash 180.00, after 220.00", bob.ID, bob.Player),
		"nobody's":  fmt.Sprintf("unknown_bar_code %s %s 0.00 cash 0.00, after 0.00", none.Coupon.UUID, none.Player.UUID),
	}
	if diff := cmp.Diff(want, got); diff != "" || len(waiting) != 3 {
		t.Errorf("%d wait (-want +got):\n%s", len(waiting), diff)
	}
	if one, err := s.settler.Waiting(t.Context(), 1); err != nil || len(one) != 1 || one[0].ID != waiting[0].ID || one[0].ID > waiting[1].ID {
		t.Errorf("the oldest of them: %+v, %v", one, err)
	}
	id := s.idOf("nobody's")
	if err := s.settler.Refuse(t.Context(), byHand(id)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{fmt.Sprintf("  ops@example.com %d", id)}, s.logged("result_refused")); diff != "" {
		t.Errorf("the log (-want +got):\n%s", diff)
	}
}
