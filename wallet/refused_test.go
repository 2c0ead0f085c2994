package wallet_test

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"evens/ledger"
	"evens/money"
	"evens/wallet"
)

var errThoughtBetter = errors.New("thought better of it")

// staking posts a stake on slots.
func (p *purse) staking(batch *wallet.Batch, key ledger.Key, stake string) error {
	amount := money.MustParse(stake)
	paid, err := batch.Stake(wallet.Staking{
		Player: p.id, Currency: "USD", Wager: wallet.Wager{Category: "slots", Stake: amount}, Provider: "game", Reference: key.ExternalID, At: at,
	})
	if err != nil {
		return err
	}
	_, _, err = batch.Post(ledger.Transaction{
		Key: key, Kind: ledger.Bet, Provider: key.Source, Player: p.id, BonusID: paid.BonusID, Contribution: paid.Contribution,
		Staked: amount, Effective: at, At: at, Payload: ledger.HashOf(stake),
	}, paid.Moves(ledger.Casino)...)
	return err
}

// lived is a player who has been through an earlier bonus, completed, and has 30.00 of another and a limit.
func (b *bank) lived() (p *purse, earlier *ledger.Transaction) {
	b.t.Helper()
	p = b.purse("100")
	p.grant("10", "1", nil)
	first := p.mustBet("slots", "105", at) // 100 of cash, 5 of the bonus: it is wagered
	p.grant("30", "1", nil)
	p.limit(at, func(w *wallet.Wish) { w.Caps[wallet.Wagers][wallet.Daily] = cap("200") })
	return p, first
}

// standing is all that a player has: pockets, bonuses, what is used of limits, and what the log tells.
func (p *purse) standing() string {
	p.t.Helper()
	balance, err := p.players.Balance(p.t.Context(), p.id)
	if err != nil {
		p.t.Fatal(err)
	}
	var s strings.Builder
	fmt.Fprintf(&s, "cash %s, bonus %s\n", balance.Cash, balance.Bonus)
	bonuses, err := wallet.Bonuses(p.t.Context(), p.db, p.id, uuid.NullUUID{}, 10)
	if err != nil {
		p.t.Fatal(err)
	}
	for _, b := range bonuses {
		fmt.Fprintf(&s, "%s: wagered %s, released %s, converted %s\n", b.Status, b.Wagered, b.Released, b.Converted)
	}
	view, err := p.rulebook(at).Read(p.t.Context(), p.id)
	if err != nil {
		p.t.Fatal(err)
	}
	fmt.Fprintln(&s, "used", view.Used)
	rows, err := p.db.Pool.Query(p.t.Context(), `SELECT event FROM activity_log WHERE player_id = $1 ORDER BY id`, p.id)
	if err != nil {
		p.t.Fatal(err)
	}
	events, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		p.t.Fatal(err)
	}
	fmt.Fprintln(&s, events)
	return s.String()
}

// inOneBatch has works of a player decided in one batch, in their order.
func (p *purse) inOneBatch(decide ...func(*wallet.Batch) error) (refusals []error) {
	p.t.Helper()
	works := make([]*wallet.Work, len(decide))
	for i := range decide {
		works[i] = &wallet.Work{Players: []uuid.UUID{p.id}, Statuses: true, Winnings: true, At: at, Decide: decide[i]}
	}
	refusals, err := wallet.NewBooks(p.db, nil, slog.New(slog.DiscardHandler)).Together(p.t.Context(), works...)
	if err != nil {
		p.t.Fatal(err)
	}
	return refusals
}

// Two works of one player are decided in one batch, and one of them is refused after it has posted. The player, and
// the other work, are where they would be without it: pockets, bonuses, usage and log.
func TestARefusedWorkLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	for name, refused := range map[string]func(p *purse, batch *wallet.Batch, earlier *ledger.Transaction) error{
		"a stake": func(p *purse, batch *wallet.Batch, _ *ledger.Transaction) error {
			return p.staking(batch, p.key(), "10")
		},
		"a stake that completes the bonus": func(p *purse, batch *wallet.Batch, _ *ledger.Transaction) error {
			return p.staking(batch, p.key(), "30")
		},
		"a forfeiture": func(p *purse, batch *wallet.Batch, _ *ledger.Transaction) error {
			return batch.Forfeit(p.id, p.newest().ID, "ana", "asked for it", at)
		},
		"a forfeiture and the next bonus": func(p *purse, batch *wallet.Batch, _ *ledger.Transaction) error {
			if err := batch.Forfeit(p.id, p.newest().ID, "ana", "asked for it", at); err != nil {
				return err
			}
			_, err := batch.Grant(wallet.Grant{Player: p.id, Currency: "USD", Amount: money.MustParse("7"), Wagering: money.One, Terms: wallet.OpenTerms(), At: at})
			return err
		},
		"a win of the earlier bonus": func(p *purse, batch *wallet.Batch, earlier *ledger.Transaction) error {
			_, _, err := batch.Post(ledger.Transaction{Key: p.key(), Kind: ledger.Win, Player: p.id, Provider: "game", BonusID: earlier.BonusID, Effective: at, At: at},
				ledger.Move{From: ledger.Casino, To: ledger.Bonus, Amount: money.MustParse("4")})
			return err
		},
	} {
		for _, first := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, first %t", name, first), func(t *testing.T) {
				t.Parallel()
				b := open(t)
				p, earlier := b.lived()
				twin, _ := b.lived()
				neighbour, _ := b.lived()
				before := neighbour.standing()
				bad := func(batch *wallet.Batch) error {
					if err := refused(p, batch, earlier); err != nil {
						return err
					}
					return errThoughtBetter
				}
				good := func(p *purse) func(*wallet.Batch) error {
					key := p.key()
					return func(batch *wallet.Batch) error { return p.staking(batch, key, "5") }
				}
				works := []func(*wallet.Batch) error{bad, good(p)}
				if !first {
					works = []func(*wallet.Batch) error{works[1], works[0]}
				}
				for i, err := range p.inOneBatch(works...) {
					if wants := map[bool]error{true: errThoughtBetter}[(i == 0) == first]; !errors.Is(err, wants) {
						t.Fatalf("work %d: %v, want %v", i, err, wants)
					}
				}
				for _, err := range twin.inOneBatch(good(twin)) {
					if err != nil {
						t.Fatal(err)
					}
				}
				if got, want := p.standing(), twin.standing(); got != want {
					t.Errorf("it stands\n%s\nwithout the refused work\n%s", got, want)
				}
				if got := neighbour.standing(); got != before {
					t.Errorf("the neighbour stands\n%s\nbefore\n%s", got, before)
				}
			})
		}
	}
}

