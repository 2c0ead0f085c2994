package lookup

import "sync"

// Bounded remembers values by key, and forgets all of them when there would be more than Most. It is
// safe for concurrent use; set Most before.
type Bounded[K comparable, V any] struct {
	Most int

	mu    sync.RWMutex
	known map[K]V
}

// Get returns what was put under the key last.
func (b *Bounded[K, V]) Get(key K) (value V, ok bool) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	value, ok = b.known[key]
	return value, ok
}

// Put remembers a value.
func (b *Bounded[K, V]) Put(key K, value V) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.known == nil || len(b.known) >= b.Most {
		b.known = make(map[K]V)
	}
	b.known[key] = value
}
