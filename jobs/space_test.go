package jobs

import (
	"bytes"
	"context"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hibiken/asynq"
	goredis "github.com/redis/go-redis/v9"

	"evens/internal/redis"
	"evens/internal/testbed"
	"evens/settlement"
)

// brand is an installation's worker and bell within a space on a Redis.
func brand(t *testing.T, redisURL string, space redis.Space) bundle {
	t.Helper()
	b := setup(t)
	client, err := redis.OpenIn(redisURL, space)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	b.redis = client
	worker := NewWorker(WorkerConfig{Redis: space.Subscriber(client), DB: b.db, Settler: b.domain, Now: time.Now, Log: b.log})
	if err := worker.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(sync.OnceFunc(worker.Shutdown))
	return b
}

// Two brands share a Redis: each works its own jobs off, under the same ids, and the dashboard of each has its own
// queues by the names that everybody knows.
func TestTwoBrandsOnOneRedis(t *testing.T) {
	t.Parallel()
	redisURL := testbed.Redis(t)
	one, two := brand(t, redisURL, "evens-1"), brand(t, redisURL, "evens-2")
	for range 20 {
		one.ring(t, settlement.Chunk{ID: 1, Rung: 1}, settlement.Chunk{ID: 11, Rung: 1})
		two.ring(t, settlement.Chunk{ID: 1, Rung: 1}, settlement.Chunk{ID: 22, Rung: 1})
	}
	eventually(t, "both have done their own", func() bool {
		return one.domain.times(1) > 0 && one.domain.times(11) > 0 && two.domain.times(1) > 0 && two.domain.times(22) > 0
	})
	if one.domain.times(22) != 0 || two.domain.times(11) != 0 {
		t.Error("a brand has worked on the other's job")
	}
	for space, b := range map[redis.Space]bundle{"evens-1": one, "evens-2": two} {
		queues, err := asynq.NewInspectorFromRedisClient(b.redis).Queues()
		if err != nil || !slices.Contains(queues, QueueSettlement) {
			t.Errorf("%s: queues %v, %v", space, queues, err)
		}
		servers, err := asynq.NewInspectorFromRedisClient(b.redis).Servers()
		if err != nil || len(servers) != 1 {
			t.Errorf("%s: %d servers, %v, want its own", space, len(servers), err)
		}
	}
	plain, err := redis.Open(redisURL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = plain.Close() })
	for _, key := range plain.Keys(t.Context(), "*").Val() {
		if !strings.HasPrefix(key, "evens-1:") && !strings.HasPrefix(key, "evens-2:") {
			t.Errorf("the key %s is nobody's", key)
		}
	}
}

// A task that is cancelled by one brand's dashboard goes on at the other's.
func TestCancellingReachesItsOwnBrandAlone(t *testing.T) {
	t.Parallel()
	redisURL := testbed.Redis(t)
	one, two := brand(t, redisURL, "evens-1"), brand(t, redisURL, "evens-2")
	var begun atomic.Int32
	ended := make(chan string, 2)
	for name, b := range map[string]bundle{"one": one, "two": two} {
		b.domain.mu.Lock()
		b.domain.apply = func(ctx context.Context, _ int64) error {
			begun.Add(1)
			select {
			case <-ctx.Done():
				ended <- name + " was cancelled"
			case <-time.After(3 * time.Second):
				ended <- name + " went on"
			}
			return nil
		}
		b.domain.mu.Unlock()
		b.ring(t, settlement.Chunk{ID: 1, Rung: 1})
	}
	eventually(t, "both have begun", func() bool { return begun.Load() == 2 })
	if err := asynq.NewInspectorFromRedisClient(one.redis).CancelProcessing("settle:1:1"); err != nil {
		t.Fatal(err)
	}
	got := []string{<-ended, <-ended}
	slices.Sort(got)
	if !slices.Equal(got, []string{"one was cancelled", "two went on"}) {
		t.Errorf("%v", got)
	}
}

// Redis forgets everything under producers that have published their queues long ago.
func TestForgottenQueuesAreSeenAgain(t *testing.T) {
	t.Parallel()
	for _, space := range []redis.Space{"", "evens-1"} {
		t.Run("within "+string(space), func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			client, err := redis.OpenIn(testbed.Redis(t), space)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = client.Close() })
			b.redis = client
			forgottenQueues(t, b)
		})
	}
}

