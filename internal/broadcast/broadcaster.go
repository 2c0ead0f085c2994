package broadcast

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"
)

// Broadcaster publishes changes and hears of those that any process published. It is safe for
// concurrent use.
type Broadcaster struct {
	client  redis.UniversalClient
	channel string
	log     *slog.Logger
	outbox  outbox
	hub     *hub
	ready   chan struct{}

	sender, listener sync.WaitGroup
	giveUp, stop     context.CancelFunc // end them
}

// New starts publishing to and hearing from a pub/sub channel. A Redis that is away is tried
// again and again; New does not wait for it.
func New(client redis.UniversalClient, channel string, log *slog.Logger) *Broadcaster {
	b := &Broadcaster{
		client: client, channel: channel, log: log,
		outbox: outbox{wake: make(chan struct{}, 1)}, hub: newHub(), ready: make(chan struct{}),
	}
	sending, giveUp := context.WithCancel(context.Background())
	listening, stop := context.WithCancel(context.Background())
	b.giveUp, b.stop = giveUp, stop
	b.sender.Go(func() { b.send(sending) })
	b.listener.Go(func() { b.listen(listening) })
	return b
}

// farewell is how long Close tries to send what waits.
const farewell = time.Second

// Close sends what waits, within a second, ends every subscription and returns when all is done.
// It may be called again. The client stays open.
func (b *Broadcaster) Close() {
	b.outbox.close()
	patience := time.AfterFunc(farewell, b.giveUp)
	b.sender.Wait()
	patience.Stop()
	b.giveUp()
	b.stop()
	b.listener.Wait()
	b.hub.close()
}

// Ready is closed once Redis has confirmed the subscription for the first time.
func (b *Broadcaster) Ready() <-chan struct{} { return b.ready }

// Dropped counts the changes that were published to nobody: the buffer was full or Redis away.
func (b *Broadcaster) Dropped() uint64 { return b.outbox.dropped.Load() }

// Publish has changes told to every process. It never blocks and keeps nothing of the slice.
func (b *Broadcaster) Publish(changes []Change) { b.outbox.add(changes...) }

// CouponChanged publishes one coupon's change; it fits coupon.Config.Changed.
func (b *Broadcaster) CouponChanged(coupon, player uuid.UUID) {
	b.outbox.add(Change{Kind: Coupon, Player: player, Coupon: uuid.NullUUID{UUID: coupon, Valid: true}})
}

// WalletsMoved publishes changes of players' balances; it fits wallet.NewBooks.
func (b *Broadcaster) WalletsMoved(players []uuid.UUID) {
	changes := make([]Change, len(players))
	for i, player := range players {
		changes[i] = Change{Kind: Wallet, Player: player}
	}
	b.outbox.add(changes...)
}

const publishTimeout = 2 * time.Second

// send works the outbox off until it is closed and empty. Once ctx ends, nothing is sent any more.
func (b *Broadcaster) send(ctx context.Context) {
	down := false
	for range b.outbox.wake {
		down = b.sendAll(ctx, down)
		if b.outbox.done() {
			return
		}
	}
}

// sendAll empties the outbox. It logs when Redis goes away and when it is back, not each
// message lost between.
func (b *Broadcaster) sendAll(ctx context.Context, down bool) bool {
	for changes := b.outbox.take(); len(changes) > 0; changes = b.outbox.take() {
		for start := 0; start < len(changes); start += maxMessage {
			batch := changes[start:min(start+maxMessage, len(changes))]
			err := b.publish(ctx, batch)
			if err != nil {
				b.outbox.dropped.Add(uint64(len(batch)))
			}
			if err != nil && !down {
				b.log.Warn("changes are not published: event streams stand still", "error", err)
			}
			if err == nil && down {
				b.log.Info("changes are published again", "dropped", b.Dropped())
			}
			down = err != nil
		}
	}
	return down
}

func (b *Broadcaster) publish(ctx context.Context, changes []Change) error {
	message, err := encode(changes)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, publishTimeout)
	defer cancel()
	return b.client.Publish(ctx, b.channel, message).Err()
}

// listen hands what Redis says to the hub until ctx ends. The client reconnects by itself; each
// confirmation of a subscription stands for a time in which something may have been missed.
func (b *Broadcaster) listen(ctx context.Context) {
	subscription := b.client.Subscribe(ctx, b.channel)
	messages := subscription.ChannelWithSubscriptions(redis.WithChannelSize(maxMessage))
	for {
		select {
		case message, open := <-messages:
			if !open {
				return
			}
			b.hear(message)
		case <-ctx.Done():
			_ = subscription.Close() // nothing is left to be done about a connection on its way out
			for range messages {     // until the client's own goroutine has ended
			}
			return
		}
	}
}

func (b *Broadcaster) hear(message any) {
	switch m := message.(type) {
	case *redis.Subscription:
		if m.Kind != "subscribe" {
			return
		}
		b.hub.cutAll()
		select {
		case <-b.ready:
			b.log.Info("heard from redis again: event streams start over")
		default:
			close(b.ready)
		}
	case *redis.Message:
		changes, err := decode(m.Payload)
		if err != nil {
			b.log.Warn("changes not understood", "error", err)
			return
		}
		b.hub.deliver(changes)
	}
}
