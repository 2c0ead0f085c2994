package coupon_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"evens/coupon"
	"evens/coupon/bet"
	"evens/wallet"
)

func (c *counter) due() []uuid.UUID {
	c.t.Helper()
	return c.dueMany(10)
}

func (c *counter) dueMany(limit int) []uuid.UUID {
	c.t.Helper()
	due, err := c.desk.Due(c.t.Context(), limit)
	if err != nil {
		c.t.Fatal(err)
	}
	return due
}

// placing starts a placement that BeT does not answer before answer is closed, and returns the
// coupon's id with what Place will return.
func (c *counter) placing(o coupon.Order, reached <-chan struct{}) (uuid.UUID, <-chan coupon.Coupon) {
	c.t.Helper()
	done := make(chan coupon.Coupon, 1)
	go func() {
		placed, err := c.desk.Place(c.t.Context(), o)
		if err != nil {
			c.t.Error(err)
		}
		done <- placed
	}()
	<-reached
	list, err := c.store.List(c.t.Context(), coupon.Filter{Limit: 1})
	if err != nil || len(list) != 1 || list[0].Status != coupon.Placing {
		c.t.Fatalf("list = %+v, %v, want a coupon being placed", list, err)
	}
	return list[0].ID, done
}

// slow is a bookmaker that answers when told to.
func slow(answer bet.Answer, err error) (takes bookmaker, reached, goOn chan struct{}) {
	reached, goOn = make(chan struct{}), make(chan struct{})
	return func(context.Context, bet.Ticket) (bet.Answer, error) {
		close(reached)
		<-goOn
		return answer, err
	}, reached, goOn
}

// A lost answer waits out the grace period, then the stake goes back.
func TestUnconfirmedExpires(t *testing.T) {
	t.Parallel()
	c := open(t, answers(bet.Answer{}, errLost))
	id := c.place(order(c.player("10.00"), "4.00", "2.00")).ID
	c.clock.forward(14 * time.Minute)
	if due := c.due(); len(due) != 0 {
		t.Errorf("%d coupons due within the grace period", len(due))
	}
	c.confirm(id)
	c.is(id, coupon.Unconfirmed, coupon.CodeUnconfirmed, "6.00")
	c.clock.forward(time.Minute + time.Second)
	if due := c.due(); !slices.Equal(due, []uuid.UUID{id}) {
		t.Errorf("due = %v, want %s", due, id)
	}
	together(8, func(int) { c.confirm(id) }) // the stake goes back once
	c.is(id, coupon.Rejected, coupon.CodeExpired, "10.00")
	if due := c.due(); len(due) != 0 {
		t.Errorf("%d coupons due when all is done", len(due))
	}
}

// We stop between reserving and recording: after the placing timeout the coupon is unconfirmed,
// after the grace period rejected. An answer that still comes moves no money.
func TestLateAnswerAfterGivingUp(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		answer bet.Answer
		err    error
	}{
		"accepted":    {answer: bet.Answer{BetCode: "late"}},
		"rejected":    {err: &bet.Rejection{Code: bet.CodeCoefChanged}},
		"nobody knew": {err: errLost},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			takes, reached, goOn := slow(test.answer, test.err)
			var log bytes.Buffer
			c := open(t, takes, func(cfg *coupon.Config) { cfg.Log = slog.New(slog.NewTextHandler(&log, nil)) })
			id, done := c.placing(order(c.player("10.00"), "4.00", "2.00"), reached)
			c.clock.forward(time.Minute)
			if due := c.due(); len(due) != 0 {
				t.Errorf("%d coupons due while being placed", len(due))
			}
			c.confirm(id)
			c.is(id, coupon.Placing, "", "6.00")
			c.clock.forward(time.Minute + time.Second)
			if due := c.due(); !slices.Equal(due, []uuid.UUID{id}) {
				t.Errorf("due = %v, want %s", due, id)
			}
			c.confirm(id)
			c.is(id, coupon.Unconfirmed, coupon.CodeInterrupted, "6.00")
			c.clock.forward(15 * time.Minute)
			c.confirm(id)
			c.is(id, coupon.Rejected, coupon.CodeExpired, "10.00")
			close(goOn)
			if placed := <-done; placed.ID != id || placed.Status != coupon.Rejected {
				t.Errorf("Place() = %s %s, want the coupon rejected", placed.ID, placed.Status)
			}
			c.is(id, coupon.Rejected, coupon.CodeExpired, "10.00")
			if len(c.accepted) != 0 {
				t.Errorf("told of codes %v", c.accepted)
			}
			// A coupon that BeT has and we gave up is for an operator to know.
			if got, want := strings.Contains(log.String(), "bet_code=late"), test.err == nil; got != want {
				t.Errorf("the log names the late code: %t, want %t\n%s", got, want, &log)
			}
		})
	}
}

// An answer that comes after the timeout but within the grace period still counts.
func TestLateAnswerInTime(t *testing.T) {
	t.Parallel()
	takes, reached, goOn := slow(bet.Answer{BetCode: "late"}, nil)
	c := open(t, takes)
	id, done := c.placing(order(c.player("10.00"), "4.00", "2.00"), reached)
	c.clock.forward(3 * time.Minute)
	c.confirm(id)
	c.is(id, coupon.Unconfirmed, coupon.CodeInterrupted, "6.00")
	close(goOn)
	if placed := <-done; placed.Status != coupon.Accepted || placed.BetCode != "late" {
		t.Errorf("Place() = %s %q, want accepted late", placed.Status, placed.BetCode)
	}
	c.is(id, coupon.Accepted, "", "6.00")
}

