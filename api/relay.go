package api

import (
	"bytes"
	"context"
	"sync"

	"github.com/google/uuid"

	"evens/internal/broadcast"
)

// relay tells the listeners of this process what has changed. Each change is read and rendered once, for
// all of them; what nobody listens for is not read. A relay lives while it has listeners and has missed
// nothing.
type relay struct {
	s       *server
	ctx     context.Context //nolint:containedctx // ends the relay's own goroutine
	changes <-chan broadcast.Change
	stop    func()        // ends the subscription and the goroutine
	poke    chan struct{} // somebody waits for a first look

	mu       sync.Mutex
	ended    bool
	all      map[*listener]struct{}
	byPlayer map[uuid.UUID]map[*listener]struct{}
	arriving []*listener // wait for their first look
}

// relays has the relay that there is.
type relays struct {
	mu      sync.Mutex
	current *relay
}

// join adds a listener: whatever changes from now on is told it, its first look before.
func (s *server) join(l *listener) *relay {
	s.relays.mu.Lock()
	defer s.relays.mu.Unlock()
	if r := s.relays.current; r != nil && r.add(l) {
		return r
	}
	ctx, cancel := context.WithCancel(context.Background())
	changes, unsubscribe := s.cfg.Changes.Subscribe(ctx)
	r := &relay{
		s: s, ctx: ctx, changes: changes, poke: make(chan struct{}, 1),
		all: make(map[*listener]struct{}), byPlayer: make(map[uuid.UUID]map[*listener]struct{}),
		stop: func() { cancel(); unsubscribe() },
	}
	r.add(l)
	s.relays.current = r
	go r.run()
	return r
}

// add reports whether the relay takes the listener: one that has ended takes nobody.
func (r *relay) add(l *listener) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ended {
		return false
	}
	switch {
	case !l.player.Valid:
		r.all[l] = struct{}{}
	case r.byPlayer[l.player.UUID] == nil:
		r.byPlayer[l.player.UUID] = map[*listener]struct{}{l: {}}
	default:
		r.byPlayer[l.player.UUID][l] = struct{}{}
	}
	if l.arrived = len(l.first) == 0; !l.arrived {
		r.arriving = append(r.arriving, l)
		r.wake()
	}
	return true
}

func (r *relay) wake() {
	select {
	case r.poke <- struct{}{}:
	default:
	}
}

// leave takes a listener out; the last one ends the relay.
func (r *relay) leave(l *listener) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.all, l)
	if of := r.byPlayer[l.player.UUID]; of != nil && l.player.Valid {
		if delete(of, l); len(of) == 0 {
			delete(r.byPlayer, l.player.UUID)
		}
	}
	if len(r.all) == 0 && len(r.byPlayer) == 0 {
		r.ended = true
		r.stop()
	}
}

// end cuts every listener off: something may have been missed.
func (r *relay) end() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ended = true
	r.stop()
	for l := range r.all {
		l.cut()
	}
	for _, listeners := range r.byPlayer {
		for l := range listeners {
			l.cut()
		}
	}
}

func (r *relay) run() {
	defer r.end()
	for {
		var gathered []broadcast.Change
		select {
		case <-r.ctx.Done():
			return
		case change, open := <-r.changes:
			if !open {
				return
			}
			gathered = gather(change, r.changes, r.wanted)
		case <-r.poke:
		}
		if err := r.show(gathered, r.arrived()); err != nil {
			if r.ctx.Err() == nil {
				r.s.cfg.Log.Error("event streams end: what has changed could not be read", "error", err)
			}
			return
		}
	}
}

// arrived takes some of those who wait for their first look.
func (r *relay) arrived() []*listener {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := min(len(r.arriving), maxGathered)
	some := r.arriving[:n:n]
	if r.arriving = r.arriving[n:]; len(r.arriving) > 0 {
		r.wake()
	}
	return some
}

// wanted reports whether anybody listens for a change.
func (r *relay) wanted(change broadcast.Change) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for l := range r.byPlayer[change.Player] {
		if l.wants(change) {
			return true
		}
	}
	for l := range r.all {
		if l.wants(change) {
			return true
		}
	}
	return false
}

// show reads and renders the present state of what has changed, and of what arriving listeners see first,
// and hands it out in the order of the changes.
func (r *relay) show(changes []broadcast.Change, arriving []*listener) error {
	needed := changes
	for _, l := range arriving {
		needed = append(needed, l.first...)
	}
	if len(needed) == 0 {
		return nil
	}
	texts, err := r.s.render(r.ctx, needed)
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, l := range arriving {
		for _, change := range l.first {
			l.offer(change, texts[change])
		}
		l.arrived = true
	}
	for _, change := range changes {
		if text := texts[change]; text != nil {
			r.deliver(change, text)
		}
	}
	return nil
}

func (r *relay) deliver(change broadcast.Change, text []byte) {
	for l := range r.byPlayer[change.Player] {
		if l.arrived { // its first look is read later, and shows this too
			l.offer(change, text)
		}
	}
	for l := range r.all {
		l.offer(change, text)
	}
}

// render is the events of changes, as they are sent; what is not there any more has none.
func (s *server) render(ctx context.Context, changes []broadcast.Change) (map[broadcast.Change][]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	texts := make(map[broadcast.Change][]byte, len(changes))
	var coupons, players []uuid.UUID
	byCoupon := make(map[uuid.UUID]broadcast.Change)
	for _, change := range changes {
		switch _, twice := texts[change]; {
		case twice:
		case change.Kind == broadcast.Coupon && change.Coupon.Valid:
			coupons, byCoupon[change.Coupon.UUID] = append(coupons, change.Coupon.UUID), change
		case change.Kind == broadcast.Wallet:
			players = append(players, change.Player)
		}
		texts[change] = nil
	}
	if len(coupons) > 0 {
		found, err := s.cfg.Coupons.Many(ctx, coupons)
		if err != nil {
			return nil, err
		}
		for i := range found {
			if texts[byCoupon[found[i].ID]], err = eventText("coupon", viewCoupon(&found[i])); err != nil {
				return nil, err
			}
		}
	}
	if len(players) > 0 {
		found, err := s.cfg.Players.Balances(ctx, players)
		if err != nil {
			return nil, err
		}
		for id, balance := range found {
			if texts[broadcast.Change{Kind: broadcast.Wallet, Player: id}], err = eventText("wallet", viewWallet(balance)); err != nil {
				return nil, err
			}
		}
	}
	return texts, nil
}

// eventText is one server-sent event.
func eventText(name string, data any) ([]byte, error) {
	var text bytes.Buffer
	text.WriteString("event: " + name + "\ndata: ")
	if err := jsonFormat.Marshal(&text, data); err != nil { // one line, ended
		return nil, err
	}
	text.WriteByte('\n')
	return bytes.Clone(text.Bytes()), nil
}
