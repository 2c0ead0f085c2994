package jobs

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/hibiken/asynq"

	"evens/jobs/retention"
)

// Task types and queues are stored words: they stand in Redis and in job_failures.
const (
	TypeApply     = "settlement:apply"
	TypeConfirm   = "coupon:confirm"
	TypeNotice    = "casino:notice"
	TypeReconcile = "reconcile:run"
	TypeClose     = "reconcile:close"
	TypeSweep     = "sweep"
	TypePrune     = "prune"
	TypeJanitor   = "janitor"

	QueueSettlement  = "settlement"
	QueueCoupon      = "coupon"
	QueueCasino      = "casino"
	QueueReconcile   = "reconcile"
	QueueMaintenance = "maintenance"
)

// weights say how often each queue is looked at when all have work.
var weights = map[string]int{QueueSettlement: 6, QueueCoupon: 3, QueueCasino: 3, QueueReconcile: 1, QueueMaintenance: 1}

// job is all there is to say about a kind of task.
type job struct {
	kind, queue string
	does        string        // in words
	id          string        // the form of a task's id, which makes one task of several that ask for the same
	payload     any           // what a task carries: ids only
	timeout     time.Duration // of one try
	retries     int           // a crash of a worker uses up one
	ticks       []tick        // when a clock asks for it; none: whoever has work does
	handle      func(w *Worker, ctx context.Context, task *asynq.Task) error
}

// tick is a time at which every clock asks for tasks.
type tick struct {
	spec    string        // robfig/cron's, UTC; "": every interval of the sweep
	period  time.Duration // numbers the ticks in ids, so that all clocks make one task of each; 0: that interval
	atStart bool          // and once when a clock starts: what was missed does not wait
	tasks   func(now time.Time, number int64, providers []string) ([]*asynq.Task, error)
}

const (
	// taskTimeout is well under asynq's lease of 30 s.
	taskTimeout = 20 * time.Second
	// longTimeout is for work that goes on where it stopped.
	longTimeout = 30 * time.Minute
	// pruneTimeout is longer than a run of the pruner takes of itself.
	pruneTimeout = 10 * time.Minute
	maxRetry     = 10
	// reconcileRetry: a run goes on where it stopped, and another tick comes.
	reconcileRetry = 2
	// reconcileJitter spreads the providers' runs of one tick.
	reconcileJitter = time.Minute
)

// table lists every job. Reconciliations: every quarter of an hour the last hours; every hour somebody looks whether a
// day that is over lacks its run, or its closing.
func table() []job {
	return []job{
		{
			kind: TypeApply, queue: QueueSettlement, does: "one chunk of results", id: "settle:<chunk>:<n>", payload: applyPayload{},
			timeout: taskTimeout, retries: maxRetry, handle: (*Worker).apply,
		},
		{
			kind: TypeConfirm, queue: QueueCoupon, does: "one open coupon", id: "confirm:<coupon>:<second>", payload: confirmPayload{},
			timeout: taskTimeout, retries: maxRetry, handle: (*Worker).confirm,
		},
		{
			kind: TypeNotice, queue: QueueCasino, does: "one callback of a game platform", id: "notice:<notice>:<n>", payload: noticePayload{},
			timeout: taskTimeout, retries: maxRetry, handle: (*Worker).notice,
		},
		{
			kind: TypeReconcile, queue: QueueReconcile, does: "one provider's list", id: "reconcile:<provider>:<window>:<period>",
			payload: reconcilePayload{}, timeout: longTimeout, retries: reconcileRetry, handle: (*Worker).reconcile,
			ticks: []tick{
				{spec: "@every 15m", period: 15 * time.Minute, tasks: reconcileTasks(windowRecent)},
				{spec: "20 * * * *", period: time.Hour, atStart: true, tasks: reconcileTasks(windowNightly)},
			},
		},
		{
			kind: TypeClose, queue: QueueReconcile, does: "closings of days that are over", id: "close:<period>", payload: tickPayload{},
			timeout: longTimeout, retries: maxRetry, handle: (*Worker).close,
			ticks: []tick{{spec: "50 * * * *", period: time.Hour, atStart: true, tasks: tickTask(TypeClose, "close")}},
		},
		{
			kind: TypeSweep, queue: QueueMaintenance, does: "what the queue forgot", id: "sweep:<period>", payload: tickPayload{},
			timeout: taskTimeout, retries: maxRetry, handle: (*Worker).sweep,
			ticks: []tick{{tasks: tickTask(TypeSweep, TypeSweep)}},
		},
		{
			kind: TypePrune, queue: QueueMaintenance, does: "rows past their time in one table", id: "prune:<table>:<period>",
			payload: prunePayload{}, timeout: pruneTimeout, retries: maxRetry, handle: (*Worker).prune,
			ticks: []tick{{spec: "@every 1h", period: time.Hour, atStart: true, tasks: pruneTasks}},
		},
		{
			kind: TypeJanitor, queue: QueueMaintenance, does: "archived tasks, which `job_failures` has", id: "janitor:<period>",
			payload: tickPayload{}, timeout: taskTimeout, retries: maxRetry, handle: (*Worker).janitor,
			ticks: []tick{{spec: "@every 1h", period: time.Hour, atStart: true, tasks: tickTask(TypeJanitor, TypeJanitor)}},
		},
	}
}

// tickTask makes the one task of a tick that carries nothing.
func tickTask(kind, name string) func(time.Time, int64, []string) ([]*asynq.Task, error) {
	return func(_ time.Time, number int64, _ []string) ([]*asynq.Task, error) {
		task, err := newTask(kind, fmt.Sprintf("%s:%d", name, number), tickPayload{V: 1})
		return []*asynq.Task{task}, err
	}
}

// reconcileTasks makes a task of a tick for each provider.
func reconcileTasks(window string) func(time.Time, int64, []string) ([]*asynq.Task, error) {
	return func(now time.Time, number int64, providers []string) (tasks []*asynq.Task, err error) {
		for _, provider := range providers {
			later := asynq.ProcessAt(now.Add(rand.N(reconcileJitter))) //nolint:gosec // jitter needs no secrecy
			task, err := newTask(TypeReconcile, fmt.Sprintf("reconcile:%s:%s:%d", provider, window, number),
				reconcilePayload{V: 1, Provider: provider, Window: window}, later)
			if err != nil {
				return nil, err
			}
			tasks = append(tasks, task)
		}
		return tasks, nil
	}
}

// pruneTasks makes a task of a tick for each table that rows are removed from.
func pruneTasks(_ time.Time, number int64, _ []string) (tasks []*asynq.Task, err error) {
	for _, name := range retention.Tasks() {
		task, err := newTask(TypePrune, fmt.Sprintf("prune:%s:%d", name, number), prunePayload{V: 1, Table: name})
		if err != nil {
			return nil, err
		}
		tasks = append(tasks, task)
	}
	return tasks, nil
}
