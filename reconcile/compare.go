package reconcile

import (
	"context"
	"fmt"
	"time"

	"evens/wallet"
)

// compare finds the breaks of a statement, and decides what is to be done about each.
func (r *Reconciler) compare(ctx context.Context, q Request, s *statement, report *Report) ([]*Break, error) {
	unreadable, err := r.readUnreadable(ctx, q.Provider, s)
	if err != nil {
		return nil, err
	}
	if s.last, report.Outside, err = r.times(ctx, s); err != nil {
		return nil, err
	}
	var breaks []*Break
	if q.Provider == BeT {
		breaks, err = r.compareCoupons(ctx, q, s, report)
	} else {
		breaks, err = r.compareTransactions(ctx, q, s, report)
	}
	if err != nil {
		return nil, err
	}
	return append(breaks, unreadable...), r.weigh(ctx, q, s, breaks)
}

func (r *Reconciler) compareTransactions(ctx context.Context, q Request, s *statement, report *Report) ([]*Break, error) {
	source := r.sources[q.Provider]
	byRound := q.File == nil && source != nil && source.ByRound()
	found := findings{r: r, provider: q.Provider, statement: s}
	var here []pair
	started := time.Now()
	defer func() { report.Matching = time.Since(started) }()
	var never []pair // failed or undone there: ours of another time would stand
	ours, err := r.match(ctx, q.Provider, byRound, q.File != nil, s, func(p pair) error {
		switch {
		case p.ours != nil:
			return found.add(p)
		case len(classify(p)) == 0:
			if never = append(never, p); len(never) < keptAtOnce {
				return nil
			}
			some := never
			never = nil
			return r.lookAgain(ctx, q.Provider, byRound, some, found.add)
		}
		if here = append(here, p); len(here) > mostBreaks {
			return fmt.Errorf("more than %d transactions that are not here: this is another list", mostBreaks)
		}
		return nil
	})
	if err == nil {
		err = r.lookAgain(ctx, q.Provider, byRound, append(here, never...), found.add)
	}
	if err == nil && q.Provider == wallet.CashSource {
		err = r.paidButHeld(ctx, s, &found)
	}
	if err == nil {
		found.breaks, err = r.sameUnderTwoIDs(s, found.breaks)
	}
	if err == nil {
		err = r.paidUnderAnotherID(ctx, q.Provider, s, found.breaks)
	}
	if err != nil {
		return nil, err
	}
	if found.lack.cut(ours, s.last) {
		if err := r.cutOff(ctx, q, s, found.lack.n, ours); err != nil {
			return nil, err
		}
	}
	report.Ours, report.Matched, report.CancelledOut = ours, max(ours-found.differ, 0), found.cancelled
	return found.breaks, nil
}

// findings are the differences of a run so far.
type findings struct {
	r         *Reconciler
	provider  string
	statement *statement
	breaks    []*Break
	differ    int64 // of ours
	cancelled int64 // of theirs: undone there, and never here
	lack      shortfall
}

func (f *findings) add(p pair) error {
	if !f.statement.judges(p) {
		return nil // another run's
	}
	kinds := classify(p)
	if p.theirs == nil && f.statement.unread[p.id] {
		return nil // it is in the list, and cannot be read
	}
	if p.ours == nil && len(kinds) == 0 {
		f.cancelled++
	}
	for _, kind := range kinds {
		if kind == MissingThere {
			f.lack.add(p.ours.At)
		}
		b, err := f.r.newBreak(f.provider, kind, p)
		if err != nil {
			return err
		}
		f.breaks = append(f.breaks, b)
	}
	if len(kinds) > 0 && p.ours != nil {
		f.differ++
	}
	if len(f.breaks) > mostBreaks {
		return fmt.Errorf("more than %d differences: this is another list, or of another time", mostBreaks)
	}
	return nil
}

// judges reports whether a pair is of the window: at least one side's time is in it.
func (s *statement) judges(p pair) bool {
	in := func(at time.Time) bool { return !at.Before(s.from) && at.Before(s.to) }
	return p.ours != nil && in(p.ours.At) || p.theirs != nil && in(p.theirs.At)
}

// shortfall is what of ours a provider's list does not have.
type shortfall struct {
	n     int64
	first time.Time // the oldest of it
}

func (l *shortfall) add(at time.Time) {
	if l.n == 0 || at.Before(l.first) {
		l.first = at
	}
	l.n++
}

