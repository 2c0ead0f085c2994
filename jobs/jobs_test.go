package jobs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/hibiken/asynq"
	goredis "github.com/redis/go-redis/v9"

	"evens/internal/postgres"
	"evens/internal/redis"
	"evens/internal/testbed"
	"evens/settlement"
)

func TestMain(m *testing.M) { testbed.Main(m) }

// domain stands for the settler and the desk: it notes what it is asked for.
type domain struct {
	mu        sync.Mutex
	applied   []int64
	confirmed []uuid.UUID
	sweeps    int
	due       []uuid.UUID
	apply     func(ctx context.Context, chunk int64) error
}

func (d *domain) Apply(ctx context.Context, chunk int64) error {
	d.mu.Lock()
	d.applied = append(d.applied, chunk)
	apply := d.apply
	d.mu.Unlock()
	if apply != nil {
		return apply(ctx, chunk)
	}
	return nil
}

func (d *domain) Sweep(context.Context) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.sweeps++
	return 0, nil
}

func (d *domain) Due(context.Context, int) ([]uuid.UUID, error) { return d.due, nil }

func (d *domain) Confirm(_ context.Context, id uuid.UUID) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.confirmed = append(d.confirmed, id)
	return nil
}

func (d *domain) times(chunk int64) (n int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, applied := range d.applied {
		if applied == chunk {
			n++
		}
	}
	return n
}

type bundle struct {
	redis  goredis.UniversalClient
	db     *postgres.DB
	domain *domain
	log    *slog.Logger
}

func setup(t *testing.T) bundle {
	t.Helper()
	rdb, err := redis.Open(testbed.Redis(t))
	if err != nil {
		t.Fatal(err)
	}
	db, err := postgres.Open(t.Context(), postgres.Config{URL: testbed.Database(t), MaxConns: 3, HotConns: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		db.Close()
		if err := rdb.Close(); err != nil {
			t.Error(err)
		}
	})
	return bundle{redis: rdb, db: db, domain: &domain{}, log: slog.New(slog.DiscardHandler)}
}

func (b bundle) worker(t *testing.T) *Worker {
	t.Helper()
	worker := NewWorker(WorkerConfig{Redis: b.redis, DB: b.db, Settler: b.domain, Desk: b.domain, Now: time.Now, Log: b.log})
	if err := worker.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(sync.OnceFunc(worker.Shutdown))
	return worker
}

func (b bundle) ring(t *testing.T, chunks ...settlement.Chunk) {
	t.Helper()
	bell := NewBell(b.redis, b.log)
	t.Cleanup(bell.Close)
	bell.Ring(chunks)
}

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !holds(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("not within a minute: " + what)
		}
	}
}

func TestBellBringsChunksToTheWorker(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.worker(t)
	b.ring(t, settlement.Chunk{ID: 7, Rung: 1}, settlement.Chunk{ID: 8, Rung: 1})
	eventually(t, "both chunks are applied", func() bool { return b.domain.times(7) == 1 && b.domain.times(8) == 1 })
}

// The same ring twice is one task while it waits; the next number is another task, whatever
// became of the first.
func TestRingsAreToldApartByTheirNumber(t *testing.T) {
	t.Parallel()
	b := setup(t)
	bell := NewBell(b.redis, b.log)
	defer bell.Close()
	for _, rung := range []int{1, 1, 2} {
		if err := bell.ring(func() (*asynq.Task, error) { return applyTask(settlement.Chunk{ID: 7, Rung: rung}) }); err != nil {
			t.Fatalf("ring number %d: %v", rung, err)
		}
	}
	depths, err := Depths(b.redis)
	if err != nil {
		t.Fatal(err)
	}
	at := slices.IndexFunc(depths, func(d Depth) bool { return d.Queue == QueueSettlement })
	if got := depths[at].Pending; got != 2 {
		t.Errorf("tasks waiting = %d, want 2", got)
	}
}

func TestBellNeverBlocksWithoutRedis(t *testing.T) {
	t.Parallel()
	client := goredis.NewClient(&goredis.Options{Addr: "127.0.0.1:1", MaxRetries: -1, DialTimeout: 50 * time.Millisecond})
	defer client.Close()
	bell := NewBell(client, slog.New(slog.DiscardHandler))
	defer bell.Close()
	begun := time.Now()
	for i := range 20_000 {
		bell.Ring([]settlement.Chunk{{ID: int64(i), Rung: 1}})
	}
	if took := time.Since(begun); took > 2*time.Second {
		t.Errorf("20,000 rings without Redis took %s", took)
	}
}

