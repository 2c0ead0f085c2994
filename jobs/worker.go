package jobs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/google/uuid"
	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"evens/coupon"
	"evens/internal/postgres"
	"evens/jobs/retention"
	"evens/reconcile"
	"evens/wallet"
)

// Settler applies results. *settlement.Settler is one.
type Settler interface {
	Apply(ctx context.Context, chunk int64) error
	Sweep(ctx context.Context) (int, error)
}

// Desk brings open coupons further. *coupon.Desk is one.
type Desk interface {
	Due(ctx context.Context, limit int) ([]uuid.UUID, error)
	Confirm(ctx context.Context, id uuid.UUID) error
}

// Notices works asynchronous callbacks off. *casino.Notices is one.
type Notices interface {
	Work(ctx context.Context, id int64) error
	Sweep(ctx context.Context) (int, error)
}

// Books holds our books against others' and closes days. *reconcile.Reconciler is one.
type Books interface {
	Recent(ctx context.Context, provider string) error
	// Nightly does the runs over whole days that are due, CloseDue the closings.
	Nightly(ctx context.Context, provider string) error
	CloseDue(ctx context.Context) error
}

// WorkerConfig of a Worker. All but Concurrency, Keep, Observe and Unknown are required.
type WorkerConfig struct {
	Redis       redis.UniversalClient
	DB          *postgres.DB
	Poster      *wallet.Poster // nil: expired bonuses wait for their players
	Settler     Settler
	Desk        Desk    // nil: no bookmaker is configured, open coupons wait
	Notices     Notices // nil: no game platform is configured, notices wait
	Books       Books   // nil: nothing is reconciled
	Now         func() time.Time
	Concurrency int // handlers at once; 6 by default
	// Keep is for how long rows are kept.
	Keep retention.Times
	// Observe, when not nil, is told each task's type, whether it succeeded, and its time.
	Observe func(kind string, ok bool, took time.Duration)
	// Unknown, when not nil, is told the type of each task for a row that the database does not have.
	Unknown func(kind string)
	Log     *slog.Logger
}

// Worker works tasks off. Any number may run.
type Worker struct {
	cfg       WorkerConfig
	server    *asynq.Server
	client    *asynq.Client
	inspector *asynq.Inspector
	pruner    *retention.Pruner
	pruning   chan struct{} // a place for each table that may be worked on at once
}

// ShutdownPatience is how long tasks in flight may take to end before they are handed back. It
// is longer than the slowest commit.
const ShutdownPatience = 15 * time.Second

// NewWorker returns a worker; Start and Shutdown run it.
func NewWorker(cfg WorkerConfig) *Worker {
	if cfg.Concurrency <= 0 {
		cfg.Concurrency = 6
	}
	w := &Worker{
		cfg: cfg, client: asynq.NewClientFromRedisClient(cfg.Redis), inspector: asynq.NewInspectorFromRedisClient(cfg.Redis),
		pruner:  retention.New(retention.Config{DB: cfg.DB, Now: cfg.Now, Times: cfg.Keep, Log: cfg.Log}),
		pruning: make(chan struct{}, max(1, min(2, cfg.Concurrency/2))),
	}
	w.server = asynq.NewServerFromRedisClient(cfg.Redis, asynq.Config{
		Concurrency:       cfg.Concurrency,
		Queues:            weights,
		TaskCheckInterval: 50 * time.Millisecond, // an idle queue is looked at this often: the wait of a lonely result
		RetryDelayFunc:    retryDelay,
		ErrorHandler:      asynq.ErrorHandlerFunc(w.failed),
		IsFailure:         func(err error) bool { return !errors.Is(err, errLater) },
		ShutdownTimeout:   ShutdownPatience,
		Logger:            logger{cfg.Log},
		LogLevel:          asynq.WarnLevel,
	})
	return w
}

// Start begins to work. It takes no signals.
func (w *Worker) Start() error {
	mux := asynq.NewServeMux()
	mux.Use(w.measured)
	for _, j := range table() {
		mux.HandleFunc(j.kind, func(ctx context.Context, task *asynq.Task) error { return j.handle(w, ctx, task) })
	}
	if err := w.server.Start(mux); err != nil {
		return fmt.Errorf("start the worker: %w", err)
	}
	return nil
}

// Shutdown takes no new tasks, waits for those in flight, and hands back what does not end.
func (w *Worker) Shutdown() { w.server.Shutdown() }

func (w *Worker) measured(next asynq.Handler) asynq.Handler {
	return asynq.HandlerFunc(func(ctx context.Context, task *asynq.Task) error {
		started := time.Now()
		err := next.ProcessTask(ctx, task)
		if w.cfg.Observe != nil && !errors.Is(err, errLater) {
			w.cfg.Observe(task.Type(), err == nil, time.Since(started))
		}
		return err
	})
}

// retryDelay doubles from half a second to half a minute, with jitter.
func retryDelay(n int, err error, _ *asynq.Task) time.Duration {
	if errors.Is(err, errLater) {
		return laterDelay
	}
	delay := min(500*time.Millisecond<<min(n, 10), 30*time.Second)
	return delay/2 + rand.N(delay/2+1) //nolint:gosec // jitter needs no secrecy
}

func (w *Worker) apply(ctx context.Context, task *asynq.Task) error {
	payload, err := decode[applyPayload](task)
	if err != nil {
		return err
	}
	return w.known(ctx, task, w.cfg.Settler.Apply(ctx, payload.Chunk))
}

