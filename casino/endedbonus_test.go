package casino_test

import (
	"fmt"
	"sync"
	"testing"

	"evens/casino"
	"evens/money"
	"evens/wallet"
)

// bonusTable is a table whose player has staked 10.00 of a bonus of 50.00 in the round.
func bonusTable(t *testing.T, stake func(b table)) table {
	t.Helper()
	b := sit(t, "0")
	b.Grant(t, b.who, usd("50"), 40*money.One, nil)
	stake(b)
	return b
}

func (b table) forfeit() {
	b.t.Helper()
	err := wallet.ForfeitBonus(b.t.Context(), b.Poster, wallet.Forfeiture{
		Player: b.who.ID, Bonus: b.Bonus(b.t, b.who).ID, Operator: "ana", Comment: "asked for it", At: b.Now(),
	})
	if err != nil {
		b.t.Fatal(err)
	}
}

// pockets fails unless the player's pockets hold as much.
func (b table) pockets(cash, bonus string) {
	b.t.Helper()
	balance, err := b.Players.Balance(b.t.Context(), b.who.ID)
	if err != nil {
		b.t.Fatal(err)
	}
	if balance.Cash != usd(cash) || balance.Bonus != usd(bonus) {
		b.t.Errorf("the pockets hold %s and %s, want %s and %s", balance.Cash, balance.Bonus, cash, bonus)
	}
}

func done(t *testing.T, _ casino.Outcome, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// However a win finds the stake it is for, it follows the bonus that paid that stake when it has ended:
// it reaches neither a pocket that belongs to no bonus nor the next bonus, and taken back it leaves
// nothing behind.
func TestEveryWinFollowsABonusThatHasEnded(t *testing.T) {
	t.Parallel()
	call := func(b table, id, round, parent string) casino.Call {
		c := b.call(id)
		c.Round = casino.Round{ID: round, Parent: parent}
		return c
	}
	bet := func(b table, id, round, stake string) {
		outcome, err := b.Floor.Bet(b.t.Context(), casino.Bet{Call: call(b, id, round, ""), Stake: usd(stake)})
		done(b.t, outcome, err)
	}
	for name, win := range map[string]func(b table) (casino.Outcome, error){
		"named bet": func(b table) (casino.Outcome, error) {
			return b.Floor.Win(b.t.Context(), casino.Win{Call: call(b, "w", "r", ""), Amount: usd("500"), Bet: "b"})
		},
		"round": func(b table) (casino.Outcome, error) {
			return b.Floor.Win(b.t.Context(), casino.Win{Call: call(b, "w", "r", ""), Amount: usd("500")})
		},
		"parent round": func(b table) (casino.Outcome, error) {
			return b.Floor.Win(b.t.Context(), casino.Win{Call: call(b, "w", "free", "r"), Amount: usd("500")})
		},
		"latest bet": func(b table) (casino.Outcome, error) {
			return b.Floor.Win(b.t.Context(), casino.Win{Call: call(b, "w", "", ""), Amount: usd("500")})
		},
		"free spin of the round": func(b table) (casino.Outcome, error) {
			return b.Floor.BetAndSettle(b.t.Context(), casino.BetAndSettle{Call: call(b, "w", "r", ""), Win: usd("500")})
		},
		"free spin of a parent": func(b table) (casino.Outcome, error) {
			return b.Floor.BetAndSettle(b.t.Context(), casino.BetAndSettle{Call: call(b, "w", "free", "r"), Win: usd("500")})
		},
		"free spin whose bet named the parent": func(b table) (casino.Outcome, error) {
			outcome, err := b.Floor.Bet(b.t.Context(), casino.Bet{Call: call(b, "f", "free", "r")})
			done(b.t, outcome, err)
			return b.Floor.Win(b.t.Context(), casino.Win{Call: call(b, "w", "free", ""), Amount: usd("500"), Bet: "f"})
		},
	} {
		for _, next := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, next bonus %t", name, next), func(t *testing.T) {
				t.Parallel()
				b := bonusTable(t, func(b table) { bet(b, "b", "r", "10") })
				b.forfeit()
				pocket := "0"
				if next {
					b.Grant(t, b.who, usd("1"), 40*money.One, nil)
					pocket = "1"
				}
				outcome, err := win(b)
				done(t, outcome, err)
				b.pockets("0", pocket)
				outcome, err = b.rollback("w")
				done(t, outcome, err)
				b.pockets("0", pocket)
				if got := b.Bonus(t, b.who); next && (got.Status != wallet.BonusActive || got.Balance != usd("1")) {
					t.Errorf("the next bonus is %s with %s", got.Status, got.Balance)
				}
			})
		}
	}
}

// Where the bonus was completed its late winnings become cash, whoever else is decided in the same
// batch.
func TestAFreeSpinAfterACompletedBonus(t *testing.T) {
	t.Parallel()
	for _, company := range []bool{false, true} {
		t.Run(fmt.Sprint("in company ", company), func(t *testing.T) {
			t.Parallel()
			b := sit(t, "0")
			b.Grant(t, b.who, usd("50"), money.One/5, nil) // ten to be staked
			outcome, err := b.both("b", "10", "0")
			done(t, outcome, err)
			b.pockets("40", "0")
			var wg sync.WaitGroup
			if company {
				for i := range 8 {
					wg.Go(func() {
						if _, err := b.win(fmt.Sprint("other", i), "0"); err != nil {
							t.Error(err)
						}
					})
				}
			}
			outcome, err = b.both("free", "0", "500")
			wg.Wait()
			done(t, outcome, err)
			b.pockets("540", "0")
		})
	}
}

// A round is paid by one bonus: while one that has ended has a part in it the next pays nothing of it,
// and gets nothing of what it wins.
func TestARoundIsPaidByOneBonus(t *testing.T) {
	t.Parallel()
	b := bonusTable(t, func(b table) {
		outcome, err := b.bet("first", "10")
		done(b.t, outcome, err)
	})
	b.forfeit()
	b.Grant(t, b.who, usd("1"), 40*money.One, nil)
	b.Deposit(t, b.who.ID, usd("10"))
	_, err := b.bet("too much", "10.50")
	b.refuses(err, wallet.ErrInsufficientFunds, "10")
	outcome, err := b.bet("second", "10")
	done(t, outcome, err)
	b.pockets("0", "1")
	outcome, err = b.win("w", "40") // half of the round's stakes were cash
	done(t, outcome, err)
	b.pockets("20", "1")
	b.round = "another"
	outcome, err = b.bet("third", "20.50")
	done(t, outcome, err)
	b.pockets("0", "0.50")
}
