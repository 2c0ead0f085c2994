package jobs

import (
	"context"
	"errors"

	"github.com/hibiken/asynq"

	"evens/casino"
	"evens/coupon"
	"evens/settlement"
)

// known passes the outcome of a task on. One for a row that the database does not have is nobody's here: another
// installation's on the same Redis, or one of a database that was put back. It is never done; a worker that has the row
// may yet take it.
func (w *Worker) known(ctx context.Context, task *asynq.Task, err error) error {
	if !errors.Is(err, settlement.ErrUnknownChunk) && !errors.Is(err, casino.ErrUnknownNotice) && !errors.Is(err, coupon.ErrNotFound) {
		return err
	}
	id, _ := asynq.GetTaskID(ctx)
	w.cfg.Log.ErrorContext(ctx, "a job names a row that this database does not have", "task_id", id, "type", task.Type(), "error", err)
	if w.cfg.Unknown != nil {
		w.cfg.Unknown(task.Type())
	}
	return err
}
