package retention

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"evens/internal/postgres"
)

// days keeps a partition a day of the raw calls: the next days are opened, those past their keeping dropped. A day
// that has rows in the default partition already is left there; they go in batches.
type days struct{}

func (days) String() string { return "a partition a day is dropped" }

const (
	// All work with the rights of the tables' owner: our own role may not make or drop any.
	dropRows = `SELECT drop_callback_days($1, $2)`
	dropDays = `SELECT drop_callback_days($1)`
	openDays = `SELECT open_callback_days($1, 1)`

	daysAhead = 3
)

// dayTries is how often a day that comes or goes waits for its locks within one run: whoever writes down a call
// waits behind it.
var dayTries = postgres.Tries{Most: 4, Pause: 250 * time.Millisecond}

const pastDays = `
	SELECT to_date(right(c.relname, 8), 'YYYYMMDD')
	  FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
	 WHERE i.inhparent = 'callbacks'::regclass AND c.relname ~ '^callbacks_[0-9]{8}$'
	   AND to_date(right(c.relname, 8), 'YYYYMMDD') + 1 < $1 AT TIME ZONE 'UTC'
	 ORDER BY 1`

func (days) prune(ctx context.Context, r *run) error {
	err := r.openDays(ctx, r.now.UTC().Truncate(day).AddDate(0, 0, 1))
	if postgres.Retriable(err) {
		return err
	}
	return errors.Join(err, r.dropRows(ctx), r.dropDays(ctx))
}

// openDays opens the days from first on that are not there.
func (r *run) openDays(ctx context.Context, first time.Time) error {
	var problems []error
	for i := range daysAhead {
		day := first.AddDate(0, 0, i)
		if err := r.onDay(ctx, openDays, day); err != nil {
			problems = append(problems, fmt.Errorf("open %s of callbacks: %w", day.Format(time.DateOnly), err))
			if postgres.Retriable(err) {
				break // who reads keeps the others waiting as well
			}
		}
	}
	return errors.Join(problems...)
}

// dropRows removes old rows of the default partition.
func (r *run) dropRows(ctx context.Context) error {
	return r.batches(ctx, mostRows, leastRows, func(ctx context.Context, n int) (last bool, err error) {
		var gone int64
		if err := r.one(ctx, []any{&gone}, dropRows, r.cutoff, n); err != nil {
			return false, fmt.Errorf("drop old callbacks: %w", err)
		}
		r.done.Rows += gone
		return gone < int64(n), nil
	})
}

// dropDays drops the days that ended before the cutoff, each in a transaction of its own.
func (r *run) dropDays(ctx context.Context) error {
	rows, err := r.cfg.DB.Pool.Query(ctx, pastDays, r.cutoff)
	if err != nil {
		return fmt.Errorf("list old days of callbacks: %w", err)
	}
	past, err := pgx.CollectRows(rows, pgx.RowTo[time.Time])
	if err != nil {
		return fmt.Errorf("list old days of callbacks: %w", err)
	}
	for _, day := range past {
		end := day.AddDate(0, 0, 1).Add(time.Microsecond)
		if err := r.onDay(ctx, dropDays, end); err != nil {
			return fmt.Errorf("drop %s of callbacks: %w", day.Format(time.DateOnly), err)
		}
	}
	return nil
}

// onDay runs one statement that takes the callbacks' table for itself for a moment. Where somebody reads it for
// longer, it gives way and tries again, and then leaves it to the next run.
func (r *run) onDay(ctx context.Context, statement string, when time.Time) error {
	return postgres.Retry(ctx, dayTries, postgres.Retriable, func() error {
		return postgres.InTx(ctx, r.cfg.DB.Pool, func(ctx context.Context, tx pgx.Tx) error {
			const wait = `SELECT set_config('lock_timeout', $1, true)`
			if _, err := tx.Exec(ctx, wait, fmt.Sprint(lockTime.Milliseconds())); err != nil {
				return err
			}
			_, err := tx.Exec(ctx, statement, when)
			return err
		})
	})
}
