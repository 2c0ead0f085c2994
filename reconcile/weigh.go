package reconcile

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"evens/internal/postgres"
)

// patience is how long a break may wait before it is a person's all the same.
const patience = 24 * time.Hour

// prior is what is kept of a break that was seen before.
type prior struct {
	sightings int
	laterAt   *time.Time
	firstSeen time.Time
}

// round is where the round of a bet stands, on either side.
type round struct{ open, won bool }

// weigh lets what rests on absence, or on a status that proves nothing yet, wait until it may count,
// and gives to a person what would undo a bet that has won.
func (r *Reconciler) weigh(ctx context.Context, q Request, s *statement, breaks []*Break) error {
	var waiting, undoing []*Break
	for _, b := range breaks {
		if b.waits() {
			waiting = append(waiting, b)
		}
		if b.Action == ActRollback {
			undoing = append(undoing, b)
		}
	}
	rounds, err := r.roundsOf(ctx, q.Provider, s, undoing)
	if err != nil {
		return err
	}
	for _, b := range undoing {
		if b.heal.pair.ours.Won || rounds[b.TransactionID].won {
			b.Action = ActPerson
		}
	}
	before, err := r.seenBefore(ctx, q.Provider, waiting)
	if err != nil {
		return err
	}
	for _, b := range waiting {
		r.wait(q, s, b, before[breakKey{b.Kind, b.TransactionID}], rounds[b.TransactionID])
	}
	return nil
}

// waits reports whether a break rests on what may still come.
func (b *Break) waits() bool {
	if b.heal == nil {
		return false
	}
	if b.heal.coupon != nil {
		return b.heal.coupon.status == Pending
	}
	t := b.heal.pair.theirs
	return b.Kind == MissingThere && b.Action == ActRollback || t != nil && t.unproven() && b.Kind != Duplicate
}

// wait counts a sighting and says whether it is the one that counts: the second, and the provider's
// delay after the list has first shown what is later.
func (r *Reconciler) wait(q Request, s *statement, b *Break, before *prior, of round) {
	now := r.now()
	absent := b.Kind == MissingThere
	if before != nil {
		b.Sightings, b.LaterAt = before.sightings, before.laterAt
	}
	switch {
	case absent && !s.complete, absent && s.cut:
		b.Action = ActPerson // nothing says that it is not there
		return
	case absent && s.blind:
		b.Action = ActWait // it may be the line without an id
		return
	default:
		b.Sightings++
		if b.LaterAt == nil && s.last.After(b.At) {
			b.LaterAt = &now
		}
	}
	due := b.Sightings > 1 && b.LaterAt != nil && now.Sub(*b.LaterAt) >= r.policy.delay(q.Provider)
	switch {
	case due && (!absent || !of.open):
		// The rollback is due; and what still proves nothing is a person's.
	case before != nil && now.Sub(before.firstSeen) >= patience:
		b.Action = ActPerson
	default:
		b.Action = ActWait
	}
}

const readBefore = `
	SELECT kind, transaction_id, sightings, later_at, first_seen FROM breaks
	 WHERE provider = $1 AND transaction_id = ANY ($2) AND state IN ('open', 'healing', 'ignored')`

// seenBefore reads what is kept of breaks that are open, or were ignored.
func (r *Reconciler) seenBefore(ctx context.Context, provider string, breaks []*Break) (map[breakKey]*prior, error) {
	found := make(map[breakKey]*prior)
	for start := 0; start < len(breaks); start += keptAtOnce {
		some := breaks[start:min(start+keptAtOnce, len(breaks))]
		ids := make([]string, len(some))
		for i, b := range some {
			ids[i] = b.TransactionID
		}
		rows, err := r.db.Pool.Query(ctx, readBefore, provider, ids)
		if err != nil {
			return nil, fmt.Errorf("read breaks of before: %w", err)
		}
		var key breakKey
		var one prior
		var later pgtype.Timestamptz
		_, err = pgx.ForEachRow(rows, []any{&key.kind, &key.id, &one.sightings, &later, &one.firstSeen}, func() error {
			kept := one
			if later.Valid {
				at := later.Time.UTC()
				kept.laterAt = &at
			}
			found[key] = &kept
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("read breaks of before: %w", err)
		}
	}
	return found, nil
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

// roundsOf reads where the rounds of bets stand. A platform that does not tell when a round is over
// has none that is open for longer than its delay.
func (r *Reconciler) roundsOf(ctx context.Context, provider string, s *statement, breaks []*Break) (map[string]round, error) {
	found := make(map[string]round)
	var ids, rounds []string
	var players []pgtype.UUID
	for _, b := range breaks {
		if o := b.heal.pair.ours; o.Round != "" {
			ids, rounds, players = append(ids, b.TransactionID), append(rounds, o.Round), append(players, postgres.UUID(o.PlayerID))
		}
	}
	if len(ids) == 0 {
		return found, nil
	}
	rows, err := r.db.Pool.Query(ctx, readRoundStates, provider, ids, rounds, postgres.Array(players), s.id)
	if err != nil {
		return nil, fmt.Errorf("read rounds: %w", err)
	}
	var id string
	var one round
	_, err = pgx.ForEachRow(rows, []any{&id, &one.open, &one.won}, func() error {
		one.open = one.open && r.platforms.of(provider).Closes
		found[id] = one
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read rounds: %w", err)
	}
	return found, nil
}

// Index: breaks_open.
const readWaiting = `
	SELECT least($2, coalesce(min(at), $2)) FROM breaks
	 WHERE provider = $1 AND state = 'open' AND action = 'wait' AND at >= $3`

// waitingSince is where a run begins that looks again at what waits.
func (r *Reconciler) waitingSince(ctx context.Context, provider string, from, to time.Time) (time.Time, error) {
	var at time.Time
	if err := r.db.Pool.QueryRow(ctx, readWaiting, provider, from, to.Add(-patience)).Scan(&at); err != nil {
		return at, fmt.Errorf("look for what waits: %w", err)
	}
	return at.UTC(), nil
}
