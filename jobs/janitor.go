package jobs

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hibiken/asynq"

	"evens/internal/postgres"
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
	// The inspector acts on no queue that is not registered.
	if err := RegisterQueues(context.Background(), w.cfg.Redis); err != nil {
		return err
	}
	var problems []error
	for queue := range weights {
		if _, err := w.inspector.DeleteAllArchivedTasks(queue); err != nil {
			problems = append(problems, fmt.Errorf("drop archived tasks of %s: %w", queue, err))
		}
	}
	return errors.Join(problems...)
}

// partitionCallbacks keeps a partition a day: the next days open, the old ones dropped. A day
// that has rows in the default partition already is left there.
func (w *Worker) partitionCallbacks(ctx context.Context, now time.Time) error {
	tomorrow := now.UTC().Truncate(24*time.Hour).AddDate(0, 0, 1)
	err := w.openDays(ctx, tomorrow)
	if postgres.Retriable(err) {
		return err
	}
	return errors.Join(err, w.dropDays(ctx, now.Add(-w.cfg.KeepCallbacks)))
}
