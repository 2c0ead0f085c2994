package jobs

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hibiken/asynq"
	"github.com/jackc/pgx/v5"

	"evens/wallet"
)

// keepChunks is how long a chunk's row outlives its work.
const keepChunks = 24 * time.Hour

// keepStatements is how long the lines of others' lists are kept; breaks are kept for good.
const keepStatements = 35 * 24 * time.Hour

// janitor makes room: archived tasks (written down in job_failures when they failed), chunks
// done long ago, and days of raw bodies past their keeping; and it opens the coming days.
func (w *Worker) janitor(ctx context.Context, _ *asynq.Task) error {
	now := w.cfg.Now()
	_, err := w.cfg.Settler.DropDone(ctx, now.Add(-keepChunks))
	if w.cfg.Books != nil {
		err = errors.Join(err, w.cfg.Books.Prune(ctx, now.Add(-keepStatements)))
	}
	_, usageErr := wallet.ForgetUsage(ctx, w.cfg.DB, now)
	return errors.Join(err, usageErr,
		w.dropArchived(),
		w.partitionCallbacks(ctx, now))
}

func (w *Worker) dropArchived() error {
	queues, err := w.inspector.Queues()
	if err != nil {
		return fmt.Errorf("list queues: %w", err)
	}
	var problems []error
	for _, queue := range queues {
		if _, err := w.inspector.DeleteAllArchivedTasks(queue); err != nil {
			problems = append(problems, fmt.Errorf("drop archived tasks of %s: %w", queue, err))
		}
	}
	return errors.Join(problems...)
}

const (
	listPartitions = `
	SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
	 WHERE i.inhparent = 'callbacks'::regclass`

	partitionLayout = "callbacks_20060102"
	daysAhead       = 3
)

// partitionCallbacks keeps a partition a day: the next days open, the old ones dropped. A day
// that has rows in the default partition already is left there.
func (w *Worker) partitionCallbacks(ctx context.Context, now time.Time) error {
	rows, err := w.cfg.DB.Pool.Query(ctx, listPartitions)
	if err != nil {
		return fmt.Errorf("list callback partitions: %w", err)
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return fmt.Errorf("list callback partitions: %w", err)
	}
	have := make(map[string]bool, len(names))
	oldest := now.Add(-w.cfg.KeepCallbacks)
	for _, name := range names {
		have[name] = true
		day, err := time.Parse(partitionLayout, name)
		if err != nil || !day.AddDate(0, 0, 1).Before(oldest) {
			continue
		}
		if err := w.ddl(ctx, "DROP TABLE "+pgx.Identifier{name}.Sanitize()); err != nil {
			return err
		}
	}
	today := now.UTC().Truncate(24 * time.Hour)
	for i := 1; i <= daysAhead; i++ {
		from := today.AddDate(0, 0, i)
		name := from.Format(partitionLayout)
		if have[name] {
			continue
		}
		err := w.ddl(ctx, fmt.Sprintf("CREATE TABLE IF NOT EXISTS %s PARTITION OF callbacks FOR VALUES FROM ('%s') TO ('%s')",
			pgx.Identifier{name}.Sanitize(), from.Format(time.DateOnly), from.AddDate(0, 0, 1).Format(time.DateOnly)))
		if err != nil {
			return err
		}
	}
	_, err = w.cfg.DB.Pool.Exec(ctx, "DELETE FROM callbacks_rest WHERE at < $1", oldest)
	if err != nil {
		return fmt.Errorf("drop old callbacks: %w", err)
	}
	return nil
}

func (w *Worker) ddl(ctx context.Context, statement string) error {
	if _, err := w.cfg.DB.Pool.Exec(ctx, statement); err != nil {
		return fmt.Errorf("partition callbacks: %w", err)
	}
	return nil
}
