package jobs

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"evens/settlement"
)

// Bell asks for chunks of results to be applied. Ringing never blocks: what does not fit, or
// does not reach Redis, is left to the sweep.
type Bell struct {
	client *asynq.Client
	chunks chan settlement.Chunk
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
		chunks: make(chan settlement.Chunk, 10_000),
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
		select {
		case b.chunks <- chunk:
		default:
			return
		}
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
		case chunk := <-b.chunks:
			if err := b.ring(chunk); err != nil && time.Since(quiet) > 10*time.Second {
				quiet = time.Now() // one line, not one a chunk, while Redis is away
				b.log.Warn("job not asked for; the sweep will", "chunk", chunk.ID, "error", err)
			}
		case <-b.end:
			return
		}
	}
}

func (b *Bell) ring(chunk settlement.Chunk) error {
	task, err := applyTask(chunk)
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
