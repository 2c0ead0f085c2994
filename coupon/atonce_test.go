package coupon_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"evens/coupon"
	"evens/coupon/bet"
	"evens/internal/testbed"
)

// One process gives a coupon up, its grace period over, while another learns from BeT's list that BeT has it: both
// come to the coupon before either has decided. It is rejected and the stake goes back once, or it is accepted and the
// stake stays held; and the same player's other coupon waits as it did.
func TestGivenUpAndAdoptedAtOnce(t *testing.T) {
	t.Parallel()
	c := open(t, answers(bet.Answer{}, errLost))
	url := c.db.Pool.Config().ConnString()
	other := openAt(t, url, answers(bet.Answer{}, errLost))
	for round := range 20 {
		p := c.player("20.00")
		neighbour, id := c.place(order(p, "5.00", "2.00")).ID, c.place(order(p, "4.00", "2.00")).ID
		c.clock.forward(20 * time.Minute)
		other.clock.forward(20 * time.Minute)
		code := fmt.Sprint("theirs", round)
		gate := testbed.Hold(t, url, `SELECT FROM coupons WHERE id = $1 FOR UPDATE`, id)
		var both sync.WaitGroup
		var adopted bool
		confirm := func() {
			if err := c.desk.Confirm(t.Context(), id); err != nil {
				t.Error(err)
			}
		}
		adopt := func() {
			var err error
			if adopted, err = other.desk.Adopt(t.Context(), id, code); err != nil {
				t.Error(err)
			}
		}
		first, second := confirm, adopt
		if round%2 == 1 {
			first, second = adopt, confirm
		}
		both.Go(first)
		gate.UntilWaiting(1)
		both.Go(second)
		gate.UntilWaiting(2)
		gate.Open()
		both.Wait()
		if now := c.read(id); adopted {
			c.is(id, coupon.Accepted, "", "11.00")
			if now.BetCode != code {
				t.Errorf("round %d: adopted as %q", round, now.BetCode)
			}
		} else {
			c.is(id, coupon.Rejected, coupon.CodeExpired, "15.00")
		}
		if now := c.read(neighbour); now.Status != coupon.Unconfirmed {
			t.Errorf("round %d: the neighbour is %s", round, now.Status)
		}
	}
}
