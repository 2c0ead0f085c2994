package betron

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"evens/casino/casinotest"
	"evens/money"
)

// Whatever the order of one set of bets, wins and refunds, however often each comes, the books end the
// same: a refunded bet is nothing, every win is paid once, and a win of a refunded bet's id is a break.
func TestAnyOrderEndsInTheSameBooks(t *testing.T) {
	t.Parallel()
	hall, url := open(t, Config{})
	run := 0
	rapid.Check(t, func(rt *rapid.T) {
		run++
		who := fmt.Sprint("player", run)
		ana := hall.Player(t, who, money.MustParse("1000"))
		var set, doubts []string
		want := int64(1000)
		for b := range rapid.IntRange(1, 4).Draw(rt, "bets") {
			id := fmt.Sprint(who, "-", b)
			stake, win := rapid.Int64Range(1, 20).Draw(rt, "stake"), rapid.Int64Range(1, 90).Draw(rt, "win")
			set = append(set, says("transaction_bet", who, fmt.Sprint(stake), id))
			won, refunded, own := rapid.Bool().Draw(rt, "won"), rapid.Bool().Draw(rt, "refunded"), rapid.Bool().Draw(rt, "own id")
			if won {
				of := id
				if !own {
					of = "w" + id
				}
				set = append(set, says("transaction_win", who, fmt.Sprint(win), of))
				want += win
			}
			if refunded {
				set = append(set, fmt.Sprintf(`{"method":"refund","user_id":%q,"amount":"%d","transaction_id":%q}`, who, stake, id))
			} else {
				want -= stake
			}
			if won && refunded && own {
				doubts = append(doubts, id)
			}
		}
		set = append(set, rapid.SliceOfN(rapid.SampledFrom(set), 0, 4).Draw(rt, "again")...)
		for _, said := range rapid.Permutation(set).Draw(rt, "order") {
			casinotest.Post(t, url+"/casino/betron", nil, []byte(said))
		}
		if cash := hall.Cash(t, ana); cash != money.MustParse(fmt.Sprint(want)) {
			rt.Fatalf("cash %s, want %d after\n%v", cash, want, set)
		}
		open := strings.Join(hall.OpenBreaks(t, Provider), ", ")
		for _, id := range doubts {
			if !strings.Contains(open, id) {
				rt.Fatalf("%s was refunded and won, and no person sees it: %s\n%v", id, open, set)
			}
		}
	})
}
