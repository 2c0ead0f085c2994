package api

import (
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
	waiting [][]byte // shared with the other listeners
	places  map[broadcast.Change]int
	gone    bool
}

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
	if at, waits := l.places[change]; waits {
		l.waiting[at] = text
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
		if l.places == nil {
			l.places = make(map[broadcast.Change]int, 1)
		}
		l.places[change] = len(l.waiting)
		l.waiting = append(l.waiting, text)
	}
	l.notify()
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

// take returns what waits, and whether more will come.
func (l *listener) take() (texts [][]byte, open bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	texts = l.waiting
	l.waiting, l.places = nil, nil
	return texts, !l.gone
}
