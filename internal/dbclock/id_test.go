package dbclock

import (
	"bytes"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"evens/internal/postgres"
)

// Ids are UUIDv7 of the clock's time, and grow.
func TestIDsCarryTheClocksTime(t *testing.T) {
	t.Parallel()
	w, c := open(time.Hour)
	w.measure(t, c)
	var source idSource
	source.clock.Store(c)
	last := uuid.Nil
	for range 10_000 {
		id := source.next()
		if id.Version() != 7 || id.Variant() != uuid.RFC4122 {
			t.Fatalf("%s is no UUIDv7", id)
		}
		if bytes.Compare(id[:], last[:]) <= 0 {
			t.Fatalf("%s follows %s", id, last)
		}
		last = id
	}
	from, to := postgres.IDAt(w.base.Add(-time.Second)), postgres.IDAt(w.base.Add(time.Second))
	if bytes.Compare(last[:], from[:]) < 0 || bytes.Compare(last[:], to[:]) > 0 {
		t.Errorf("%s is not of the database's time %s", last, w.base)
	}
}

// A clock that was put back by much is followed: ids would be ahead of it for as long.
func TestIDsFollowAClockThatWasPutBack(t *testing.T) {
	t.Parallel()
	at := noon
	source := idSource{now: func() time.Time { return at }}
	first := source.next()
	at = noon.Add(-time.Millisecond)
	if next := source.next(); bytes.Compare(next[:], first[:]) <= 0 {
		t.Errorf("%s follows %s: a little back is no reason", next, first)
	}
	at = noon.Add(-time.Hour)
	if next, end := source.next(), postgres.IDAt(at.Add(time.Second)); bytes.Compare(next[:], end[:]) > 0 {
		t.Errorf("%s is ahead of the clock", next)
	}
}

func TestIDsDifferForManyAtOnce(t *testing.T) {
	t.Parallel()
	var wg sync.WaitGroup
	var mu sync.Mutex
	seen := make(map[uuid.UUID]bool)
	for range 8 {
		wg.Go(func() {
			for range 2_000 {
				id := NewID()
				mu.Lock()
				if seen[id] {
					t.Errorf("%s twice", id)
				}
				seen[id] = true
				mu.Unlock()
			}
		})
	}
	wg.Wait()
}
