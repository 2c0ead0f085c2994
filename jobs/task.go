package jobs

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/google/uuid"
	"github.com/hibiken/asynq"

	"evens/casino"
	"evens/settlement"
)

// Task types. Their payloads carry ids only.
const (
	TypeApply     = "settlement:apply" // one chunk of results
	TypeConfirm   = "coupon:confirm"   // one open coupon
	TypeNotice    = "casino:notice"    // one asynchronous callback of a game platform
	TypeReconcile = "reconcile:run"    // one provider's list
	TypeClose     = "reconcile:close"  // the days that are over
	TypeSweep     = "sweep"            // what the queue forgot
	TypeJanitor   = "janitor"          // what is not needed any more
)

// Queues and how often each is looked at when all have work.
const (
	QueueSettlement  = "settlement"
	QueueCoupon      = "coupon"
	QueueCasino      = "casino"
	QueueReconcile   = "reconcile"
	QueueMaintenance = "maintenance"
)

var weights = map[string]int{QueueSettlement: 6, QueueCoupon: 3, QueueCasino: 3, QueueReconcile: 1, QueueMaintenance: 1}

// Every task gets these. A crash of a worker uses up a retry, so there are several; a handler
// ends well under asynq's 30 s lease.
const (
	maxRetry    = 10
	taskTimeout = 20 * time.Second
)

// newTask makes a task with what every task gets; more options overrule that.
func newTask(kind, queue, id string, payload any, more ...asynq.Option) (*asynq.Task, error) {
	data, err := json.Marshal(payload)
	if err != nil {
		return nil, fmt.Errorf("payload of %s: %w", kind, err)
	}
	options := []asynq.Option{asynq.Queue(queue), asynq.TaskID(id), asynq.MaxRetry(maxRetry), asynq.Timeout(taskTimeout)}
	return asynq.NewTask(kind, data, append(options, more...)...), nil
}

// A payload's V is its version: a worker of the next release still reads what this one sent.
type applyPayload struct {
	V     int   `json:"v"`
	Chunk int64 `json:"chunk"`
}

func applyTask(chunk settlement.Chunk) (*asynq.Task, error) {
	id := fmt.Sprintf("settle:%d:%d", chunk.ID, chunk.Rung)
	return newTask(TypeApply, QueueSettlement, id, applyPayload{V: 1, Chunk: chunk.ID})
}

type confirmPayload struct {
	V      int       `json:"v"`
	Coupon uuid.UUID `json:"coupon"`
}

// confirmTask's id names the sweep that asked, so that a later sweep can ask again.
func confirmTask(coupon uuid.UUID, sweep time.Time) (*asynq.Task, error) {
	id := fmt.Sprintf("confirm:%s:%d", coupon, sweep.Unix())
	return newTask(TypeConfirm, QueueCoupon, id, confirmPayload{V: 1, Coupon: coupon})
}

type noticePayload struct {
	V      int   `json:"v"`
	Notice int64 `json:"notice"`
}

func noticeTask(notice casino.Notice) (*asynq.Task, error) {
	id := fmt.Sprintf("notice:%d:%d", notice.ID, notice.Rung)
	return newTask(TypeNotice, QueueCasino, id, noticePayload{V: 1, Notice: notice.ID})
}

// Windows of a run.
const (
	windowRecent  = "recent"   // from the watermark on
	windowNightly = "last day" // the whole days that are over and have had no run yet
)

type reconcilePayload struct {
	V        int    `json:"v"`
	Provider string `json:"provider"`
	Window   string `json:"window"`
}

// A run may take long, and goes on where it stopped: it is not tried again and again.
const (
	reconcileTimeout = 30 * time.Minute
	reconcileRetry   = 2
	// reconcileJitter spreads the providers' runs of one tick.
	reconcileJitter = time.Minute
)

// reconcileTask's id names the provider and the period: any number of clocks make one task.
func reconcileTask(provider, window string, period int64, now time.Time) (*asynq.Task, error) {
	id := fmt.Sprintf("reconcile:%s:%s:%d", provider, window, period)
	return newTask(TypeReconcile, QueueReconcile, id, reconcilePayload{V: 1, Provider: provider, Window: window},
		asynq.MaxRetry(reconcileRetry), asynq.Timeout(reconcileTimeout), asynq.ProcessAt(now.Add(rand.N(reconcileJitter)))) //nolint:gosec // jitter needs no secrecy
}

// closeTask's id names the period, as every tick's does.
func closeTask(period int64) (*asynq.Task, error) {
	return newTask(TypeClose, QueueReconcile, fmt.Sprintf("close:%d", period), tickPayload{V: 1}, asynq.Timeout(reconcileTimeout))
}

type tickPayload struct {
	V int `json:"v"`
}

// tickTask's id names the period, so that any number of cron processes make one task of a tick.
func tickTask(kind string, period time.Duration, now time.Time) (*asynq.Task, error) {
	id := fmt.Sprintf("%s:%d", kind, now.Unix()/int64(period.Seconds()))
	return newTask(kind, QueueMaintenance, id, tickPayload{V: 1})
}
