package reconcile

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgtype"

	"evens/casino"
	"evens/internal/postgres"
	"evens/money"
	"evens/player"
)

// transactions compares what moved players' money, by its id: bets and wins.
type transactions struct{ run }

// match implements comparison. What our side of the window does not have is looked for at any time.
func (t *transactions) match(ctx context.Context, f *findings) (err error) {
	var here, never []*transactionPair // never: failed or undone there, and ours of another time would stand
	f.ours, err = t.differing(ctx, func(p *transactionPair) error {
		switch {
		case p.ours != nil:
			return t.add(f, p)
		case len(p.classify()) == 0:
			if never = append(never, p); len(never) < keptAtOnce {
				return nil
			}
			some := never
			never = nil
			return t.lookAgain(ctx, f, some)
		}
		if here = append(here, p); len(here) > mostBreaks {
			return fmt.Errorf("more than %d transactions that are not here: this is another list", mostBreaks)
		}
		return nil
	})
	if err == nil {
		err = t.lookAgain(ctx, f, append(here, never...))
	}
	if err == nil {
		f.breaks, err = t.sameUnderTwoIDs(f.breaks)
	}
	return err
}

// add keeps how a pair differs, if that is for this run to say and its line can be read.
func (t *transactions) add(f *findings, p *transactionPair) error {
	kinds := p.classify()
	switch {
	case !t.statement.judges(p), p.theirs == nil && t.statement.unread[p.id]:
		return nil
	case len(kinds) > 0:
		return f.add(p, kinds)
	case p.ours == nil:
		f.cancelled++
	}
	return nil
}

// judges reports whether a pair is of the window: at least one side's time is in it.
func (s *statement) judges(p *transactionPair) bool {
	return p.ours != nil && s.covers(p.ours.At) || p.theirs != nil && s.covers(p.theirs.At)
}

// lookAgain asks for what our side of the window does not have at any time before it is called
// missing.
func (t *transactions) lookAgain(ctx context.Context, f *findings, pairs []*transactionPair) error {
	for some := range slices.Chunk(pairs, keptAtOnce) {
		found, err := t.anyTime(ctx, some)
		if err != nil {
			return err
		}
		kept, err := t.keptOut(ctx, some)
		if err != nil {
			return err
		}
		for _, p := range some {
			if kept[p.id] {
				continue // its rollback came here too, before it
			}
			p.ours = found[p.id]
			if err := t.add(f, p); err != nil {
				return err
			}
		}
	}
	return nil
}

// decide implements comparison: a win is paid whose key the list tells, and a bet that has won stays.
func (t *transactions) decide(ctx context.Context, breaks []*Break) error {
	tellsKey := func(b *Break) bool {
		if b.Action != ActPost {
			return true
		}
		_, known := t.platforms.win(t.provider, b.TransactionID, pairOf(b).theirs.Round)
		return known
	}
	// No time is near enough: the times of platforms have been compared.
	if err := t.propose(ctx, breaks, tellsKey, 0); err != nil {
		return err
	}
	return t.keepWon(ctx, breaks)
}

// propose gives each break what heals its pair, where that may be done by itself. may says what the list must
// tell for it; apart is how far the times of one payment under two ids may lie apart.
func (t *transactions) propose(ctx context.Context, breaks []*Break, may func(*Break) bool, apart time.Duration) error {
	for _, b := range breaks {
		b.Action = pairOf(b).remedy(b.Kind)
		if b.Action != ActPerson && (!may(b) || !t.policy.allows(b.Provider, b.Kind, b.Amount, money.Currency(b.Currency))) {
			b.Action = ActPerson
		}
		b.waits = pairOf(b).unproven(b.Kind) || b.Kind == MissingThere && b.Action == ActRollback
	}
	return t.paidUnderAnotherID(ctx, breaks, apart)
}

// heal implements comparison.
func (t *transactions) heal(ctx context.Context, b *Break) (transaction uuid.UUID, ended bool, err error) {
	switch {
	case t.floor == nil:
		return uuid.Nil, false, errUnhealable
	case b.Action == ActRollback:
		return t.rollback(ctx, b)
	default:
		return t.pay(ctx, b)
	}
}

