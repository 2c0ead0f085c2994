package jobs

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/hibiken/asynq"

	"evens/casino"
	"evens/settlement"
)

// newTask makes a task of a kind as the table has it; more options overrule that.
func newTask(kind, id string, payload any, more ...asynq.Option) (*asynq.Task, error) {
	for _, j := range table() {
		if j.kind != kind {
			continue
		}
		data, err := json.Marshal(payload)
		if err != nil {
			return nil, fmt.Errorf("payload of %s: %w", kind, err)
		}
		options := []asynq.Option{asynq.Queue(j.queue), asynq.TaskID(id), asynq.MaxRetry(j.retries), asynq.Timeout(j.timeout)}
		return asynq.NewTask(kind, data, append(options, more...)...), nil
	}
	return nil, fmt.Errorf("no job is called %s", kind)
}

// decode refuses for good what no retry can make readable.
func decode[P any](task *asynq.Task) (payload P, err error) {
	if err := json.Unmarshal(task.Payload(), &payload); err != nil {
		return payload, fmt.Errorf("payload of %s: %w: %w", task.Type(), err, asynq.SkipRetry)
	}
	return payload, nil
}

// A payload's V is its version: a worker of the next release still reads what this one sent.
type (
	applyPayload struct {
		V     int   `json:"v"`
		Chunk int64 `json:"chunk"`
	}
	confirmPayload struct {
		V      int       `json:"v"`
		Coupon uuid.UUID `json:"coupon"`
	}
	noticePayload struct {
		V      int   `json:"v"`
		Notice int64 `json:"notice"`
	}
	reconcilePayload struct {
		V        int    `json:"v"`
		Provider string `json:"provider"`
		Window   string `json:"window"`
	}
	prunePayload struct {
		V     int    `json:"v"`
		Table string `json:"table"`
	}
	tickPayload struct {
		V int `json:"v"`
	}
)

// Windows of a run.
const (
	windowRecent  = "recent"   // from the watermark on
	windowNightly = "last day" // the whole days that are over and have had no run yet
)

func applyTask(chunk settlement.Chunk) (*asynq.Task, error) {
	return newTask(TypeApply, fmt.Sprintf("settle:%d:%d", chunk.ID, chunk.Rung), applyPayload{V: 1, Chunk: chunk.ID})
}

// confirmTask's id names the sweep that asked, so that a later sweep can ask again.
func confirmTask(coupon uuid.UUID, sweep time.Time) (*asynq.Task, error) {
	return newTask(TypeConfirm, fmt.Sprintf("confirm:%s:%d", coupon, sweep.Unix()), confirmPayload{V: 1, Coupon: coupon})
}

func noticeTask(notice casino.Notice) (*asynq.Task, error) {
	return newTask(TypeNotice, fmt.Sprintf("notice:%d:%d", notice.ID, notice.Rung), noticePayload{V: 1, Notice: notice.ID})
}
