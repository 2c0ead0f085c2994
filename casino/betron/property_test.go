package betron

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"evens/casino/casinotest"
	"evens/money"
)

// books is what the rules make of a player's messages, one after the other.
type books struct {
	cash          int64
	stood, undone map[string]bool // bets
	paid          map[string]bool // wins
	breaks        []string
}

func (b *books) standing() (n int) {
	for id := range b.stood {
		if !b.undone[id] {
			n++
		}
	}
	return n
}

func (b *books) hears(method, id string, sum int64) {
	switch method {
	case "transaction_bet":
		if !b.stood[id] && !b.undone[id] {
			b.stood[id], b.cash = true, b.cash-sum
		}
	case "refund":
		if b.stood[id] && !b.undone[id] {
			b.cash += sum
			if b.paid[id] {
				b.breaks = append(b.breaks, id)
			}
		}
		b.undone[id] = true
	default:
		switch {
		case b.paid[id]:
		case b.undone[id], !b.stood[id] && len(b.stood) > 0 && b.standing() == 0:
			b.breaks = append(b.breaks, id)
		default:
			b.paid[id], b.cash = true, b.cash+sum
		}
	}
}

// Whatever the order of one set of bets, wins and refunds, however often each comes: a refunded bet is
// nothing, a win is paid once and follows a bet that stands, and one that does not is a break.
func TestAnyOrderKeepsTheRules(t *testing.T) {
	t.Parallel()
	hall, url := open(t, Config{})
	run := 0
	type message struct {
		method, id string
		sum        int64
	}
	rapid.Check(t, func(rt *rapid.T) {
		run++
		who := fmt.Sprint("player", run)
		ana := hall.Player(t, who, money.MustParse("1000"))
		var set []message
		for b := range rapid.IntRange(1, 4).Draw(rt, "bets") {
			id := fmt.Sprint(who, "-", b)
			stake, win := rapid.Int64Range(1, 20).Draw(rt, "stake"), rapid.Int64Range(1, 90).Draw(rt, "win")
			set = append(set, message{"transaction_bet", id, stake})
			if rapid.Bool().Draw(rt, "won") {
				of := id
				if !rapid.Bool().Draw(rt, "own id") {
					of = "w" + id
				}
				set = append(set, message{"transaction_win", of, win})
			}
			if rapid.Bool().Draw(rt, "refunded") {
				set = append(set, message{"refund", id, stake})
			}
		}
		set = append(set, rapid.SliceOfN(rapid.SampledFrom(set), 0, 4).Draw(rt, "again")...)
		want := books{cash: 1000, stood: map[string]bool{}, undone: map[string]bool{}, paid: map[string]bool{}}
		order := rapid.Permutation(set).Draw(rt, "order")
		for _, m := range order {
			casinotest.Post(t, url+"/casino/betron", nil, []byte(says(m.method, who, fmt.Sprint(m.sum), m.id)))
			want.hears(m.method, m.id, m.sum)
		}
		if cash := hall.Cash(t, ana); cash != money.MustParse(fmt.Sprint(want.cash)) {
			rt.Fatalf("cash %s, want %d after\n%v", cash, want.cash, order)
		}
		open := strings.Join(hall.OpenBreaks(t, Provider), ", ")
		for _, id := range want.breaks {
			if !strings.Contains(open, id) {
				rt.Fatalf("no person sees %s: %s\n%v", id, open, order)
			}
		}
	})
}
