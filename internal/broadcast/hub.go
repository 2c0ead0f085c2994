package broadcast

import (
	"context"
	"sync"

	"github.com/google/uuid"
)

// How many changes a subscriber may lag behind before it is cut off.
const (
	lagOfAll    = 8192
	lagOfPlayer = 256
)

// hub hands changes to the subscribers of this process.
type hub struct {
	mu       sync.Mutex
	all      map[*subscriber]struct{}
	byPlayer map[uuid.UUID]map[*subscriber]struct{}
	closed   bool
}

type subscriber struct {
	player  uuid.NullUUID // not valid: every change
	changes chan Change
}

func newHub() *hub {
	return &hub{all: make(map[*subscriber]struct{}), byPlayer: make(map[uuid.UUID]map[*subscriber]struct{})}
}

// Subscribe hears of every change until ctx ends or cancel is called, which may happen more than
// once. The channel is closed then, and earlier when something may have been missed.
func (b *Broadcaster) Subscribe(ctx context.Context) (changes <-chan Change, cancel func()) {
	return b.hub.subscribe(ctx, &subscriber{changes: make(chan Change, lagOfAll)})
}

// SubscribePlayer is Subscribe for one player's coupons and wallet.
func (b *Broadcaster) SubscribePlayer(ctx context.Context, player uuid.UUID) (changes <-chan Change, cancel func()) {
	return b.hub.subscribe(ctx, &subscriber{
		player: uuid.NullUUID{UUID: player, Valid: true}, changes: make(chan Change, lagOfPlayer),
	})
}

// Subscribers counts who listens in this process.
func (b *Broadcaster) Subscribers() int {
	b.hub.mu.Lock()
	defer b.hub.mu.Unlock()
	count := len(b.hub.all)
	for _, subscribers := range b.hub.byPlayer {
		count += len(subscribers)
	}
	return count
}

func (h *hub) subscribe(ctx context.Context, s *subscriber) (<-chan Change, func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		close(s.changes)
		return s.changes, func() {}
	}
	switch {
	case !s.player.Valid:
		h.all[s] = struct{}{}
	case h.byPlayer[s.player.UUID] == nil:
		h.byPlayer[s.player.UUID] = map[*subscriber]struct{}{s: {}}
	default:
		h.byPlayer[s.player.UUID][s] = struct{}{}
	}
	cut := func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.cut(s)
	}
	stop := context.AfterFunc(ctx, cut)
	return s.changes, func() {
		stop()
		cut()
	}
}

// deliver gives changes to those they concern. Who has no room left is cut off, and keeps nobody
// waiting.
func (h *hub) deliver(changes []Change) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, change := range changes {
		for s := range h.all {
			h.offer(s, change)
		}
		for s := range h.byPlayer[change.Player] {
			h.offer(s, change)
		}
	}
}

func (h *hub) offer(s *subscriber, change Change) {
	select {
	case s.changes <- change:
	default:
		h.cut(s)
	}
}

// cut ends a subscription, once. The caller holds the lock.
func (h *hub) cut(s *subscriber) {
	if !s.player.Valid {
		if _, present := h.all[s]; present {
			delete(h.all, s)
			close(s.changes)
		}
		return
	}
	subscribers := h.byPlayer[s.player.UUID]
	if _, present := subscribers[s]; !present {
		return
	}
	delete(subscribers, s)
	close(s.changes)
	if len(subscribers) == 0 {
		delete(h.byPlayer, s.player.UUID)
	}
}

// cutAll ends every subscription: something may have been missed.
func (h *hub) cutAll() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for s := range h.all {
		h.cut(s)
	}
	for _, subscribers := range h.byPlayer {
		for s := range subscribers {
			h.cut(s)
		}
	}
}

func (h *hub) close() {
	h.mu.Lock()
	h.closed = true
	h.mu.Unlock()
	h.cutAll()
}
