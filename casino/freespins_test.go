package casino_test

import (
	"testing"

	"evens/casino"
	"evens/money"
)

// A round that a bonus paid wins free spins. What the first of them wins goes to the bonus, and what the second wins
// too, though the spins' round is known by then; a neighbour's free spins, won with cash, pay cash.
func TestEveryFreeSpinFollowsItsParent(t *testing.T) {
	t.Parallel()
	for name, spin := range map[string]func(b table, id, amount string) (casino.Outcome, error){
		"wins": func(b table, id, amount string) (casino.Outcome, error) {
			call := b.call(id)
			call.Round = casino.Round{ID: "free", Parent: "paid"}
			return b.Floor.Win(b.t.Context(), casino.Win{Call: call, Amount: usd(amount)})
		},
		"bets of nothing with their wins": func(b table, id, amount string) (casino.Outcome, error) {
			call := b.call(id)
			call.Round = casino.Round{ID: "free", Parent: "paid"}
			return b.Floor.BetAndSettle(b.t.Context(), casino.BetAndSettle{Call: call, Win: usd(amount)})
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ana := sit(t, "0")
			ana.round = "paid"
			bob := ana
			bob.who = ana.Player(t, "bob", usd("100"))
			ana.Grant(t, ana.who, usd("50"), 40*money.One, nil)
			outcome, err := ana.bet("ana-b", "10")
			done(t, outcome, err)
			outcome, err = bob.bet("bob-b", "10")
			done(t, outcome, err)
			for i, id := range []string{"1", "2", "3"} {
				outcome, err = spin(ana, "ana-w"+id, "20")
				done(t, outcome, err)
				ana.pockets("0", []string{"60", "80", "100"}[i])
				outcome, err = spin(bob, "bob-w"+id, "20")
				done(t, outcome, err)
				bob.pockets([]string{"110", "130", "150"}[i], "0")
			}
			outcome, err = ana.rollback("ana-w2")
			done(t, outcome, err)
			ana.pockets("0", "80")
			bob.pockets("150", "0")
		})
	}
}
