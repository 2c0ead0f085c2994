package reconcile

import (
	"testing"

	"evens/coupon/bet"
)

// A word of BeT's proves what the table says; one that is not in it proves nothing.
func TestWordsOfBeT(t *testing.T) {
	t.Parallel()
	for words, want := range map[[2]int]Status{
		{1, 0}: Open, {2, 0}: Won, {2, 1}: Won, {4, 0}: Lost, {4, 1}: Lost, {3, 0}: Pending, {8, 0}: Pending, {15, 0}: Pending, {2, 2}: Pending, {4, 7}: Pending,
	} {
		head := bet.Head{BarCode: "c", Status: words[0], ExtStatus: words[1], AmountOut: 10, HasAmount: true}
		if got, err := couponLine(head); err != nil || got.Status != want {
			t.Errorf("bet %v: %s, want %s; %v", words, got.Status, want, err)
		}
	}
}