// The sweep and the bookmaker's answer speak of one coupon in the same commit: the last word holds, and
// is written once.
func TestLateAnswerInTheSweepsOwnCommit(t *testing.T) {
	t.Parallel()
	takes, reached, goOn := slow(bet.Answer{BetCode: "late"}, nil)
	c := open(t, takes)
	id, done := c.placing(order(c.player("10.00"), "4.00", "2.00"), reached)
	c.clock.forward(3 * time.Minute)

	deciding, release := make(chan struct{}), make(chan struct{})
	blocked := make(chan error, 2)
	go func() { // keeps the lane busy until both wait in it
		once := false
		blocked <- c.poster.Do(t.Context(), &wallet.Work{Decide: func(*wallet.Batch) error {
			if !once {
				once = true
				close(deciding)
				<-release
			}
			return nil
		}})
	}()
	<-deciding
	go func() { blocked <- c.desk.Confirm(t.Context(), id) }()
	time.Sleep(50 * time.Millisecond) // Confirm reads, then waits in the lane; where it is late, two commits do the same
	close(goOn)
	time.Sleep(50 * time.Millisecond)
	close(release)
	if placed := <-done; placed.Status != coupon.Accepted || placed.BetCode != "late" {
		t.Errorf("Place() = %s %q, want accepted late", placed.Status, placed.BetCode)
	}
	for range 2 {
		if err := <-blocked; err != nil {
			t.Error(err)
		}
	}
	c.is(id, coupon.Accepted, "", "6.00")
}

// Where the bookmaker keeps a list, it decides; where it cannot tell, the grace period does.
func TestFinder(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		finds  finder
		status coupon.Status
		code   string
		cash   string
		later  coupon.Status // when the grace period is over
	}{
		"has it": {
			func(coupon.Coupon) (bet.Answer, bool, bool, error) {
				return bet.Answer{BetCode: "found"}, true, true, nil
			},
			coupon.Accepted, "", "6.00", coupon.Accepted,
		},
		"has it not": {
			func(coupon.Coupon) (bet.Answer, bool, bool, error) { return bet.Answer{}, false, true, nil },
			coupon.Rejected, coupon.CodeUnconfirmed, "10.00", coupon.Rejected,
		},
		"cannot tell yet": {
			func(coupon.Coupon) (bet.Answer, bool, bool, error) { return bet.Answer{}, false, false, nil },
			coupon.Unconfirmed, coupon.CodeUnconfirmed, "6.00", coupon.Rejected,
		},
		"has it without a code": {
			func(coupon.Coupon) (bet.Answer, bool, bool, error) { return bet.Answer{}, true, true, nil },
			coupon.Unconfirmed, coupon.CodeUnconfirmed, "6.00", coupon.Unconfirmed,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := open(t, answers(bet.Answer{}, errLost), func(cfg *coupon.Config) { cfg.Finder = test.finds })
			id := c.place(order(c.player("10.00"), "4.00", "2.00")).ID
			c.clock.forward(time.Second)
			if due := c.due(); !slices.Equal(due, []uuid.UUID{id}) {
				t.Errorf("due = %v, want %s at once: there is a list to ask", due, id)
			}
			c.confirm(id)
			c.confirm(id)
			c.is(id, test.status, test.code, test.cash)
			c.clock.forward(time.Hour)
			c.confirm(id)
			if got := c.read(id).Status; got != test.later {
				t.Errorf("after the grace period: %s, want %s", got, test.later)
			}
		})
	}
}

func TestFinderFails(t *testing.T) {
	t.Parallel()
	errDown := errors.New("down")
	down := true
	c := open(t, answers(bet.Answer{}, errLost), func(cfg *coupon.Config) {
		cfg.Finder = finder(func(coupon.Coupon) (bet.Answer, bool, bool, error) {
			if down {
				return bet.Answer{}, false, false, errDown
			}
			return bet.Answer{BetCode: "found"}, true, true, nil
		})
	})
	id := c.place(order(c.player("10.00"), "4.00", "2.00")).ID
	c.clock.forward(time.Minute)
	if err := c.desk.Confirm(t.Context(), id); !errors.Is(err, errDown) {
		t.Errorf("Confirm() = %v, want the finder's error", err)
	}
	c.is(id, coupon.Unconfirmed, coupon.CodeUnconfirmed, "6.00")
	down = false
	c.confirm(id)
	c.is(id, coupon.Accepted, "", "6.00")
}

func TestConfirmLeavesTheRestAlone(t *testing.T) {
	t.Parallel()
	c := open(t, takesAll())
	id := c.place(order(c.player("10.00"), "4.00", "2.00")).ID
	c.clock.forward(24 * time.Hour)
	c.confirm(id)
	c.is(id, coupon.Accepted, "", "6.00")
	if err := c.desk.Confirm(t.Context(), uuid.New()); !errors.Is(err, coupon.ErrNotFound) {
		t.Errorf("Confirm() of no coupon = %v, want ErrNotFound", err)
	}
}
