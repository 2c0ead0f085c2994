package tg

import (
	"testing"

	"evens/money"
)

// A bet that was taken back is refused when it comes again, by either action; one that stands was done
// before.
func TestABetThatWasTakenBackIsNotDone(t *testing.T) {
	t.Parallel()
	p := open(t)
	p.hall.Player(t, "ana", money.MustParse("100"))
	for i, step := range []struct{ says, want string }{
		{spin("betNSettle", "b1", "10", "4"), says("0000", "", "94.00")},
		{spin("retryBet", "b1", "10", "4"), says("2001", "", "94.00")},
		{rollback("b1"), says("0000", "", "100.00")},
		{spin("retryBet", "b1", "10", "4"), says("9999", "rolled_back", "100.00")},
		{spin("betNSettle", "b1", "10", "4"), says("9999", "rolled_back", "100.00")},
		{rollback("b1"), says("2001", "", "100.00")},
		{spin("retryBet", "item", "0", "7.5"), says("0000", "", "107.50")},
		{rollback("item"), says("0000", "", "100.00")},
		{spin("retryBet", "item", "0", "7.5"), says("9999", "rolled_back", "100.00")},
		{spin("betNSettle", "b2", "200", "4"), says("1006", "insufficient_funds", "100.00")},
		{rollback("b2"), says("2001", "", "100.00")},
		{spin("betNSettle", "b2", "200", "4"), says("1006", "insufficient_funds", "100.00")},
	} {
		if answer := p.call(step.says); answer.Body != step.want {
			t.Errorf("step %d, %s:\n got %s\nwant %s", i, step.says, answer.Body, step.want)
		}
	}
}