func TestFailedJobIsTriedAgain(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.domain.apply = func(_ context.Context, chunk int64) error {
		if b.domain.times(chunk) < 3 {
			return errors.New("the database is away")
		}
		return nil
	}
	b.worker(t)
	b.ring(t, settlement.Chunk{ID: 1, Rung: 1})
	eventually(t, "the third try succeeds", func() bool { return b.domain.times(1) == 3 })
}

// What can never succeed is given up at once, and written down where people look.
func TestUnreadableTaskIsWrittenDown(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.worker(t)
	client := asynq.NewClientFromRedisClient(b.redis)
	task := asynq.NewTask(TypeApply, []byte("not JSON"), asynq.Queue(QueueSettlement), asynq.TaskID("broken"), asynq.MaxRetry(5))
	if _, err := client.EnqueueContext(t.Context(), task); err != nil {
		t.Fatal(err)
	}
	var kind, payload string
	eventually(t, "the failure is written down", func() bool {
		err := b.db.Pool.QueryRow(t.Context(), `SELECT type, payload FROM job_failures WHERE task_id = 'broken'`).Scan(&kind, &payload)
		return err == nil
	})
	if kind != TypeApply || payload != "not JSON" {
		t.Errorf("written down as %s %q", kind, payload)
	}
	if n := len(b.domain.applied); n != 0 {
		t.Errorf("the settler was asked %d times", n)
	}
}

func TestShutdownWaitsForTheJobInHand(t *testing.T) {
	t.Parallel()
	b := setup(t)
	begun, ended := make(chan struct{}), false
	b.domain.apply = func(context.Context, int64) error {
		close(begun)
		time.Sleep(300 * time.Millisecond)
		ended = true
		return nil
	}
	worker := b.worker(t)
	b.ring(t, settlement.Chunk{ID: 1, Rung: 1})
	<-begun
	worker.Shutdown()
	if !ended {
		t.Error("the worker was gone before its job ended")
	}
}

// Three clocks tick; each tick is one task.
func TestManyClocksMakeOneTaskOfATick(t *testing.T) {
	t.Parallel()
	b := setup(t)
	noon := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	for range 3 {
		schedule, err := NewSchedule(b.redis, 15*time.Second, nil, func() time.Time { return noon }, b.log)
		if err != nil {
			t.Fatal(err)
		}
		schedule.ticks(TypeSweep)
		schedule.now = func() time.Time { return noon.Add(14 * time.Second) }
		schedule.ticks(TypeSweep)
	}
	depths, err := Depths(b.redis)
	if err != nil {
		t.Fatal(err)
	}
	at := slices.IndexFunc(depths, func(d Depth) bool { return d.Queue == QueueMaintenance })
	if got := depths[at].Pending; got != 1 {
		t.Errorf("tasks of one tick = %d, want 1", got)
	}
}

func TestScheduleRefusesOddPeriods(t *testing.T) {
	t.Parallel()
	for _, period := range []time.Duration{0, 300 * time.Millisecond, 1500 * time.Millisecond} {
		if _, err := NewSchedule(nil, period, nil, time.Now, slog.New(slog.DiscardHandler)); err == nil {
			t.Errorf("a sweep every %s was accepted", period)
		}
	}
}

// The clock runs: the sweep ticks, and asks for the confirmation of each open coupon.
func TestSweepAsksForOpenCoupons(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.domain.due = []uuid.UUID{uuid.New(), uuid.New()}
	b.worker(t)
	schedule, err := NewSchedule(b.redis, time.Second, nil, time.Now, b.log)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- schedule.Run(ctx) }()
	eventually(t, "both coupons are confirmed", func() bool {
		b.domain.mu.Lock()
		defer b.domain.mu.Unlock()
		return b.domain.sweeps > 0 &&
			slices.Contains(b.domain.confirmed, b.domain.due[0]) && slices.Contains(b.domain.confirmed, b.domain.due[1])
	})
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestRetryDelayGrowsToHalfAMinute(t *testing.T) {
	t.Parallel()
	for n, most := range map[int]time.Duration{0: 500 * time.Millisecond, 3: 4 * time.Second, 6: 30 * time.Second, 60: 30 * time.Second} {
		for range 100 {
			if delay := retryDelay(n, nil, nil); delay < most/2 || delay > most {
				t.Fatalf("delay before try %d = %s, want between %s and %s", n, delay, most/2, most)
			}
		}
	}
}

func ExampleBell() {
	rdb := goredis.NewClient(&goredis.Options{Addr: "127.0.0.1:6379", MaxRetries: -1})
	bell := NewBell(rdb, slog.Default())
	var _ settlement.Bell = bell
	bell.Close()
	fmt.Println("whatever was not rung, the sweep finds")
	// Output: whatever was not rung, the sweep finds
}
