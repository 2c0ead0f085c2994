package jobs

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"
)

// Depth is how much waits in a queue.
type Depth struct {
	Queue     string
	Pending   int
	Active    int
	Scheduled int
	Retry     int
	Archived  int
}

// registered is asynq's set of queues. Its clients add a queue with their first task and never again, so that a Redis
// that has forgotten everything never hears of it; its inspector and the dashboard know the queues of this set alone.
const registered = "asynq:queues"

// RegisterQueues has our queues known, whatever Redis has forgotten. It changes nothing where they are.
func RegisterQueues(ctx context.Context, rdb redis.UniversalClient) error {
	var queues []any
	for queue := range weights {
		queues = append(queues, queue)
	}
	if err := rdb.SAdd(ctx, registered, queues...).Err(); err != nil {
		return fmt.Errorf("register the queues: %w", err)
	}
	return nil
}

const depthTimeout = 2 * time.Second

// Depths reads every queue that can be read: a queue is empty when it was seen to be, and else it is not among
// them and the error says why.
func Depths(rdb redis.UniversalClient) ([]Depth, error) {
	inspector := asynq.NewInspectorFromRedisClient(rdb)
	known, err := inspector.Queues()
	if err != nil {
		return nil, fmt.Errorf("list queues: %w", err)
	}
	var problems []error
	if !containsAll(known) {
		ctx, cancel := context.WithTimeout(context.Background(), depthTimeout)
		defer cancel()
		problems = append(problems, RegisterQueues(ctx, rdb))
	}
	depths := make([]Depth, 0, len(weights))
	for _, queue := range slices.Sorted(maps.Keys(weights)) {
		info, err := inspector.GetQueueInfo(queue)
		if err != nil {
			problems = append(problems, fmt.Errorf("depth of queue %s: %w", queue, err))
			continue
		}
		depths = append(depths, Depth{
			Queue: queue, Pending: info.Pending, Active: info.Active,
			Scheduled: info.Scheduled, Retry: info.Retry, Archived: info.Archived,
		})
	}
	return depths, errors.Join(problems...)
}

func containsAll(known []string) bool {
	for queue := range weights {
		if !slices.Contains(known, queue) {
			return false
		}
	}
	return true
}
