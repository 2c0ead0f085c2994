package jobs

import (
	"fmt"
	"slices"

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

// Depths reads every queue. A queue that never had a task is empty.
func Depths(rdb redis.UniversalClient) ([]Depth, error) {
	inspector := asynq.NewInspectorFromRedisClient(rdb)
	known, err := inspector.Queues()
	if err != nil {
		return nil, fmt.Errorf("list queues: %w", err)
	}
	depths := make([]Depth, 0, len(weights))
	for queue := range weights {
		if !slices.Contains(known, queue) {
			depths = append(depths, Depth{Queue: queue})
			continue
		}
		info, err := inspector.GetQueueInfo(queue)
		if err != nil {
			return nil, fmt.Errorf("depth of queue %s: %w", queue, err)
		}
		depths = append(depths, Depth{
			Queue: queue, Pending: info.Pending, Active: info.Active,
			Scheduled: info.Scheduled, Retry: info.Retry, Archived: info.Archived,
		})
	}
	return depths, nil
}
