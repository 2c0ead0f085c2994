package lookup

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestCallersOfTheSameMomentShareAQuery(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var queries atomic.Int64
		l := New(func(_ context.Context, keys []int) (map[int]int, error) {
			queries.Add(1)
			time.Sleep(time.Second)
			found := make(map[int]int)
			for _, key := range keys {
				if key%2 == 0 {
					found[key] = 10 * key
				}
			}
			return found, nil
		})
		var wg sync.WaitGroup
		ask := func(key int) {
			wg.Go(func() {
				value, ok, err := l.Get(t.Context(), key)
				if err != nil || ok != (key%2 == 0) || (ok && value != 10*key) {
					t.Errorf("get(%d) = %d, %v, %v", key, value, ok, err)
				}
			})
		}
		ask(0)
		synctest.Wait() // the first query is under way: the others share the second
		for key := range 50 {
			ask(key)
		}
		wg.Wait()
		if got := queries.Load(); got != 2 {
			t.Errorf("%d queries for 51 callers, want 2", got)
		}
	})
}

func TestNobodyIsAnsweredFromBeforeTheyAsked(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		valid := true
		l := New(func(context.Context, []string) (map[string]bool, error) {
			seen := valid // read when the query begins
			time.Sleep(time.Second)
			if seen {
				return map[string]bool{"key": true}, nil
			}
			return nil, nil
		})
		var wg sync.WaitGroup
		wg.Go(func() {
			if _, ok, _ := l.Get(t.Context(), "key"); !ok {
				t.Error("the first caller found nothing")
			}
		})
		synctest.Wait()
		valid = false // revoked while the first query is under way
		if _, ok, _ := l.Get(t.Context(), "key"); ok {
			t.Error("a key revoked before the call was found")
		}
		wg.Wait()
	})
}

func TestLookupOutlivesTheCallerWhoAsks(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := New(func(ctx context.Context, _ []int) (map[int]int, error) {
			select {
			case <-time.After(time.Second):
				return map[int]int{1: 1}, nil
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		})
		impatient, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		var wg sync.WaitGroup
		wg.Go(func() { _, _, _ = l.Get(impatient, 1) })
		synctest.Wait()
		wg.Go(func() { // waits behind the first, and leaves before its turn
			if _, _, err := l.Get(impatient, 2); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("get() of a caller that left = %v, want its deadline", err)
			}
		})
		if _, ok, err := l.Get(t.Context(), 1); !ok || err != nil {
			t.Errorf("get() = %v, %v, though only others were impatient", ok, err)
		}
		wg.Wait()
	})
}

func TestLookupPassesErrorsToAllOfTheRoundOnly(t *testing.T) {
	t.Parallel()
	fail := errors.New("away")
	fails := true
	l := New(func(context.Context, []int) (map[int]int, error) {
		if fails {
			return nil, fail
		}
		return map[int]int{1: 1}, nil
	})
	if _, _, err := l.Get(t.Context(), 1); !errors.Is(err, fail) {
		t.Errorf("get() = %v, want %v", err, fail)
	}
	fails = false
	if _, ok, err := l.Get(t.Context(), 1); !ok || err != nil {
		t.Errorf("get() = %v, %v after the failure", ok, err)
	}
}
