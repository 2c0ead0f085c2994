// Package lookup shares queries by key among callers of the same moment.
package lookup

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"evens/internal/postgres"
)

// lookupTimeout ends a query whose database does not answer.
const lookupTimeout = 5 * time.Second

// Lookup finds values by key for many callers at once. One query is under way at a time; who
// comes meanwhile waits and shares the next. Nobody is answered by a query that began before
// they asked: what was revoked before a call is not found by it. A key that the database cannot even be
// asked for fails nobody else: a text that no row can hold is not found, and a query that fails for its
// keys' sake is halved until the key stands alone.
type Lookup[K comparable, V any] struct {
	fetch func(ctx context.Context, keys []K) (map[K]V, error)
	turn  chan struct{} // holds whoever queries

	mu   sync.Mutex
	open *round[K, V] // collects keys until its query begins
}

// round is one query and those who wait for it.
type round[K comparable, V any] struct {
	keys  map[K]struct{}
	done  chan struct{} // closed when found and err are set
	found map[K]V
	err   error
	// failed has the errors of keys that failed by themselves.
	failed map[K]error
}

// New returns a lookup that finds by fetch: it answers without the keys it does not know.
func New[K comparable, V any](fetch func(ctx context.Context, keys []K) (map[K]V, error)) *Lookup[K, V] {
	return &Lookup[K, V]{fetch: fetch, turn: make(chan struct{}, 1)}
}

// Get returns the key's value, ok = false when there is none.
func (l *Lookup[K, V]) Get(ctx context.Context, key K) (value V, ok bool, err error) {
	if text, is := any(key).(string); is && !holdable(text) {
		return value, false, nil
	}
	r := l.join(key)
	select {
	case <-r.done:
	case l.turn <- struct{}{}:
		l.ask(ctx, r)
		<-l.turn
	case <-ctx.Done():
		return value, false, fmt.Errorf("wait for a lookup: %w", ctx.Err())
	}
	if r.err != nil {
		return value, false, r.err
	}
	if err := r.failed[key]; err != nil {
		return value, false, err
	}
	value, ok = r.found[key]
	return value, ok, nil
}

// join adds the key to the round whose query has not begun.
func (l *Lookup[K, V]) join(key K) *round[K, V] {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open == nil {
		l.open = &round[K, V]{keys: make(map[K]struct{}, 1), done: make(chan struct{})}
	}
	l.open.keys[key] = struct{}{}
	return l.open
}

// ask closes the round to newcomers and queries for all of it, unless that is done already. The
// query outlives the caller whose turn it is: others wait for it too.
func (l *Lookup[K, V]) ask(ctx context.Context, r *round[K, V]) {
	l.mu.Lock()
	if l.open != r { // another caller of this round had the turn before
		l.mu.Unlock()
		return
	}
	l.open = nil
	l.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lookupTimeout)
	defer cancel()
	defer close(r.done)
	r.err = l.find(ctx, r, slices.Collect(maps.Keys(r.keys)))
}

// find asks for keys of a round, and returns an error that is all of theirs.
func (l *Lookup[K, V]) find(ctx context.Context, r *round[K, V], keys []K) error {
	found, err := l.fetch(ctx, keys)
	switch {
	case err == nil && r.found == nil:
		r.found = found
		return nil
	case err == nil:
		maps.Copy(r.found, found)
		return nil
	case postgres.Unavailable(err) && !postgres.OfOneWork(err) || len(keys) == len(r.keys) && len(keys) == 1:
		return err
	case len(keys) == 1:
		if r.failed == nil {
			r.failed = make(map[K]error)
		}
		r.failed[keys[0]] = err
		return nil
	}
	half := len(keys) / 2
	if err := l.find(ctx, r, keys[:half]); err != nil {
		return err
	}
	return l.find(ctx, r, keys[half:])
}

// holdable reports whether the database's text can hold a key: it is UTF-8 without a NUL.
func holdable(text string) bool { return utf8.ValidString(text) && strings.IndexByte(text, 0) < 0 }
