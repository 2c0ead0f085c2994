package casino_test

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"evens/casino"
	"evens/casino/casinotest"
	"evens/internal/testbed"
	"evens/ledger"
	"evens/money"
	"evens/player"
	"evens/wallet"
)

// plain is a wallet as a child would keep it: a number a player, and what each id stands for.
type plain struct {
	cash   map[string]money.Amount
	done   map[string]plainDone
	rounds map[string]plainRound
}

type plainDone struct {
	who     string
	content string
	change  money.Amount
	refused bool
	undone  bool
	buried  bool
	bet     bool
	round   string
}

type plainRound struct {
	bets, rolledBack int
	late             bool // a bet of it came after its rollback
}

func newPlain() *plain {
	return &plain{map[string]money.Amount{}, map[string]plainDone{}, map[string]plainRound{}}
}

// order is one instruction as the model and the floor both take it.
type order struct {
	verb       string // bet, win, both, rollback
	who        string
	id, round  string
	stake, win money.Amount
}

// do says what must become of an order: the player's cash afterwards, and the error.
func (p *plain) do(o order) (cash money.Amount, want error) {
	key := o.id
	done, known := p.done[key]
	if o.verb == "rollback" {
		return p.rollback(o, done, known)
	}
	content := fmt.Sprint(o.verb, o.who, o.stake, o.win, o.round)
	switch {
	case known && done.buried:
		if o.verb == "bet" {
			round := p.rounds[o.round+o.who]
			round.late = true
			p.rounds[o.round+o.who] = round
		}
		return p.cash[o.who], casino.ErrRolledBack
	case known && done.content != content:
		return p.cash[o.who], ledger.ErrConflict
	case known && done.undone:
		return p.cash[o.who], casino.ErrRolledBack
	case known && done.refused:
		return p.cash[o.who], wallet.ErrInsufficientFunds
	case known:
		return p.cash[o.who], nil
	}
	round := p.rounds[o.round+o.who]
	done = plainDone{who: o.who, content: content, bet: o.verb != "win", round: o.round}
	if o.verb == "win" && (round.late && round.bets == 0 || round.bets > 0 && round.rolledBack == round.bets) {
		return p.cash[o.who], casino.ErrRolledBack
	}
	if o.verb != "win" && o.stake > 0 && p.cash[o.who] < o.stake {
		done.refused = true
		p.done[key] = done
		return p.cash[o.who], wallet.ErrInsufficientFunds
	}
	if o.verb != "win" {
		round.bets++
		p.rounds[o.round+o.who] = round
	}
	done.change = o.win - o.stake
	p.cash[o.who] += done.change
	p.done[key] = done
	return p.cash[o.who], nil
}

func (p *plain) rollback(o order, done plainDone, known bool) (money.Amount, error) {
	switch {
	case !known:
		p.done[o.id] = plainDone{who: o.who, buried: true}
	case done.buried:
	case done.who != o.who:
		return p.cash[o.who], ledger.ErrConflict
	case !done.refused && !done.undone:
		done.undone = true
		p.done[o.id] = done
		p.cash[o.who] -= done.change
		if done.bet {
			round := p.rounds[done.round+o.who]
			round.rolledBack++
			p.rounds[done.round+o.who] = round
		}
	}
	return p.cash[o.who], nil
}

// perform gives an order to the floor.
func perform(t *testing.T, h *casinotest.Hall, players map[string]player.Identity, o order) (casino.Outcome, error) {
	call := casino.Call{Provider: platform, ID: o.id, Player: players[o.who], Round: casino.Round{ID: o.round}, At: h.Now()}
	ctx := t.Context()
	switch o.verb {
	case "bet":
		return h.Floor.Bet(ctx, casino.Bet{Call: call, Stake: o.stake})
	case "win":
		return h.Floor.Win(ctx, casino.Win{Call: call, Amount: o.win})
	case "both":
		return h.Floor.BetAndSettle(ctx, casino.BetAndSettle{Call: call, Stake: o.stake, Win: o.win})
	default:
		return h.Floor.Rollback(ctx, casino.Rollback{Call: call})
	}
}

