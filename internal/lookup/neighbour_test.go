package lookup

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"evens/internal/postgres"
)

type pair struct{ provider, code string }

// Callers who share a query with keys that fail it are answered, each with its own.
func TestABadKeyFailsNoNeighbour(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		errBad := errors.New("invalid byte sequence")
		var queries atomic.Int64
		l := New(func(_ context.Context, keys []pair) (map[pair]string, error) {
			queries.Add(1)
			time.Sleep(time.Millisecond)
			found := make(map[pair]string)
			for _, key := range keys {
				if key.provider == "bad" {
					return nil, errBad
				}
				found[key] = key.code
			}
			return found, nil
		})
		var wg sync.WaitGroup
		wg.Go(func() { _, _, _ = l.Get(t.Context(), pair{"first", ""}) })
		synctest.Wait() // the others share the second query
		for i := range 60 {
			key := pair{"good", string(rune('a' + i))}
			if i%20 == 7 {
				key.provider = "bad"
			}
			wg.Go(func() {
				value, ok, err := l.Get(t.Context(), key)
				if bad := key.provider == "bad"; bad != errors.Is(err, errBad) || ok == bad || !bad && value != key.code {
					t.Errorf("get(%v) = %q, %t, %v", key, value, ok, err)
				}
			})
		}
		wg.Wait()
		if n := queries.Load(); n > 50 {
			t.Errorf("%d queries", n)
		}
	})
}

// A text that no row can hold is not asked for at all.
func TestATextThatNoRowHoldsIsNotFound(t *testing.T) {
	t.Parallel()
	var asked []string
	l := New(func(_ context.Context, keys []string) (map[string]int, error) {
		asked = append(asked, keys...)
		return map[string]int{"ana": 1}, nil
	})
	for _, text := range []string{"a\x00na", "\x00", "ana\xff", "\xed\xa0\xbd"} {
		if _, ok, err := l.Get(t.Context(), text); ok || err != nil {
			t.Errorf("get(%q) = %t, %v", text, ok, err)
		}
	}
	if _, ok, err := l.Get(t.Context(), "ana"); !ok || err != nil || !slices.Equal(asked, []string{"ana"}) {
		t.Errorf("get(ana) = %t, %v; asked for %q", ok, err, asked)
	}
}

// A database that is away is asked once, not once for each key.
func TestAnAbsentDatabaseIsAskedOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var queries atomic.Int64
		l := New(func(context.Context, []int) (map[int]int, error) {
			queries.Add(1)
			time.Sleep(time.Millisecond)
			return nil, postgres.ErrUnavailable
		})
		var wg sync.WaitGroup
		for i := range 50 {
			wg.Go(func() {
				if _, _, err := l.Get(t.Context(), i); !errors.Is(err, postgres.ErrUnavailable) {
					t.Errorf("get(%d) = %v", i, err)
				}
			})
		}
		wg.Wait()
		if n := queries.Load(); n > 2 {
			t.Errorf("%d queries", n)
		}
	})
}