func (w *Worker) confirm(ctx context.Context, task *asynq.Task) error {
	payload, err := decode[confirmPayload](task)
	if err != nil {
		return err
	}
	if w.cfg.Desk == nil {
		return nil
	}
	err = w.known(ctx, task, w.cfg.Desk.Confirm(ctx, payload.Coupon))
	if errors.Is(err, coupon.ErrNotFound) {
		return fmt.Errorf("%w: %w", err, asynq.SkipRetry)
	}
	return err
}

func (w *Worker) notice(ctx context.Context, task *asynq.Task) error {
	payload, err := decode[noticePayload](task)
	if err != nil {
		return err
	}
	if w.cfg.Notices == nil {
		return nil
	}
	return w.known(ctx, task, w.cfg.Notices.Work(ctx, payload.Notice))
}

func (w *Worker) reconcile(ctx context.Context, task *asynq.Task) error {
	payload, err := decode[reconcilePayload](task)
	if err != nil {
		return err
	}
	if w.cfg.Books == nil {
		return nil
	}
	run := w.cfg.Books.Recent
	if payload.Window == windowNightly {
		run = w.cfg.Books.Nightly
	}
	err = run(ctx, payload.Provider)
	switch {
	case errors.Is(err, reconcile.ErrBusy):
		return nil // the run under way, or the next tick, sees to it
	case errors.Is(err, reconcile.ErrNoSource):
		return fmt.Errorf("%w: %w", err, asynq.SkipRetry)
	}
	return err
}

func (w *Worker) close(ctx context.Context, _ *asynq.Task) error {
	if w.cfg.Books == nil {
		return nil
	}
	return w.cfg.Books.CloseDue(ctx)
}

const confirmBatch = 1000

func (w *Worker) sweep(ctx context.Context, _ *asynq.Task) error {
	rung, err := w.cfg.Settler.Sweep(ctx)
	if rung > 0 {
		w.cfg.Log.InfoContext(ctx, "sweep found results without a job", "chunks", rung)
	}
	return errors.Join(err, RegisterQueues(ctx, w.cfg.Redis), w.sweepCoupons(ctx), w.sweepNotices(ctx), w.sweepBonuses(ctx))
}

func (w *Worker) sweepNotices(ctx context.Context) error {
	if w.cfg.Notices == nil {
		return nil
	}
	rung, err := w.cfg.Notices.Sweep(ctx)
	if rung > 0 {
		w.cfg.Log.InfoContext(ctx, "sweep found notices without a job", "notices", rung)
	}
	return err
}

// expiredAtOnce is how many bonuses a sweep ends at most.
const expiredAtOnce = 500

// sweepBonuses takes back the bonuses whose time is over.
func (w *Worker) sweepBonuses(ctx context.Context) error {
	if w.cfg.Poster == nil {
		return nil
	}
	expired, err := wallet.ExpireBonuses(ctx, w.cfg.DB, w.cfg.Poster, w.cfg.Now(), expiredAtOnce)
	if expired > 0 {
		w.cfg.Log.InfoContext(ctx, "bonuses have expired", "bonuses", expired)
	}
	return err
}

func (w *Worker) sweepCoupons(ctx context.Context) error {
	if w.cfg.Desk == nil {
		return nil
	}
	due, err := w.cfg.Desk.Due(ctx, confirmBatch)
	if err != nil {
		return err
	}
	now := w.cfg.Now()
	for _, id := range due {
		task, err := confirmTask(id, now)
		if err != nil {
			return err
		}
		if err := enqueue(ctx, w.client, task); err != nil {
			return fmt.Errorf("ask for the confirmation of coupon %s: %w", id, err)
		}
	}
	return nil
}

const insertFailure = `
	INSERT INTO job_failures (task_id, type, queue, payload, error, retried, failed_at)
	VALUES ($1, $2, $3, $4, $5, $6, $7)`

// failed logs every failure, and writes down a task that the queue gives up on.
func (w *Worker) failed(ctx context.Context, task *asynq.Task, err error) {
	if errors.Is(err, errLater) {
		return
	}
	retried, _ := asynq.GetRetryCount(ctx)
	limit, _ := asynq.GetMaxRetry(ctx)
	id, _ := asynq.GetTaskID(ctx)
	queue, _ := asynq.GetQueueName(ctx)
	final := retried >= limit || errors.Is(err, asynq.SkipRetry)
	level := slog.LevelWarn
	if final {
		level = slog.LevelError
	}
	w.cfg.Log.Log(ctx, level, "job failed", "task_id", id, "type", task.Type(), "attempt", retried+1, "final", final, "error", err)
	if !final {
		return
	}
	// The task's own context may have ended with it.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	_, insertErr := w.cfg.DB.Pool.Exec(ctx, insertFailure, id, task.Type(), queue, string(task.Payload()), err.Error(), retried, w.cfg.Now())
	if insertErr != nil {
		w.cfg.Log.ErrorContext(ctx, "job failure not written down", "task_id", id, "error", insertErr)
	}
}

// logger passes asynq's own lines on.
type logger struct{ log *slog.Logger }

func (l logger) Debug(args ...any) { l.log.Debug(fmt.Sprint(args...), "from", "asynq") }
func (l logger) Info(args ...any)  { l.log.Info(fmt.Sprint(args...), "from", "asynq") }
func (l logger) Warn(args ...any)  { l.log.Warn(fmt.Sprint(args...), "from", "asynq") }
func (l logger) Error(args ...any) { l.log.Error(fmt.Sprint(args...), "from", "asynq") }
func (l logger) Fatal(args ...any) { l.log.Error(fmt.Sprint(args...), "from", "asynq") }