// A bonus that has ended is not forfeited, nor is the one after it in its place, nor somebody else's.
func TestOnlyTheNamedBonusIsForfeited(t *testing.T) {
	t.Parallel()
	b := open(t)
	ana, bob := b.purse("10"), b.purse("10")
	first := ana.grant("20", "40", nil)
	if err := ana.forfeit(first.ID, "asked for it", at); err != nil {
		t.Fatal(err)
	}
	ana.grant("30", "40", nil)
	other := bob.grant("40", "40", nil)
	for name, id := range map[string]uuid.UUID{"that has ended": first.ID, "of somebody else": other.ID, "of nobody": uuid.New()} {
		if err := ana.forfeit(id, "again", at); !errors.Is(err, wallet.ErrNoBonus) {
			t.Errorf("a bonus %s: %v, want ErrNoBonus", name, err)
		}
	}
	ana.has("10.00", "30.00")
	ana.stands(wallet.BonusActive, "0.00", "0.00")
	bob.has("10.00", "40.00")
	bob.stands(wallet.BonusActive, "0.00", "0.00")
}

// A raise that waits is pending until its day has come, and no longer; another that was asked for later still is.
func TestARaiseWhoseDayHasCome(t *testing.T) {
	t.Parallel()
	b := open(t)
	p, neighbour := b.purse("10"), b.purse("10")
	for _, one := range []*purse{p, neighbour} {
		one.limit(at, func(w *wallet.Wish) {
			w.Caps[wallet.Wagers][wallet.Daily], w.Caps[wallet.Wagers][wallet.Weekly] = cap("50"), cap("100")
		})
	}
	p.limit(at, func(w *wallet.Wish) { w.Caps[wallet.Wagers][wallet.Daily] = cap("80") })
	p.limit(at.Add(time.Hour), func(w *wallet.Wish) { w.Caps[wallet.Wagers][wallet.Weekly] = &wallet.Cap{} })
	comes := at.Add(wallet.RaiseAfter)
	stands := func(when time.Time, daily, weekly string, pending ...wallet.Period) {
		t.Helper()
		view, err := p.rulebook(when).Read(t.Context(), p.id)
		if err != nil {
			t.Fatal(err)
		}
		var waits []wallet.Period
		for _, raise := range view.Raises {
			waits = append(waits, raise.Period)
		}
		said := func(c wallet.Cap) string {
			if !c.Set {
				return "none"
			}
			return c.Amount.String()
		}
		caps := view.Limits[wallet.Wagers]
		if said(caps[wallet.Daily]) != daily || said(caps[wallet.Weekly]) != weekly || fmt.Sprint(waits) != fmt.Sprint(pending) {
			t.Errorf("%s: %s a day, %s a week, pending %v; want %s, %s, %v", when.Format(time.TimeOnly),
				said(caps[wallet.Daily]), said(caps[wallet.Weekly]), waits, daily, weekly, pending)
		}
	}
	stands(at, "50.00", "100.00", wallet.Daily, wallet.Weekly)
	stands(comes.Add(-time.Second), "50.00", "100.00", wallet.Daily, wallet.Weekly)
	stands(comes, "80.00", "100.00", wallet.Weekly)
	// What comes later is written down without it.
	p.limit(comes, func(w *wallet.Wish) { w.Caps[wallet.Deposits][wallet.Daily] = cap("500") })
	stands(comes, "80.00", "100.00", wallet.Weekly)
	var written string
	err := b.db.Pool.QueryRow(t.Context(), `SELECT limits[7] || ' ' || jsonb_array_length(waiting -> 'raises') FROM allowances WHERE player_id = $1`, p.id).Scan(&written)
	if err != nil || written != "800000 1" {
		t.Errorf("written down: %q, %v", written, err)
	}
	stands(comes.Add(time.Hour), "80.00", "none")
	view, err := neighbour.rulebook(comes.Add(time.Hour)).Read(t.Context(), neighbour.id)
	if err != nil || view.Limits[wallet.Wagers][wallet.Daily].Amount.String() != "50.00" || len(view.Raises) > 0 {
		t.Errorf("the neighbour: %+v, %v", view.Rules, err)
	}
}
