package jobs

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/hibiken/asynq"

	"evens/casino"
	"evens/reconcile"
)

// books notes what it is asked for.
type books struct {
	mu    sync.Mutex
	asked []string
	fails error
}

func (b *books) note(format string, args ...any) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.asked = append(b.asked, fmt.Sprintf(format, args...))
	return b.fails
}

func (b *books) count(what string) (n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, asked := range b.asked {
		if asked == what {
			n++
		}
	}
	return n
}

func (b *books) Recent(_ context.Context, provider string) error {
	return b.note("recent %s", provider)
}
func (b *books) Nightly(_ context.Context, provider string) error { return b.note("day %s", provider) }
func (b *books) CloseDue(context.Context) error                   { return b.note("close") }
func (b *books) Work(_ context.Context, id int64) error           { return b.note("notice %d", id) }
func (b *books) Sweep(context.Context) (int, error)               { return 1, b.note("sweep") }

func (b bundle) withBooks(t *testing.T, k *books) *Worker {
	t.Helper()
	worker := NewWorker(WorkerConfig{Redis: b.redis, DB: b.db, Settler: b.domain, Books: k, Notices: k, Now: time.Now, Log: b.log})
	if err := worker.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(sync.OnceFunc(worker.Shutdown))
	return worker
}

// Whatever ticks or rings reaches whoever does it.
func TestNoticesAndReconciliationsAreWorkedOff(t *testing.T) {
	t.Parallel()
	b, k := setup(t), &books{}
	worker := b.withBooks(t, k)
	bell := NewBell(b.redis, b.log)
	t.Cleanup(bell.Close)
	bell.RingNotice(casino.Notice{ID: 9, Rung: 1})
	client := asynq.NewClientFromRedisClient(b.redis)
	for _, ask := range []func(time.Time, int64, []string) ([]*asynq.Task, error){
		reconcileTasks(windowRecent), reconcileTasks(windowNightly), tickTask(TypeClose, "close"),
	} {
		tasks, err := ask(time.Now(), 1, []string{"tg"})
		if err != nil {
			t.Fatal(err)
		}
		// At once: the jitter is the clock's affair.
		if _, err := client.EnqueueContext(t.Context(), tasks[0], asynq.ProcessIn(0)); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "all of it is done", func() bool {
		return k.count("notice 9") == 1 && k.count("recent tg") == 1 && k.count("day tg") == 1 && k.count("close") == 1
	})
	if err := worker.sweep(t.Context(), nil); err != nil || k.count("sweep") == 0 {
		t.Errorf("notices were swept %d times, %v", k.count("sweep"), err)
	}
}

// Another run under way is no failure, and a provider without a list is not tried again.
func TestReconciliationsThatCannotBe(t *testing.T) {
	t.Parallel()
	b, k := setup(t), &books{fails: reconcile.ErrBusy}
	worker := NewWorker(WorkerConfig{Redis: b.redis, DB: b.db, Settler: b.domain, Books: k, Now: time.Now, Log: b.log})
	task := asynq.NewTask(TypeReconcile, []byte(`{"v":1,"provider":"tg","window":"recent"}`))
	if err := worker.reconcile(t.Context(), task); err != nil {
		t.Errorf("a run under way: %v", err)
	}
	k.fails = reconcile.ErrNoSource
	if err := worker.reconcile(t.Context(), task); !errors.Is(err, asynq.SkipRetry) {
		t.Errorf("no list: %v", err)
	}
}

// Three clocks tick; a provider's run is one task, handed out within a minute.
func TestManyClocksMakeOneRun(t *testing.T) {
	t.Parallel()
	b := setup(t)
	noon := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	for range 3 {
		schedule, err := NewSchedule(b.redis, 15*time.Second, []string{"bet", "tg"}, func() time.Time { return noon }, b.log)
		if err != nil {
			t.Fatal(err)
		}
		schedule.ticks(TypeReconcile)
		schedule.ticks(TypeClose)
	}
	info, err := asynq.NewInspectorFromRedisClient(b.redis).GetQueueInfo(QueueReconcile)
	if err != nil || info.Scheduled+info.Pending != 5 {
		t.Errorf("%+v, %v: want two runs of each provider and a closing", info, err)
	}
}

// A clock that starts does not wait for the night: what was missed while none ticked is looked for at once.
func TestAClockThatStartsLooksForWhatWasMissed(t *testing.T) {
	t.Parallel()
	b := setup(t)
	now := time.Now()
	for range 2 {
		schedule, err := NewSchedule(b.redis, 15*time.Second, []string{"bet", "tg"}, func() time.Time { return now }, b.log)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- schedule.Run(ctx) }()
		eventually(t, "the runs and the closing are asked for", func() bool {
			info, err := asynq.NewInspectorFromRedisClient(b.redis).GetQueueInfo(QueueReconcile)
			return err == nil && info.Scheduled == 2 && info.Pending == 1
		})
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}
