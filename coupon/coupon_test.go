package coupon_test

import (
	"strings"
	"testing"

	"evens/coupon"
)

// The state machine as the outside contract draws it.
func TestStatusMay(t *testing.T) {
	t.Parallel()
	all := []coupon.Status{
		coupon.Placing, coupon.Accepted, coupon.Rejected, coupon.Unconfirmed,
		coupon.Won, coupon.Lost, coupon.Refunded, coupon.Cancelled,
	}
	allowed := map[coupon.Status]string{
		coupon.Placing:     "accepted rejected unconfirmed",
		coupon.Unconfirmed: "accepted rejected cancelled",
		coupon.Accepted:    "won lost refunded cancelled",
		coupon.Won:         "won lost refunded cancelled",
		coupon.Lost:        "won lost refunded cancelled",
		coupon.Refunded:    "won lost refunded cancelled",
		coupon.Rejected:    "", // the stake is back: nothing follows
		coupon.Cancelled:   "",
	}
	for _, from := range all {
		next := " " + allowed[from] + " "
		for _, to := range all {
			if got, want := from.May(to), strings.Contains(next, " "+string(to)+" "); got != want {
				t.Errorf("%s.May(%s) = %t, want %t", from, to, got, want)
			}
		}
		if !from.Known() {
			t.Errorf("%s.Known() = false", from)
		}
		if got, want := from.Settled(), from == coupon.Won || from == coupon.Lost || from == coupon.Refunded; got != want {
			t.Errorf("%s.Settled() = %t, want %t", from, got, want)
		}
	}
	for _, strange := range []coupon.Status{"", "settled", "Won"} {
		if strange.Known() || strange.May(coupon.Won) {
			t.Errorf("status %q is taken for one of ours", strange)
		}
	}
}