// rollback undoes what stands under the id. Where bets are known by their round, the bet's id is it.
func (t *transactions) rollback(ctx context.Context, b *Break) (uuid.UUID, bool, error) {
	o := pairOf(b).ours
	outcome, err := t.floor.Rollback(ctx, casino.Rollback{Call: casino.Call{
		Provider: b.Provider, ID: b.TransactionID, Comment: casino.HealedBy(b.ID), At: t.now(), List: true,
		Player: player.Identity{ID: o.PlayerID, ExternalID: o.Player, Currency: money.Currency(o.Currency)},
	}})
	if err == nil && outcome.Unknown {
		err = errUnhealable
	}
	return outcome.Transaction, err == nil, err
}

// pay pays a win under the key of its own event: should it still come, it is a repeat.
func (t *transactions) pay(ctx context.Context, b *Break) (uuid.UUID, bool, error) {
	theirs := pairOf(b).theirs
	who, err := t.players.Find(ctx, theirs.Player)
	if err != nil {
		return uuid.Nil, false, err
	}
	win, _ := t.platforms.win(b.Provider, b.TransactionID, theirs.Round) // decide has asked whether it is known
	win.Amount, win.Player, win.Currency, win.Comment = theirs.Net, who, money.Currency(theirs.Currency), casino.HealedBy(b.ID)
	win.At, win.Happened = t.now(), theirs.At
	if win.Bet == "" && win.Round.ID == "" {
		if win.Game, err = t.gameOf(ctx, win.Call); err != nil {
			return uuid.Nil, false, err
		}
	}
	outcome, err := t.floor.Win(ctx, win)
	return outcome.Transaction, err == nil, err
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
func (t *transactions) gameOf(ctx context.Context, c casino.Call) (game string, err error) {
	first, last := idsBetween(c.Happened.Add(-casino.RecentBets), c.Happened.Add(Skew))
	games, bonus := 0, false
	var one string
	var fromBonus, stands bool
	bets := query{"look for a win's bet", readLatestBets, []any{c.Player.ID, first, last, c.Provider}}
	err = t.each(ctx, bets, []any{&one, &fromBonus, &stands}, func() error {
		if stands {
			games, bonus = games+1, bonus || fromBonus
		}
		if stands || games == 0 { // where no bet stands the win is refused, as its own call would be
			game = one
		}
		return nil
	})
	if err == nil && games > 1 && bonus {
		err = errWhichGame
	}
	return game, err
}

// A round that won free spins, or bought them, is won in rounds of its own. Index: rounds_pkey; one
// pass over the statement for what it says of the same rounds.
const readRoundStates = `
	WITH k AS (SELECT * FROM unnest($2::text[], $3::text[], $4::uuid[]) k (id, round_id, player_id))
	SELECT k.id, coalesce(r.closed_at IS NULL, false),
	       coalesce(r.won > 0 OR r.bet_type IN ('WIN_FREESPIN', 'BUY_FREESPIN'), false) OR l.round_id IS NOT NULL
	  FROM k
	  LEFT JOIN rounds r ON r.provider = $1 AND r.round_id = k.round_id AND r.player_id = k.player_id
	  LEFT JOIN (SELECT DISTINCT x.round_id FROM statement_lines x
	              WHERE x.statement_id = $5 AND x.type = 'credit' AND x.status <> 'failed' AND x.amount > 0
	                AND x.round_id IN (SELECT k.round_id FROM k)) l ON l.round_id = k.round_id`

// keepWon gives to a person what would undo a bet that has won, and notes of the others whether their round is
// open. A platform that does not tell when a round is over has none that is open for longer than its delay.
func (t *transactions) keepWon(ctx context.Context, breaks []*Break) error {
	undoing := make(map[string]*Break)
	var ids, rounds []string
	var players []pgtype.UUID
	for _, b := range breaks {
		if b.Action != ActRollback {
			continue
		}
		o := pairOf(b).ours
		if o.Won {
			b.Action = ActPerson
		}
		if o.Round != "" {
			undoing[b.TransactionID] = b
			ids, rounds, players = append(ids, b.TransactionID), append(rounds, o.Round), append(players, postgres.UUID(o.PlayerID))
		}
	}
	if len(ids) == 0 {
		return nil
	}
	var id string
	var open, won bool
	states := query{"read rounds", readRoundStates, []any{t.provider, ids, rounds, postgres.Array(players), t.statement.id}}
	return t.each(ctx, states, []any{&id, &open, &won}, func() error {
		b := undoing[id]
		b.playing = open && t.platforms.of(t.provider).Closes
		if won {
			b.Action = ActPerson
		}
		return nil
	})
}
