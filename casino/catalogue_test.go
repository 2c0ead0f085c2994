package casino_test

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"evens/casino"
	"evens/internal/redis"
	"evens/internal/testbed"
	"evens/reconcile/statement"
)

// shop is a platform with a catalogue that a test changes.
type shop struct {
	mu    sync.Mutex
	games []casino.Game
	err   error
	asked int
	wait  time.Duration
	home  string
}

// Name implements casino.Platform.
func (*shop) Name() string { return platform }

// Address implements casino.Platform.
func (s *shop) Address() string { return s.home }

// Mount implements casino.Platform.
func (*shop) Mount(*http.ServeMux, *casino.Desk) {}

// List implements casino.Platform.
func (*shop) List() statement.Source { return nil }

// Launch implements casino.Platform.
func (*shop) Launch(context.Context, casino.Launch) (string, error) { return "", casino.ErrUnsupported }

// Games implements casino.Platform.
func (s *shop) Games(context.Context) ([]casino.Game, error) {
	time.Sleep(s.wait)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked++
	return s.games, s.err
}

func catalogues(t *testing.T, s *shop) (*casino.Catalogues, goredis.UniversalClient, *time.Time) {
	t.Helper()
	client, err := redis.Open(testbed.Redis(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	now := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	return casino.NewCatalogues(client, []casino.Platform{s}, func() time.Time { return now }, quiet), client, &now
}

func TestTheLastGoodCatalogue(t *testing.T) {
	t.Parallel()
	s := &shop{games: []casino.Game{{Provider: platform, Code: "b"}, {Provider: platform, Code: "a"}}, home: "https://stage.example"}
	c, client, now := catalogues(t, s)
	read := func(want int, asked int) {
		t.Helper()
		games, err := c.Games(t.Context(), platform)
		if err != nil || len(games) != want || s.asked != asked {
			t.Errorf("%d games, asked %d times, %v; want %d, %d", len(games), s.asked, err, want, asked)
		}
	}
	read(2, 1)
	read(2, 1) // fresh
	if game, err := c.Game(t.Context(), platform, "a"); err != nil || game.Code != "a" {
		t.Errorf("game = %+v, %v", game, err)
	}
	if _, err := c.Game(t.Context(), platform, "z"); !errors.Is(err, casino.ErrUnknownGame) {
		t.Errorf("a game that is not there: %v", err)
	}
	*now = now.Add(casino.CatalogueTTL)
	s.err = casino.ErrUnavailable
	read(2, 2) // old, for the platform does not answer
	s.err, s.games = nil, nil
	read(2, 3) // nor does it have no games at all
	s.games = []casino.Game{{Provider: platform, Code: "c"}}
	read(1, 4)
	s.home = "https://production.example" // another catalogue altogether
	read(1, 5)
	if err := client.FlushDB(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	s.err = casino.ErrUnavailable
	if _, err := c.Games(t.Context(), platform); !errors.Is(err, casino.ErrUnavailable) {
		t.Errorf("no catalogue at all: %v", err)
	}
	if _, err := c.Games(t.Context(), "naga"); !errors.Is(err, casino.ErrNotAPlatform) {
		t.Errorf("another platform: %v", err)
	}
}

// Fifty who come together make one question; and Redis may be away.
func TestOneQuestionForMany(t *testing.T) {
	t.Parallel()
	s := &shop{games: []casino.Game{{Provider: platform, Code: "a"}}, wait: 100 * time.Millisecond}
	c, client, _ := catalogues(t, s)
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			if games, err := c.Games(t.Context(), ""); err != nil || len(games) != 1 {
				t.Errorf("%d games, %v", len(games), err)
			}
		})
	}
	wg.Wait()
	if s.asked != 1 {
		t.Errorf("asked %d times", s.asked)
	}
	if err := client.Close(); err != nil {
		t.Fatal(err)
	}
	if games, err := c.Games(t.Context(), platform); err != nil || len(games) != 1 {
		t.Errorf("without Redis: %d games, %v", len(games), err)
	}
}