func forgottenQueues(t *testing.T, b bundle) {
	t.Helper()
	bell := NewBell(b.redis, b.log)
	t.Cleanup(bell.Close)
	ring := func(rung int) {
		t.Helper()
		if err := bell.ring(func() (*asynq.Task, error) { return applyTask(settlement.Chunk{ID: 7, Rung: rung}) }); err != nil {
			t.Fatal(err)
		}
	}
	ring(1)
	if err := b.redis.FlushDB(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	for rung := range 3 {
		ring(rung + 2)
	}
	inspector := asynq.NewInspectorFromRedisClient(b.redis)
	if queues, err := inspector.Queues(); err != nil || len(queues) != 0 {
		t.Fatalf("the queues %v, %v are known before: this test sees nothing", queues, err)
	}
	depths, err := Depths(b.redis)
	if err != nil || len(depths) != len(weights) {
		t.Fatalf("%v, %v", depths, err)
	}
	for _, depth := range depths {
		want := 0
		if depth.Queue == QueueSettlement {
			want = 3
		}
		if depth.Pending != want {
			t.Errorf("%d tasks wait in %s, want %d", depth.Pending, depth.Queue, want)
		}
	}
	if err := b.redis.Del(t.Context(), registered).Err(); err != nil {
		t.Fatal(err)
	}
	worker := NewWorker(WorkerConfig{Redis: b.redis, DB: b.db, Settler: b.domain, Now: time.Now, Log: b.log})
	if err := worker.sweep(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if queues, err := inspector.Queues(); err != nil || len(queues) != len(weights) {
		t.Errorf("after a sweep the queues are %v, %v", queues, err)
	}
}

// What was not read is not told as nothing.
func TestDepthsWithoutRedisAreUnknown(t *testing.T) {
	t.Parallel()
	client := goredis.NewClient(&goredis.Options{Addr: "127.0.0.1:1", MaxRetries: -1, DialTimeout: 50 * time.Millisecond})
	defer client.Close()
	if depths, err := Depths(client); err == nil || len(depths) != 0 {
		t.Errorf("without Redis: %v, %v", depths, err)
	}
	b := setup(t)
	// A key of another kind stands where one queue's tasks should be.
	if err := b.redis.Set(t.Context(), "asynq:{"+QueueCasino+"}:pending", 1, 0).Err(); err != nil {
		t.Fatal(err)
	}
	depths, err := Depths(b.redis)
	if err == nil || len(depths) != len(weights)-1 || slices.ContainsFunc(depths, func(d Depth) bool { return d.Queue == QueueCasino }) {
		t.Errorf("with one queue unreadable: %v, %v", depths, err)
	}
}

// A job for a row that is not there is an error line and counted, and tried again: its owner may come.
func TestUnknownRowsAreNeverDone(t *testing.T) {
	t.Parallel()
	b := setup(t)
	var log bytes.Buffer
	var mu sync.Mutex
	counted := 0
	b.domain.apply = func(context.Context, int64) error {
		if b.domain.times(99) < 3 {
			return settlement.ErrUnknownChunk
		}
		return nil
	}
	worker := NewWorker(WorkerConfig{
		Redis: b.redis, DB: b.db, Settler: b.domain, Now: time.Now,
		Unknown: func(kind string) {
			mu.Lock()
			defer mu.Unlock()
			if kind == TypeApply {
				counted++
			}
		},
		Log: slog.New(slog.NewTextHandler(&locked{mu: &mu, to: &log}, nil)),
	})
	if err := worker.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(sync.OnceFunc(worker.Shutdown))
	b.ring(t, settlement.Chunk{ID: 99, Rung: 1})
	eventually(t, "it is tried again", func() bool { return b.domain.times(99) == 3 })
	mu.Lock()
	defer mu.Unlock()
	if counted != 2 || strings.Count(log.String(), "level=ERROR msg=\"a job names a row that this database does not have\"") != 2 {
		t.Errorf("counted %d times, log:\n%s", counted, log.String())
	}
}

// locked is a writer under a lock.
type locked struct {
	mu *sync.Mutex
	to *bytes.Buffer
}

// Write implements io.Writer.
func (l *locked) Write(data []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.to.Write(data)
}