// cut tells a list that ended too early from one that lacks something: a third of ours is not in
// it, or all that is not comes after its last line.
func (l *shortfall) cut(ours int64, last time.Time) bool {
	return l.n >= suspicious && l.n*3 > ours || l.n > 1 && l.first.After(last)
}

const (
	// suspicious is how many may be missing in a provider's list before their share counts.
	suspicious = 3
	// few are too few of ours to tell a list that is cut off from one that lacks something.
	few = 20
	// persistent is how many lists in a row that looked cut off are failures; the next is taken for
	// what the provider has.
	persistent = 2
)

// The last runs that came as far as matching.
const countCut = `
	SELECT count(*) FROM (
	    SELECT cut FROM statements
	     WHERE provider = $1 AND source = 'api' AND id <> $2 AND ended_at IS NOT NULL AND ours IS NOT NULL
	     ORDER BY started_at DESC LIMIT $3) x
	 WHERE cut`

// cutOff decides about a list that seems to lack its end, or a third. A file, and a list of few lines,
// counts as far as it goes: what it lacks is a person's. Another list's run fails, to be tried again,
// unless the lists before it looked the same: a run that fails for ever shows nothing.
func (r *Reconciler) cutOff(ctx context.Context, q Request, s *statement, lacks, ours int64) error {
	s.cut = true
	if q.File != nil || ours < few {
		return nil
	}
	var before int
	if err := r.db.Pool.QueryRow(ctx, countCut, q.Provider, s.id, persistent).Scan(&before); err != nil {
		return fmt.Errorf("look for lists cut off: %w", err)
	}
	if before >= persistent {
		return nil
	}
	return fmt.Errorf("%s: %w: %d of our %d are not in it", q.Provider, ErrCut, lacks, ours)
}

// times reads the time of a list's last line (none that is of the future; the epoch where it has none),
// and how many lines are of another time than the window.
func (r *Reconciler) times(ctx context.Context, s *statement) (last time.Time, outside int64, err error) {
	err = r.db.Pool.QueryRow(ctx, `
	SELECT coalesce(max(at) FILTER (WHERE at <= $2), 'epoch'), count(*) FILTER (WHERE at < $3 OR at >= $4)
	  FROM statement_lines WHERE statement_id = $1`, s.id, r.now().Add(Skew), s.from, s.to).Scan(&last, &outside)
	if err != nil {
		return last, 0, fmt.Errorf("read the times of a list's lines: %w", err)
	}
	return last, outside, nil
}

// lookAgain asks for what our side of the window does not have at any time before it is called
// missing.
func (r *Reconciler) lookAgain(ctx context.Context, provider string, byRound bool, here []pair, add func(pair) error) error {
	for start := 0; start < len(here); start += keptAtOnce {
		some := here[start:min(start+keptAtOnce, len(here))]
		ids := make([]string, len(some))
		for i, p := range some {
			ids[i] = p.id
		}
		found, err := r.anyTime(ctx, provider, byRound, ids)
		if err != nil {
			return err
		}
		kept, err := r.keptOut(ctx, provider, some)
		if err != nil {
			return err
		}
		for _, p := range some {
			if kept[p.id] {
				continue // its rollback came here too, before it
			}
			p.ours = found[p.id]
			if err := add(p); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *Reconciler) compareCoupons(ctx context.Context, q Request, s *statement, report *Report) ([]*Break, error) {
	var pairs []couponPair
	var lack shortfall
	matched := int64(0)
	ours, err := r.matchCoupons(ctx, q.Provider, s, func(p couponPair) error {
		kinds := p.classify()
		if len(kinds) == 0 {
			if p.id.Valid && p.there {
				matched++
			}
			return nil
		}
		if kinds[0] == MissingThere {
			if p.placedAt.Before(s.from) || !p.placedAt.Before(s.to) || s.unread[p.code] {
				return nil
			}
			lack.add(p.placedAt)
		}
		if pairs = append(pairs, p); len(pairs) > mostBreaks {
			return fmt.Errorf("more than %d differences: this is another list", mostBreaks)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if lack.cut(ours, s.to) {
		if err := r.cutOff(ctx, q, s, lack.n, ours); err != nil {
			return nil, err
		}
	}
	report.Ours, report.Matched = ours, matched
	var breaks []*Break
	for _, p := range pairs {
		for _, kind := range p.classify() {
			b, err := r.newCouponBreak(ctx, q.Provider, kind, p)
			if err != nil {
				return nil, err
			}
			breaks = append(breaks, b)
		}
	}
	return breaks, nil
}
