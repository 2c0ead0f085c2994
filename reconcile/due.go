package reconcile

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
)

const day = 24 * time.Hour

// What a day that is over is owed follows from what PostgreSQL has of it, never from a tick: whoever asks, and
// however long nobody asked.
const (
	// nightlyAfter is how long a day must have been over for its run.
	nightlyAfter = 80 * time.Minute
	// nightlyReach is how far back runs of whole days are made up: providers do not keep their lists for ever.
	nightlyReach = 31 * day
	// nightlyAtOnce and closedAtOnce bound what one task makes up; the next goes on.
	nightlyAtOnce = 7
	closedAtOnce  = 31
	// closingAfter is how long a day must have been over for its closing.
	closingAfter = 170 * time.Minute
	// closingReach is how far back closings are made up.
	closingReach = 400 * day
	// runningFor is how long a list that is being loaded is taken for a run under way.
	runningFor = 30 * time.Minute
)

// lastDue is the beginning of the last day (UTC) that has been over for so long.
func (r *Reconciler) lastDue(after time.Duration) time.Time {
	return r.now().UTC().Add(-after).Truncate(day).Add(-day)
}

// A day is owed its run until a list that was whole covers it, beginning with the day of the provider's first
// list; without any, none is. Those that have failed most come last, so that one which cannot be done holds up
// no other. Index: statements_provider.
const readDueRuns = `
	WITH lists AS (
	    SELECT source, state, window_from, window_to, started_at FROM statements WHERE provider = $1
	), first AS (
	    SELECT date_bin('24 hours', min(window_from), 'epoch') AS day FROM lists WHERE source = 'api'
	)
	SELECT d.day, tried.times
	  FROM first,
	       generate_series(CASE WHEN first.day > $2::timestamptz THEN first.day WHEN first.day IS NOT NULL THEN $2 END,
	                       $3::timestamptz, interval '24 hours') d (day)
	 CROSS JOIN LATERAL (SELECT count(*) AS times FROM lists l
	                      WHERE l.window_from = d.day AND l.window_to = d.day + interval '24 hours' AND l.state <> 'matched'
	                        AND (l.state = 'failed' OR l.started_at < $4)) tried
	 WHERE NOT EXISTS (SELECT FROM lists l WHERE l.state = 'matched' AND l.window_from <= d.day AND l.window_to >= d.day + interval '24 hours')
	 ORDER BY tried.times, d.day`

// dueRun is a day without its run, and how often that was tried.
type dueRun struct {
	Day   time.Time
	Tried int64
}

// dueRuns lists the days of a provider that are owed a run over the whole of them.
func (r *Reconciler) dueRuns(ctx context.Context, provider string) ([]dueRun, error) {
	last := r.lastDue(nightlyAfter)
	rows, err := r.db.Pool.Query(ctx, readDueRuns, provider, last.Add(-nightlyReach), last, r.now().Add(-runningFor))
	if err != nil {
		return nil, fmt.Errorf("list the days without a run of %s: %w", provider, err)
	}
	due, err := pgx.CollectRows(rows, pgx.RowToStructByPos[dueRun])
	if err != nil {
		return nil, fmt.Errorf("list the days without a run of %s: %w", provider, err)
	}
	return due, nil
}

// Nightly does the runs over whole days (UTC) that are over and have none yet: that of last night, and any
// that was missed. The first that fails ends it.
func (r *Reconciler) Nightly(ctx context.Context, provider string) error {
	due, err := r.dueRuns(ctx, provider)
	if err != nil {
		return err
	}
	for _, run := range due[:min(len(due), nightlyAtOnce)] {
		if err := r.scheduled(ctx, Request{Provider: provider, From: run.Day.UTC(), To: run.Day.UTC().Add(day)}); err != nil {
			return fmt.Errorf("the day %s of %s: %w", run.Day.UTC().Format(time.DateOnly), provider, err)
		}
	}
	return nil
}

// The days since the first closing, or since the first transaction, that have no closing. Index: transactions_pkey.
const readDueClosings = `
	SELECT d.day
	  FROM (SELECT coalesce((SELECT min(day)::timestamp AT TIME ZONE 'UTC' FROM closings),
	                        (SELECT date_bin('24 hours', at, 'epoch') FROM transactions ORDER BY id LIMIT 1)) AS day) first,
	       generate_series(CASE WHEN first.day > $1::timestamptz THEN first.day WHEN first.day IS NOT NULL THEN $1 END,
	                       $2::timestamptz, interval '24 hours') d (day)
	 WHERE NOT EXISTS (SELECT FROM closings c WHERE c.day = (d.day AT TIME ZONE 'UTC')::date)
	 ORDER BY d.day
	 LIMIT $3`

// CloseDue makes the closings of days (UTC) that are over and have none, oldest first. A day waits until every
// provider's list of it has been held against our books, or has failed to be.
func (r *Reconciler) CloseDue(ctx context.Context) error {
	last := r.lastDue(closingAfter)
	rows, err := r.db.Pool.Query(ctx, readDueClosings, last.Add(-closingReach), last, closedAtOnce)
	if err != nil {
		return fmt.Errorf("list the days that are not closed: %w", err)
	}
	due, err := pgx.CollectRows(rows, pgx.RowTo[pgtype.Timestamptz])
	if err != nil {
		return fmt.Errorf("list the days that are not closed: %w", err)
	}
	if len(due) == 0 {
		return nil
	}
	untried, err := r.untried(ctx)
	if err != nil {
		return err
	}
	for _, at := range due {
		if provider := untried[at.Time.Unix()]; provider != "" {
			r.log.InfoContext(ctx, "a closing waits for a list", "day", at.Time.UTC().Format(time.DateOnly), "provider", provider)
			return nil
		}
		if _, err := r.Close(ctx, at.Time); err != nil {
			return err
		}
	}
	return nil
}

// untried names, by the day's beginning, a provider whose run of that day has not been tried yet.
func (r *Reconciler) untried(ctx context.Context) (map[int64]string, error) {
	untried := make(map[int64]string)
	for _, provider := range r.Providers() {
		due, err := r.dueRuns(ctx, provider)
		if err != nil {
			return nil, err
		}
		for _, run := range due {
			if run.Tried == 0 {
				untried[run.Day.Unix()] = provider
			}
		}
	}
	return untried, nil
}
