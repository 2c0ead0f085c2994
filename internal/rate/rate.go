// Package rate bounds how often something may be asked for, counted in Redis for all processes together.
package rate

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-redis/redis_rate/v10"
	"github.com/redis/go-redis/v9"

	"evens/internal/lookup"
)

// Rule is how often. The zero Rule is no bound.
type Rule struct {
	PerSecond int
	Burst     int // at once, after a pause
}

// Limiter counts. While Redis does not answer it lets everything through: bounds protect a service, and must
// not end it. It is safe for concurrent use.
type Limiter struct {
	redis *redis_rate.Limiter
	now   func() time.Time
	log   *slog.Logger

	away   atomic.Int64 // Unix nanoseconds: Redis is not asked before
	leases lookup.Bounded[string, *lease]
}

// New returns a limiter that counts in Redis.
func New(client redis.UniversalClient, now func() time.Time, log *slog.Logger) *Limiter {
	l := &Limiter{redis: redis_rate.NewLimiter(client), now: now, log: log}
	l.leases.Most = mostLeases
	return l
}

const (
	// patience is how long a caller waits for Redis; pause is how long nobody asks it after it failed.
	patience = 500 * time.Millisecond
	pause    = time.Second

	// A busy bucket takes calls from Redis by the lot: as many as a fiftieth of a second may have. What is
	// not used within leaseTime is lost.
	lots       = 50
	leaseTime  = 100 * time.Millisecond
	mostLeases = 10_000
)

// lease is what this process has taken of a bucket and not used yet.
type lease struct {
	mu    sync.Mutex
	left  int
	until time.Time
}

// Take counts one call in a bucket. Where it is beyond the rule, wait is above zero: after that long the next
// one is taken.
func (l *Limiter) Take(ctx context.Context, bucket string, rule Rule) (wait time.Duration) {
	if rule.PerSecond <= 0 {
		return 0
	}
	held, ok := l.leases.Get(bucket)
	if !ok {
		held = &lease{}
		l.leases.Put(bucket, held)
	}
	now := l.now()
	held.mu.Lock()
	if held.left > 0 && now.Before(held.until) {
		held.left--
		held.mu.Unlock()
		return 0
	}
	held.mu.Unlock()
	if now.UnixNano() < l.away.Load() {
		return 0
	}
	lot := max(1, rule.PerSecond/lots)
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	limit := redis_rate.Limit{Rate: rule.PerSecond, Burst: max(rule.Burst, rule.PerSecond), Period: time.Second}
	result, err := l.redis.AllowAtMost(ctx, bucket, limit, lot)
	switch {
	case err != nil:
		l.fail(now, err)
		return 0
	case result.Allowed == 0:
		return max(result.RetryAfter, time.Millisecond)
	case result.Allowed > 1:
		held.mu.Lock()
		if !now.Before(held.until) {
			held.left = 0
		}
		held.left, held.until = held.left+result.Allowed-1, now.Add(leaseTime) // others may have taken a lot at the same time
		held.mu.Unlock()
	}
	return 0
}

// fail leaves Redis alone for a while. It is logged once in a while, not for each call.
func (l *Limiter) fail(now time.Time, err error) {
	before := l.away.Load()
	if now.UnixNano() >= before && l.away.CompareAndSwap(before, now.Add(pause).UnixNano()) {
		l.log.Warn("calls are not counted: redis does not answer", "error", err)
	}
}
