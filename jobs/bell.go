package jobs

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"evens/casino"
	"evens/settlement"
)

// Bell asks for rows to be worked off: chunks of results, notices of game platforms. Ringing never blocks: what does not fit, or
// does not reach Redis, is left to the sweep.
type Bell struct {
	client *asynq.Client
	rings  chan func() (*asynq.Task, error)
	end    chan struct{}
	wg     sync.WaitGroup
	log    *slog.Logger
}

// ringers is how many enqueues may be under way at once.
const ringers = 2

// NewBell starts a bell on redis; Close ends it.
func NewBell(rdb redis.UniversalClient, log *slog.Logger) *Bell {
	b := &Bell{
		client: asynq.NewClientFromRedisClient(rdb),
		rings:  make(chan func() (*asynq.Task, error), 10_000),
		end:    make(chan struct{}),
		log:    log,
	}
	for range ringers {
		b.wg.Go(b.run)
	}
	return b
}

// Ring implements settlement.Bell.
func (b *Bell) Ring(chunks []settlement.Chunk) {
	for _, chunk := range chunks {
		b.ask(func() (*asynq.Task, error) { return applyTask(chunk) })
	}
}

// RingNotice implements casino.NoticeBell.
func (b *Bell) RingNotice(notice casino.Notice) {
	b.ask(func() (*asynq.Task, error) { return noticeTask(notice) })
}

func (b *Bell) ask(task func() (*asynq.Task, error)) {
	select {
	case b.rings <- task:
	default:
	}
}

// Close ends the ringers; what still waits is left to the sweep.
func (b *Bell) Close() {
	close(b.end)
	b.wg.Wait()
}

func (b *Bell) run() {
	quiet := time.Time{}
	for {
		select {
		case task := <-b.rings:
			if err := b.ring(task); err != nil && time.Since(quiet) > 10*time.Second {
				quiet = time.Now() // one line, not one a chunk, while Redis is away
				b.log.Warn("job not asked for; the sweep will", "error", err)
			}
		case <-b.end:
			return
		}
	}
}

func (b *Bell) ring(make func() (*asynq.Task, error)) error {
	task, err := make()
	if err != nil {
		return err
	}
	return enqueue(context.Background(), b.client, task)
}

const enqueueTimeout = 3 * time.Second

// enqueue hands a task to the queue. A task id that is there already counts as delivered: a lost
// reply to our own enqueue looks the same.
func enqueue(ctx context.Context, client *asynq.Client, task *asynq.Task) error {
	ctx, cancel := context.WithTimeout(ctx, enqueueTimeout)
	defer cancel()
	_, err := client.EnqueueContext(ctx, task)
	if errors.Is(err, asynq.ErrTaskIDConflict) {
		return nil
	}
	return err
}
