package broadcast

import (
	"log/slog"
	"testing"

	"github.com/google/uuid"

	"evens/internal/redis"
	"evens/internal/testbed"
)

func TestMain(m *testing.M) { testbed.Main(m) }

func TestTwoProcessesOnARealRedis(t *testing.T) {
	t.Parallel()
	client, err := redis.Open(testbed.Redis(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	channel := "changes:" + uuid.NewString() // channels are shared by all databases of a server
	here, there := New(client, channel, slog.New(slog.DiscardHandler)), New(client, channel, slog.New(slog.DiscardHandler))
	t.Cleanup(here.Close)
	t.Cleanup(there.Close)
	<-here.Ready()
	<-there.Ready()
	player := uuid.New()
	changes, cancel := there.SubscribePlayer(t.Context(), player)
	defer cancel()
	here.WalletsMoved([]uuid.UUID{uuid.New(), player})
	want := Change{Kind: Wallet, Player: player}
	if got, ok := next(t, changes); !ok || got != want {
		t.Errorf("the other process heard %+v (open = %v), want %+v", got, ok, want)
	}
}
