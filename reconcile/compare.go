package reconcile

import (
	"context"
	"fmt"
	"time"
)

// compare finds the breaks of a statement, and decides what is to be done about each.
func (r *Reconciler) compare(ctx context.Context, c comparison, q Request, s *statement, report *Report) ([]*Break, error) {
	unreadable, err := r.readUnreadable(ctx, q.Provider, s)
	if err != nil {
		return nil, err
	}
	if s.last, report.Outside, err = r.times(ctx, s); err != nil {
		return nil, err
	}
	f := findings{provider: q.Provider, last: s.last}
	started := time.Now()
	err = c.match(ctx, &f)
	report.Matching = time.Since(started)
	if err != nil {
		return nil, err
	}
	if f.lack.cut(f.ours, f.last) {
		if err := r.cutOff(ctx, q, s, f.lack.n, f.ours); err != nil {
			return nil, err
		}
	}
	report.Ours, report.Matched, report.CancelledOut = f.ours, max(f.ours-f.differ, 0), f.cancelled
	if err := c.decide(ctx, f.breaks); err != nil {
		return nil, err
	}
	return append(f.breaks, unreadable...), r.weigh(ctx, q, s, f.breaks)
}

// findings are the differences of a run so far.
type findings struct {
	provider  string
	breaks    []*Break
	ours      int64     // records
	differ    int64     // of ours
	cancelled int64     // of theirs: undone there, and never here
	last      time.Time // of their list: what of ours is later may come after its end
	lack      shortfall
}

// add keeps a break for each way in which a record differs.
func (f *findings) add(of record, kinds []Kind) error {
	for _, kind := range kinds {
		b, err := newBreak(f.provider, kind, of)
		if err != nil {
			return err
		}
		if kind == MissingThere {
			f.lack.add(b.At)
		}
		f.breaks = append(f.breaks, b)
	}
	if kinds[0] != MissingHere {
		f.differ++
	}
	if len(f.breaks) > mostBreaks {
		return fmt.Errorf("more than %d differences: this is another list, or of another time", mostBreaks)
	}
	return nil
}

func newBreak(provider string, kind Kind, of record) (*Break, error) {
	b := &Break{Provider: provider, Kind: kind, State: StateOpen, Action: ActPerson, of: of}
	return b, of.describe(b)
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