// Any order of any instructions ends where the plain model ends, answer by answer.
func TestFloorIsAPlainWallet(t *testing.T) {
	t.Parallel()
	h := casinotest.Open(t, testbed.Database(t))
	run := 0
	rapid.Check(t, func(rt *rapid.T) {
		run++
		model, players := newPlain(), map[string]player.Identity{}
		for _, name := range []string{"ana", "bob"} {
			name = fmt.Sprint(name, run)
			players[name] = h.Player(t, name, usd("20"))
			model.cash[name] = usd("20")
		}
		names := rapid.SampledFrom([]string{fmt.Sprint("ana", run), fmt.Sprint("bob", run)})
		amounts := rapid.Map(rapid.Int64Range(0, 120_000), func(n int64) money.Amount { return money.Amount(n) })
		for range rapid.IntRange(1, 40).Draw(rt, "steps") {
			o := order{
				verb: rapid.SampledFrom([]string{"bet", "win", "both", "rollback"}).Draw(rt, "verb"),
				who:  names.Draw(rt, "who"),
				id:   fmt.Sprintf("%d-%d", run, rapid.IntRange(0, 12).Draw(rt, "id")), round: fmt.Sprintf("%d-%d", run, rapid.IntRange(0, 3).Draw(rt, "round")),
			}
			if o.verb == "bet" || o.verb == "both" {
				o.stake = amounts.Draw(rt, "stake")
			}
			if o.verb == "win" || o.verb == "both" {
				o.win = amounts.Draw(rt, "win")
			}
			cash, want := model.do(o)
			outcome, err := perform(t, h, players, o)
			if !errors.Is(err, want) || want == nil && err != nil {
				rt.Fatalf("%+v: %v, want %v", o, err, want)
			}
			if err == nil && outcome.Cash != cash {
				rt.Fatalf("%+v: balance %s, want %s", o, outcome.Cash, cash)
			}
		}
		for name, cash := range maps.All(model.cash) {
			if got := h.Cash(t, players[name]); got != cash {
				rt.Fatalf("%s has %s, want %s", name, got, cash)
			}
		}
	})
}

// Sixteen players play at once, each against a plain model: EVENS_CASINO_INSTRUCTIONS in all
// (16,000 by default; a million takes some minutes).
func TestManyInstructionsAtOnce(t *testing.T) {
	t.Parallel()
	total := 16_000
	if text := os.Getenv("EVENS_CASINO_INSTRUCTIONS"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil {
			t.Fatalf("EVENS_CASINO_INSTRUCTIONS: %v", err)
		}
		total = n
	}
	if testing.Short() {
		total = 1600
	}
	const tables = 64
	h := casinotest.Open(t, testbed.Database(t))
	var wg sync.WaitGroup
	for seat := range tables {
		name := fmt.Sprint("player-", seat)
		players := map[string]player.Identity{name: h.Player(t, name, usd("500"))}
		wg.Go(func() {
			random := rand.New(rand.NewPCG(42, uint64(seat)))
			model := newPlain()
			model.cash[name] = usd("500")
			for step := range total / tables {
				// Ids are used again while they are young: repeats, conflicts and rollbacks meet them.
				o := order{
					verb: []string{"bet", "win", "both", "rollback"}[random.IntN(4)], who: name,
					id:    fmt.Sprintf("%d-%d", seat, max(0, step-random.IntN(20))),
					round: fmt.Sprintf("%d-%d", seat, step/8),
				}
				if o.verb == "bet" || o.verb == "both" {
					o.stake = money.Amount(random.Int64N(100_000) * random.Int64N(3))
				}
				if o.verb == "win" || o.verb == "both" {
					o.win = money.Amount(random.Int64N(100_000) * random.Int64N(3))
				}
				cash, want := model.do(o)
				outcome, err := perform(t, h, players, o)
				if !errors.Is(err, want) || want == nil && err != nil || err == nil && outcome.Cash != cash {
					t.Errorf("step %d, %+v: %s, %v; want %s, %v", step, o, outcome.Cash, err, cash, want)
					return
				}
			}
			if got := h.Cash(t, players[name]); got != model.cash[name] {
				t.Errorf("%s has %s, want %s", name, got, model.cash[name])
			}
		})
	}
	wg.Wait()
}
