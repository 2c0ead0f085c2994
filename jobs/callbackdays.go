package jobs

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"evens/internal/postgres"
)

const (
	// Both work with the rights of the tables' owner: our own role may not make or drop any.
	dropCallbacks = `SELECT drop_callback_days($1)`
	openCallbacks = `SELECT open_callback_days($1, 1)`

	daysAhead = 3

	// dayLock is for how long a day that comes or goes waits for each of its two locks: whoever writes down a call
	// waits behind it.
	dayLock = 500 * time.Millisecond
	// dayTries is how often within one run; the pause between them doubles.
	dayTries = 4
	dayPause = 250 * time.Millisecond
)

const pastDays = `
	SELECT to_date(right(c.relname, 8), 'YYYYMMDD')
	  FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
	 WHERE i.inhparent = 'callbacks'::regclass AND c.relname ~ '^callbacks_[0-9]{8}$'
	   AND to_date(right(c.relname, 8), 'YYYYMMDD') + 1 < $1 AT TIME ZONE 'UTC'
	 ORDER BY 1`

// dropDays drops the days that ended before oldest, each in a transaction of its own, and older rows of the
// default partition.
func (w *Worker) dropDays(ctx context.Context, oldest time.Time) error {
	rows, err := w.cfg.DB.Pool.Query(ctx, pastDays, oldest)
	if err != nil {
		return fmt.Errorf("list old days of callbacks: %w", err)
	}
	days, err := pgx.CollectRows(rows, pgx.RowTo[time.Time])
	if err != nil {
		return fmt.Errorf("list old days of callbacks: %w", err)
	}
	for _, day := range days {
		end := day.AddDate(0, 0, 1).Add(time.Microsecond)
		if err := w.onDay(ctx, dropCallbacks, end); err != nil {
			return fmt.Errorf("drop %s of callbacks: %w", day.Format(time.DateOnly), err)
		}
	}
	if err := w.onDay(ctx, dropCallbacks, oldest); err != nil {
		return fmt.Errorf("drop old callbacks: %w", err)
	}
	return nil
}

// openDays opens the days from first on that are not there.
func (w *Worker) openDays(ctx context.Context, first time.Time) error {
	var problems []error
	for i := range daysAhead {
		day := first.AddDate(0, 0, i)
		if err := w.onDay(ctx, openCallbacks, day); err != nil {
			problems = append(problems, fmt.Errorf("open %s of callbacks: %w", day.Format(time.DateOnly), err))
			if postgres.Retriable(err) {
				break // who reads keeps the others waiting as well
			}
		}
	}
	return errors.Join(problems...)
}

// onDay runs one statement that takes the callbacks' table for itself for a moment. Where somebody reads it for
// longer, it gives way and tries again, and then leaves it to the janitor's next run.
func (w *Worker) onDay(ctx context.Context, statement string, when time.Time) (err error) {
	pause := dayPause
	for try := 1; ; try++ {
		err = postgres.InTx(ctx, w.cfg.DB.Pool, func(ctx context.Context, tx pgx.Tx) error {
			const wait = `SELECT set_config('lock_timeout', $1, true)`
			if _, err := tx.Exec(ctx, wait, fmt.Sprint(dayLock.Milliseconds())); err != nil {
				return err
			}
			_, err := tx.Exec(ctx, statement, when)
			return err
		})
		if !postgres.Retriable(err) || try == dayTries {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(pause):
			pause *= 2
		}
	}
}
