package reconcile

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// patience is how long a break may wait before it is a person's all the same.
const patience = 24 * time.Hour

// prior is what is kept of a break that was seen before.
type prior struct {
	sightings int
	laterAt   *time.Time
	firstSeen time.Time
}

// weigh lets what rests on absence, or on a status that proves nothing yet, wait until it may count.
func (r *Reconciler) weigh(ctx context.Context, q Request, s *statement, breaks []*Break) error {
	waiting := slices.DeleteFunc(slices.Clone(breaks), func(b *Break) bool { return !b.waits })
	before, err := r.seenBefore(ctx, q.Provider, waiting)
	if err != nil {
		return err
	}
	for _, b := range waiting {
		r.wait(q, s, b, before[breakKey{b.Kind, b.TransactionID}])
	}
	return nil
}

// wait counts a sighting and says whether it is the one that counts: the second, and the provider's
// delay after the list has first shown what is later.
func (r *Reconciler) wait(q Request, s *statement, b *Break, before *prior) {
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
	case due && (!absent || !b.playing):
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
	for some := range slices.Chunk(breaks, keptAtOnce) {
		ids := make([]string, len(some))
		for i, b := range some {
			ids[i] = b.TransactionID
		}
		var key breakKey
		var one prior
		into := []any{&key.kind, &key.id, &one.sightings, &one.laterAt, &one.firstSeen}
		err := r.each(ctx, query{"read breaks of before", readBefore, []any{provider, ids}}, into, func() error {
			kept := one
			found[key] = &kept
			return nil
		})
		if err != nil {
			return nil, err
		}
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
