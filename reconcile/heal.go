package reconcile

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"evens/casino"
	"evens/money"
	"evens/player"
	"evens/wallet"
)

// healing is what heals a break, decided with it.
type healing struct {
	pair   pair
	coupon *couponPair
}

// decide says what the policy makes of a difference: a rollback gives a player back what we took
// for nothing, a post pays what was never paid, where their list tells enough for it. Whatever takes
// money from a player waits for a person.
func (p Policy) decide(provider string, kind Kind, of pair, payable bool) Action {
	t, o := of.theirs, of.ours
	action, amount, currency := ActPerson, money.Amount(0), ""
	switch {
	case t != nil && t.unproven():
		return ActPerson
	case kind == MissingHere && t.Net > 0 && !t.Debit && !t.Duplicate:
		if payable {
			action, amount, currency = ActPost, t.Net, t.Currency
		}
	case kind == MissingThere && o.Net < 0:
		action, amount, currency = ActRollback, o.Net, o.Currency
	case kind == StatusDiffers && of.sameEvent() && of.reversedWhole() && !o.Undone && o.Net < 0 && (t.Undone || !t.Moved && t.Debit): // a win that failed is none of the bet's
		action, amount, currency = ActRollback, o.Net, o.Currency
	}
	if action == ActPerson || provider == wallet.CashSource && action == ActRollback || !p.allows(provider, kind, amount, money.Currency(currency)) {
		return ActPerson
	}
	return action
}

// sameEvent reports whether both sides speak of the same player, currency and sum: what a list says of
// another proves nothing of ours.
func (p pair) sameEvent() bool {
	t, o := p.theirs, p.ours
	return (t.Player == "" || t.Player == o.Player) && (t.Currency == "" || t.Currency == o.Currency) && (!t.Debit || t.Listed == o.Net)
}

// newBreak describes a pair's difference of one kind.
func (r *Reconciler) newBreak(provider string, kind Kind, of pair) (*Break, error) {
	b := &Break{Provider: provider, Kind: kind, TransactionID: of.id, State: StateOpen, heal: &healing{pair: of}}
	b.Action = r.policy.decide(provider, kind, of, r.platforms.payable(provider, of))
	if t := of.theirs; t != nil {
		b.Player, b.Currency, b.Amount, b.At = t.Player, t.Currency, t.Net, t.At
	}
	if o := of.ours; o != nil {
		b.Player, b.Currency, b.Amount, b.At = o.Player, o.Currency, o.Net, o.At
	}
	var err error
	if of.ours != nil {
		b.Ours, err = json.Marshal(of.ours)
	}
	if err == nil && of.theirs != nil {
		b.Theirs, err = json.Marshal(of.theirs)
	}
	return b, err
}

