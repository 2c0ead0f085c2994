package api

import (
	"slices"
	"sync"

	"github.com/google/uuid"

	"evens/internal/broadcast"
)

// How many events a listener may lag behind before it is cut off. An event that waits gives way to a later
// one of the same coupon or wallet.
const (
	lagOfAll    = 8192
	lagOfPlayer = 256
)

// listener is one event stream, as the relay sees it.
type listener struct {
	player  uuid.NullUUID // not valid: everybody
	coupon  uuid.NullUUID // valid: of coupons this one only
	wallets bool
	first   []broadcast.Change // shown before anything has changed
	arrived bool               // the first look is over; the relay's lock guards it

	wake chan struct{} // something waits, or the listener was cut off

	mu      sync.Mutex
	waiting []told
	spare   []told                   // what was sent last: its room is used again
	places  map[broadcast.Change]int // in waiting, where it is long
	gone    bool
}

// told is an event of a change, whose text other listeners share.
type told struct {
	change broadcast.Change
	text   []byte
}

// short is how long a list is looked through, and how long a spare one may be.
const short = 16

func newListener(player, coupon uuid.NullUUID, wallets bool, first ...broadcast.Change) *listener {
	return &listener{player: player, coupon: coupon, wallets: wallets, first: first, wake: make(chan struct{}, 1)}
}

func (l *listener) wants(change broadcast.Change) bool {
	if change.Kind == broadcast.Wallet {
		return l.wallets
	}
	return !l.coupon.Valid || l.coupon == change.Coupon
}

// offer has an event sent. It never blocks.
func (l *listener) offer(change broadcast.Change, text []byte) {
	if text == nil || !l.wants(change) {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if at := l.place(change); at >= 0 {
		l.waiting[at].text = text
		return
	}
	most := lagOfAll
	if l.player.Valid {
		most = lagOfPlayer
	}
	if len(l.waiting) >= most {
		l.gone = true
	}
	if !l.gone {
		l.waiting = append(l.waiting, told{change, text})
		l.index()
	}
	l.notify()
}

// place is where an event of the change waits; -1 where none does.
func (l *listener) place(change broadcast.Change) int {
	if l.places != nil {
		if at, waits := l.places[change]; waits {
			return at
		}
		return -1
	}
	return slices.IndexFunc(l.waiting, func(t told) bool { return t.change == change })
}

// index notes where the last event waits, once there are many.
func (l *listener) index() {
	switch n := len(l.waiting); {
	case l.places != nil:
		l.places[l.waiting[n-1].change] = n - 1
	case n > short:
		l.places = make(map[broadcast.Change]int, 2*n)
		for at, t := range l.waiting {
			l.places[t.change] = at
		}
	}
}

// cut ends the listener: something may have been missed.
func (l *listener) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.gone = true
	l.notify()
}

func (l *listener) notify() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// take returns what waits, until the next call, and whether more will come.
func (l *listener) take() (events []told, open bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	events = l.waiting
	l.waiting, l.places = l.spare[:0], nil
	if l.spare = nil; cap(events) <= short {
		l.spare = events
	}
	return events, !l.gone
}
