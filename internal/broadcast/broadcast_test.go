package broadcast

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"
)

// bundle is a broadcaster on a Redis of its own, which the tests may take away: the server is
// in-process, so that it can be stopped and come back on the same port.
type bundle struct {
	server *miniredis.Miniredis
	*Broadcaster
}

func setup(t *testing.T) bundle {
	t.Helper()
	server := miniredis.RunT(t)
	client := redis.NewClient(&redis.Options{Addr: server.Addr(), MaxRetries: -1, DialTimeout: 200 * time.Millisecond})
	b := New(client, "changes", slog.New(slog.DiscardHandler))
	t.Cleanup(func() {
		b.Close()
		_ = client.Close()
	})
	select {
	case <-b.Ready():
	case <-time.After(10 * time.Second):
		t.Fatal("redis did not confirm the subscription")
	}
	return bundle{server: server, Broadcaster: b}
}

func couponChange() Change {
	return Change{Kind: Coupon, Player: uuid.New(), Coupon: uuid.NullUUID{UUID: uuid.New(), Valid: true}}
}

// next waits for one change; ok = false when the subscription was cut off.
func next(t *testing.T, changes <-chan Change) (change Change, ok bool) {
	t.Helper()
	select {
	case change, ok = <-changes:
		return change, ok
	case <-time.After(10 * time.Second):
		t.Fatal("nothing heard for 10 s")
		return Change{}, false
	}
}

func TestEverybodyHearsOfEveryChange(t *testing.T) {
	t.Parallel()
	b := setup(t)
	one, cancelOne := b.Subscribe(t.Context())
	other, cancelOther := b.Subscribe(t.Context())
	defer cancelOne()
	defer cancelOther()
	change := couponChange()
	b.CouponChanged(change.Coupon.UUID, change.Player)
	b.WalletsMoved([]uuid.UUID{change.Player})
	for _, subscription := range []<-chan Change{one, other} {
		for _, want := range []Change{change, {Kind: Wallet, Player: change.Player}} {
			got, ok := next(t, subscription)
			if diff := cmp.Diff(want, got); !ok || diff != "" {
				t.Errorf("heard (-want +got), open = %v:\n%s", ok, diff)
			}
		}
	}
}

func TestPlayerHearsOfOwnChangesOnly(t *testing.T) {
	t.Parallel()
	b := setup(t)
	mine, foreign := couponChange(), couponChange()
	changes, cancel := b.SubscribePlayer(t.Context(), mine.Player)
	defer cancel()
	b.Publish([]Change{foreign, mine, foreign})
	b.Publish([]Change{mine})
	for range 2 {
		if got, ok := next(t, changes); !ok || got != mine {
			t.Errorf("heard %+v (open = %v), want %+v", got, ok, mine)
		}
	}
	if left := len(changes); left != 0 {
		t.Errorf("%d more changes heard, want none", left)
	}
}

func TestManyChangesTravelInFewMessages(t *testing.T) {
	t.Parallel()
	b := setup(t)
	watch := redis.NewClient(&redis.Options{Addr: b.server.Addr()})
	defer watch.Close()
	raw := watch.Subscribe(t.Context(), "changes")
	defer raw.Close()
	if _, err := raw.Receive(t.Context()); err != nil {
		t.Fatal(err)
	}
	const count = 2*maxMessage + 1
	changes := make([]Change, count)
	for i := range changes {
		changes[i] = couponChange()
	}
	b.Publish(changes)
	for _, want := range []int{maxMessage, maxMessage, 1} {
		message, err := raw.ReceiveMessage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		batch, err := decode(message.Payload)
		if err != nil || len(batch) != want {
			t.Errorf("message of %d changes (%v), want %d", len(batch), err, want)
		}
	}
}