// healAll heals what the policy lets heal. What cannot be healed stays open, with the reason in its
// history; the books are as even as before.
func (r *Reconciler) healAll(ctx context.Context, breaks []*Break) error {
	for _, b := range breaks {
		if b.Action == ActPerson || b.Action == ActWait || b.State != StateOpen && b.State != StateHealing {
			continue
		}
		if err := r.move(ctx, b, StateHealing, "healing", string(b.Action), uuid.Nil, StateOpen, StateHealing); err != nil {
			return err
		}
		transaction, ended, err := r.heal(ctx, b)
		switch {
		case err != nil && temporary(err):
			return fmt.Errorf("heal %s %s: %w", b.Provider, b.TransactionID, err)
		case err != nil:
			err = r.move(ctx, b, StateOpen, "not healed", err.Error(), uuid.Nil, StateHealing)
		case ended:
			err = r.move(ctx, b, StateResolved, "healed", string(b.Action), transaction, StateHealing)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func temporary(err error) bool {
	return casino.Code(err) == "unavailable" || errors.Is(err, context.Canceled)
}

var errUnhealable = errors.New("there is nothing to heal it with")

// heal does what the action says. ended: it is done now, not by a job later.
func (r *Reconciler) heal(ctx context.Context, b *Break) (transaction uuid.UUID, ended bool, err error) {
	of := b.heal.pair
	comment := casino.HealedBy(b.ID)
	switch b.Action {
	case ActRollback:
		if r.floor == nil || of.ours == nil {
			return uuid.Nil, false, errUnhealable
		}
		return r.rollback(ctx, b, comment)
	case ActPost:
		return r.post(ctx, b, comment)
	case ActSettle:
		return uuid.Nil, false, r.settle(ctx, b.heal.coupon)
	case ActAdopt:
		return uuid.Nil, true, r.adopt(ctx, b.heal.coupon)
	default:
		return uuid.Nil, false, errUnhealable
	}
}

// rollback undoes what stands under the id. Where bets are known by their round, the bet's id is it.
func (r *Reconciler) rollback(ctx context.Context, b *Break, comment string) (uuid.UUID, bool, error) {
	o := b.heal.pair.ours
	outcome, err := r.floor.Rollback(ctx, casino.Rollback{Call: casino.Call{
		Provider: b.Provider, ID: b.TransactionID, Comment: comment, At: r.now(), List: true,
		Player: player.Identity{ID: o.PlayerID, ExternalID: o.Player, Currency: money.Currency(o.Currency)},
	}})
	if err == nil && outcome.Unknown {
		err = errUnhealable
	}
	return outcome.Transaction, err == nil, err
}

// post pays a credit under the key of its own event: should it still come, it is a repeat.
func (r *Reconciler) post(ctx context.Context, b *Break, comment string) (uuid.UUID, bool, error) {
	t := b.heal.pair.theirs
	who, err := r.players.Find(ctx, t.Player)
	if err != nil {
		return uuid.Nil, false, err
	}
	if b.Provider == wallet.CashSource {
		return r.deposit(ctx, b, who)
	}
	win, known := r.platforms.win(b.Provider, b.TransactionID, t.Round)
	if r.floor == nil || !known {
		return uuid.Nil, false, errUnhealable
	}
	win.Amount, win.Player, win.Currency, win.Comment, win.At, win.Happened = t.Net, who, money.Currency(t.Currency), comment, r.now(), t.At
	if win.Bet == "" && win.Round.ID == "" {
		if win.Game, err = r.gameOf(ctx, win.Call); err != nil {
			return uuid.Nil, false, err
		}
	}
	outcome, err := r.floor.Win(ctx, win)
	return outcome.Transaction, err == nil, err
}

// Index: transactions_key.
const readDeposit = `SELECT id FROM transactions WHERE source = $1 AND external_id = $2`

func (r *Reconciler) deposit(ctx context.Context, b *Break, who player.Identity) (id uuid.UUID, ended bool, err error) {
	t := b.heal.pair.theirs
	// It has happened: no limit of the player's refuses it.
	_, err = wallet.Tell(ctx, r.poster, wallet.Cash{
		Player: who.ID, Amount: t.Net, Currency: money.Currency(t.Currency), Method: "reconciliation", TransactionID: b.TransactionID, At: r.now(),
	}, wallet.DepositSucceeded)
	if err == nil {
		err = r.db.Pool.QueryRow(ctx, readDeposit, wallet.CashSource, b.TransactionID).Scan(&id)
	}
	return id, err == nil, err
}

// The player's latest bet that stands on each game of the day before a win. Indexes: transactions_player,
// transactions_key.
const readLatestBets = `
	SELECT DISTINCT ON (x.game_id) coalesce(x.game_id, ''), coalesce(x.bonus_amount, 0) <> 0, s.stands
	  FROM transactions x
	 CROSS JOIN LATERAL (SELECT NOT EXISTS (SELECT FROM transactions u
	                                         WHERE u.source = x.source || ':rollback' AND u.external_id = x.external_id) AS stands) s
	 WHERE x.player_id = $1 AND x.id >= $2 AND x.id < $3 AND x.provider = $4 AND x.kind = 'bet' AND x.staked > 0
	 ORDER BY x.game_id, s.stands DESC, x.id DESC`

var errWhichGame = errors.New("the list does not tell the game, and the player's bets were paid from different pockets")

// gameOf finds the game of a win whose list tells neither game nor bet. By the game a win follows its
// bet's pocket: where it makes a difference which game it was, nobody knows.
func (r *Reconciler) gameOf(ctx context.Context, c casino.Call) (game string, err error) {
	first, last := idsBetween(c.Happened.Add(-casino.RecentBets), c.Happened.Add(Skew))
	rows, err := r.db.Pool.Query(ctx, readLatestBets, c.Player.ID, first, last, c.Provider)
	if err != nil {
		return "", fmt.Errorf("look for a win's bet: %w", err)
	}
	games, bonus := 0, false
	var one string
	var fromBonus, stands bool
	_, err = pgx.ForEachRow(rows, []any{&one, &fromBonus, &stands}, func() error {
		if stands {
			games, bonus = games+1, bonus || fromBonus
		}
		if stands || games == 0 { // where no bet stands the win is refused, as its own call would be
			game = one
		}
		return nil
	})
	if err != nil {
		return "", fmt.Errorf("look for a win's bet: %w", err)
	}
	if games > 1 && bonus {
		return "", errWhichGame
	}
	return game, nil
}
