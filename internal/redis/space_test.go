package redis

import (
	"slices"
	"strings"
	"testing"

	"github.com/alicebob/miniredis/v2"
	"github.com/google/go-cmp/cmp"
	goredis "github.com/redis/go-redis/v9"
)

// Keys carry the space in single commands, scripts and pipelines; values and others' keys stay as they are.
func TestKeysCarryTheSpace(t *testing.T) {
	t.Parallel()
	m := miniredis.RunT(t)
	for _, scheme := range []string{"redis", "redis-cluster"} {
		m.FlushAll()
		client, err := OpenIn(scheme+"://"+m.Addr(), "evens-1f")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = client.Close() })
		ctx := t.Context()
		script := goredis.NewScript(`redis.call("SET", KEYS[1], ARGV[1]); return redis.call("SET", ARGV[2] .. "x", "1")`)
		if err := script.Run(ctx, client, []string{"asynq:{q}:pending"}, "value", "asynq:{q}:t:").Err(); err != nil {
			t.Fatal(scheme, err)
		}
		answer, err := goredis.NewScript(`return {KEYS[1], 7, {KEYS[1]}, "evens"}`).Run(ctx, client, []string{"asynq:{q}:pending"}).Result()
		if diff := cmp.Diff([]any{"asynq:{q}:pending", int64(7), []any{"asynq:{q}:pending"}, "evens"}, answer); err != nil || diff != "" {
			t.Errorf("%s: a script's answer, %v (-want +got):\n%s", scheme, err, diff)
		}
		pipeline := client.Pipeline()
		pipeline.Set(ctx, "rate:player", "evens", 0)
		pipeline.Set(ctx, "others:key", "1", 0)
		if _, err := pipeline.Exec(ctx); err != nil {
			t.Fatal(scheme, err)
		}
		if err := client.Set(ctx, "evens:catalogue", "SET", 0).Err(); err != nil {
			t.Fatal(scheme, err)
		}
		want := []string{"evens-1f:asynq:{q}:pending", "evens-1f:asynq:{q}:t:x", "evens-1f:evens:catalogue", "evens-1f:rate:player", "others:key"}
		if got := m.Keys(); !slices.Equal(got, want) {
			t.Errorf("%s: keys %v, want %v", scheme, got, want)
		}
		if got := client.Get(ctx, "evens:catalogue").Val(); got != "SET" {
			t.Errorf("%s: read back %q", scheme, got)
		}
	}
}

func TestSubscribersHearTheirSpaceAlone(t *testing.T) {
	t.Parallel()
	m := miniredis.RunT(t)
	open := func(space Space) goredis.UniversalClient {
		client, err := OpenIn("redis://"+m.Addr(), space)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = client.Close() })
		return client
	}
	one, two := open("evens-1"), open("evens-2")
	heard := Space("evens-1").Subscriber(one).Subscribe(t.Context(), "asynq:cancel")
	defer heard.Close()
	if _, err := heard.Receive(t.Context()); err != nil {
		t.Fatal(err)
	}
	for client, text := range map[goredis.UniversalClient]string{two: "theirs", one: "ours"} {
		if err := client.Publish(t.Context(), "asynq:cancel", text).Err(); err != nil {
			t.Fatal(err)
		}
	}
	message, err := heard.ReceiveMessage(t.Context())
	if err != nil || message.Payload != "ours" {
		t.Errorf("heard %v, %v, want our own", message, err)
	}
}

func TestNoSpaceChangesNothing(t *testing.T) {
	t.Parallel()
	m := miniredis.RunT(t)
	client, err := OpenIn("redis://"+m.Addr(), "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	if err := client.Set(t.Context(), "asynq:queues", 1, 0).Err(); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(m.Keys(), " "); got != "asynq:queues" || Space("").Name("k") != "k" {
		t.Errorf("keys %q", got)
	}
}