func TestSlowSubscriberIsCutOffAndHurtsNobody(t *testing.T) {
	t.Parallel()
	b := setup(t)
	player := uuid.New()
	slow, cancelSlow := b.SubscribePlayer(t.Context(), player)
	defer cancelSlow()
	quick, cancelQuick := b.Subscribe(t.Context())
	defer cancelQuick()
	changes := make([]Change, lagOfPlayer+1)
	for i := range changes {
		changes[i] = Change{Kind: Wallet, Player: player}
	}
	b.Publish(changes)
	for i := range changes {
		if _, ok := next(t, quick); !ok {
			t.Fatalf("the quick subscriber was cut off after %d changes", i)
		}
	}
	heard := 0
	for range slow { // ends: the channel was closed
		heard++
	}
	if heard != lagOfPlayer {
		t.Errorf("the slow subscriber heard %d changes before it was cut off, want %d", heard, lagOfPlayer)
	}
	if got := b.Subscribers(); got != 1 {
		t.Errorf("Subscribers() = %d, want 1", got)
	}
}

func TestInterruptedSubscriptionEndsEverySubscriber(t *testing.T) {
	t.Parallel()
	b := setup(t)
	changes, cancel := b.Subscribe(t.Context())
	defer cancel()
	b.server.Close()
	if err := b.server.Restart(); err != nil {
		t.Fatal(err)
	}
	if change, ok := next(t, changes); ok {
		t.Fatalf("heard %+v, want the channel closed: something may have been missed", change)
	}
	again, cancelAgain := b.Subscribe(t.Context())
	defer cancelAgain()
	want := couponChange()
	b.Publish([]Change{want})
	if got, ok := next(t, again); !ok || got != want {
		t.Errorf("heard %+v (open = %v) after the interruption, want %+v", got, ok, want)
	}
}

func TestPublishNeverBlocksWithRedisAway(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.server.Close()
	batch := make([]Change, maxMessage)
	started := time.Now()
	for range 4 * maxWaiting / maxMessage {
		b.Publish(batch)
	}
	if took := time.Since(started); took > 2*time.Second {
		t.Errorf("publishing took %s with redis away", took)
	}
	if b.Dropped() == 0 {
		t.Error("nothing counted as dropped, though four times the buffer was published")
	}
}

func TestCancelAndContextEndASubscription(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx, end := context.WithCancel(t.Context())
	changes, cancel := b.SubscribePlayer(ctx, uuid.New())
	end()
	if _, ok := next(t, changes); ok {
		t.Error("heard something after the context ended")
	}
	cancel()
	cancel()
	if got := b.Subscribers(); got != 0 {
		t.Errorf("Subscribers() = %d, want 0", got)
	}
}

func TestCloseSendsWhatWaitsAndEndsSubscriptions(t *testing.T) {
	t.Parallel()
	b := setup(t)
	other := New(b.client, "changes", slog.New(slog.DiscardHandler))
	defer other.Close()
	<-other.Ready()
	heard, cancel := other.Subscribe(t.Context())
	defer cancel()
	own, cancelOwn := b.Subscribe(t.Context())
	defer cancelOwn()
	want := couponChange()
	b.Publish([]Change{want})
	b.Close()
	if got, ok := next(t, heard); !ok || got != want {
		t.Errorf("another process heard %+v (open = %v), want %+v", got, ok, want)
	}
	for range own { // ends: Close closed the channel
	}
	b.Publish([]Change{want})
	if late, _ := b.Subscribe(t.Context()); late != nil {
		if _, ok := next(t, late); ok {
			t.Error("a subscription after Close hears something")
		}
	}
	if got := b.Dropped(); got != 1 {
		t.Errorf("Dropped() = %d after publishing to a closed broadcaster, want 1", got)
	}
}

func TestForeignMessageIsIgnored(t *testing.T) {
	t.Parallel()
	b := setup(t)
	changes, cancel := b.Subscribe(t.Context())
	defer cancel()
	b.server.Publish("changes", "nonsense")
	want := couponChange()
	b.Publish([]Change{want})
	if got, ok := next(t, changes); !ok || got != want {
		t.Errorf("heard %+v (open = %v), want %+v", got, ok, want)
	}
}
