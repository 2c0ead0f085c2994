package broadcast

import (
	"sync"
	"sync/atomic"
)

// maxWaiting bounds the changes that wait to be sent: some seconds of the busiest hour.
const maxWaiting = 50_000

// outbox holds what is still to be sent.
type outbox struct {
	wake    chan struct{} // one slot: something waits
	dropped atomic.Uint64

	mu      sync.Mutex
	waiting []Change
	closed  bool
}

// add takes what fits and counts the rest as dropped.
func (o *outbox) add(changes ...Change) {
	o.mu.Lock()
	room := maxWaiting - len(o.waiting)
	if o.closed {
		room = 0
	}
	fit := min(room, len(changes))
	o.waiting = append(o.waiting, changes[:fit]...)
	o.mu.Unlock()
	if lost := len(changes) - fit; lost > 0 {
		o.dropped.Add(uint64(lost))
	}
	o.ring()
}

// ring wakes the sender.
func (o *outbox) ring() {
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

// take empties the outbox.
func (o *outbox) take() []Change {
	o.mu.Lock()
	defer o.mu.Unlock()
	taken := o.waiting
	o.waiting = nil
	return taken
}

// close refuses whatever comes from now on.
func (o *outbox) close() {
	o.mu.Lock()
	o.closed = true
	o.mu.Unlock()
	o.ring()
}

// done reports whether nothing waits and nothing will.
func (o *outbox) done() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.closed && len(o.waiting) == 0
}
