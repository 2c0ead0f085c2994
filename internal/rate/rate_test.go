package rate

import (
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	goredis "github.com/redis/go-redis/v9"

	"evens/internal/redis"
	"evens/internal/testbed"
)

func TestMain(m *testing.M) { testbed.Main(m) }

func client(t *testing.T, url string) goredis.UniversalClient {
	t.Helper()
	c, err := redis.Open(url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

var quiet = slog.New(slog.DiscardHandler)

// Many callers at once, in two processes: no more are let through than the rule says.
func TestABurstIsBoundedAcrossProcesses(t *testing.T) {
	t.Parallel()
	url := testbed.Redis(t)
	for name, rule := range map[string]Rule{"one at a time": {PerSecond: 5, Burst: 20}, "by the lot": {PerSecond: 500, Burst: 600}} {
		processes := []*Limiter{New(client(t, url), time.Now, quiet), New(client(t, url), time.Now, quiet)}
		bucket := uuid.NewString()
		var let, refused atomic.Int64
		var wg sync.WaitGroup
		begun := time.Now()
		for i := range 40 {
			wg.Go(func() {
				for range 100 {
					if wait := processes[i%2].Take(t.Context(), bucket, rule); wait > 0 {
						refused.Add(1)
					} else {
						let.Add(1)
					}
				}
			})
		}
		wg.Wait()
		took := time.Since(begun).Seconds()
		most := int64(float64(rule.Burst)+float64(rule.PerSecond)*(took+0.1)) + 1
		if let.Load() > most || refused.Load() == 0 || let.Load() < int64(rule.Burst)*9/10 {
			t.Errorf("%s: %d let through and %d refused in %.2f s, want at most %d", name, let.Load(), refused.Load(), took, most)
		}
		if wait := processes[0].Take(t.Context(), uuid.NewString(), rule); wait != 0 {
			t.Errorf("%s: another's bucket waits %s", name, wait)
		}
	}
}

func TestNoRuleIsNoBound(t *testing.T) {
	t.Parallel()
	l := New(client(t, "redis://127.0.0.1:1"), time.Now, quiet)
	for range 1000 {
		if wait := l.Take(t.Context(), "any", Rule{}); wait != 0 {
			t.Fatalf("wait %s", wait)
		}
	}
}

// A Redis that is away lets everybody through, and holds nobody up.
func TestWithoutRedisEverybodyIsLetThrough(t *testing.T) {
	t.Parallel()
	l := New(client(t, "redis://127.0.0.1:1"), time.Now, quiet)
	begun := time.Now()
	for range 1000 {
		if wait := l.Take(t.Context(), "any", Rule{PerSecond: 1, Burst: 1}); wait != 0 {
			t.Fatalf("wait %s", wait)
		}
	}
	if took := time.Since(begun); took > 2*time.Second {
		t.Errorf("1000 calls took %s", took)
	}
}
