package jobs

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hibiken/asynq"

	"evens/jobs/retention"
)

// janitor makes room in Redis: archived tasks were written down in job_failures when they failed.
func (w *Worker) janitor(ctx context.Context, _ *asynq.Task) error {
	// The inspector acts on no queue that is not registered.
	if err := RegisterQueues(ctx, w.cfg.Redis); err != nil {
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

// errLater puts a task off that this worker has no room for: no failure, and no retry used up.
var errLater = errors.New("enough tables are being worked on: later")

// laterDelay is for how long.
const laterDelay = 5 * time.Second

// prune removes what is past its time from one table. Few at once, so that results do not wait for a place; more than
// one, so that a table that takes long does not hold up the others.
func (w *Worker) prune(ctx context.Context, task *asynq.Task) error {
	payload, err := decode[prunePayload](task)
	if err != nil {
		return err
	}
	select {
	case w.pruning <- struct{}{}:
		defer func() { <-w.pruning }()
	default:
		return errLater
	}
	if _, err := w.pruner.Run(ctx, payload.Table); errors.Is(err, retention.ErrNoTask) {
		return fmt.Errorf("%w: %w", err, asynq.SkipRetry)
	} else if err != nil {
		return err
	}
	return nil
}
