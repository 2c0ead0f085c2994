package tg

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"evens/money"
)

// Whatever the order of one set of bets and rollbacks, however often each comes, the books end the same:
// what is taken back is nothing, and what is not stands once.
func TestAnyOrderEndsInTheSameBooks(t *testing.T) {
	t.Parallel()
	p := open(t)
	run := 0
	rapid.Check(t, func(rt *rapid.T) {
		run++
		who := fmt.Sprint("player", run)
		ana := p.hall.Player(t, who, money.MustParse("1000"))
		var set []string
		want := int64(1000)
		for b := range rapid.IntRange(1, 4).Draw(rt, "bets") {
			id := fmt.Sprint(who, "-", b)
			stake, win := rapid.Int64Range(0, 20).Draw(rt, "stake"), rapid.Int64Range(0, 90).Draw(rt, "win")
			action := rapid.SampledFrom([]string{"betNSettle", "retryBet"})
			set = append(set, spin(action.Draw(rt, "action"), id, fmt.Sprint(stake), fmt.Sprint(win)))
			if rapid.Bool().Draw(rt, "again") {
				set = append(set, spin(action.Draw(rt, "action"), id, fmt.Sprint(stake), fmt.Sprint(win)))
			}
			if rapid.Bool().Draw(rt, "undone") {
				set = append(set, rollback(id))
			} else {
				want += win - stake
			}
		}
		for _, said := range rapid.Permutation(set).Draw(rt, "order") {
			answer := p.call(strings.Replace(said, `"ana"`, fmt.Sprintf("%q", who), 1))
			if strings.Contains(answer.Body, `"1006"`) {
				rt.Fatalf("%s: %s", said, answer.Body)
			}
		}
		if cash := p.hall.Cash(t, ana); cash != money.MustParse(fmt.Sprint(want)) {
			rt.Fatalf("cash %s, want %d after\n%v", cash, want, set)
		}
	})
}
