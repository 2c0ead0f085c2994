package casino_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"

	"evens/casino"
	"evens/internal/redis"
	"evens/internal/testbed"
	"evens/wallet"
)

// arcade is a platform that opens every game.
type arcade struct{ casino.Platform }

func (arcade) Name() string { return "arcade" }

func (arcade) Address() string { return "https://games.example" }

func (arcade) Games(context.Context) ([]casino.Game, error) {
	return []casino.Game{{Provider: "arcade", Code: "g", Demo: true}}, nil
}

func (arcade) Launch(context.Context, casino.Launch) (string, error) {
	return "https://games.example/g", nil
}

// Who is self-excluded or cooling off opens no game for money until that is over, though one to try; others do, and
// nothing is kept of what was refused.
func TestWhoIsExcludedOpensNoGame(t *testing.T) {
	t.Parallel()
	b := sit(t, "10")
	bob := b.Player(t, "bob", usd("10"))
	now := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	b.SetClock(now)
	client, err := redis.Open(testbed.Redis(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	platforms := []casino.Platform{arcade{}}
	lounge := &casino.Lounge{
		Catalogues: casino.NewCatalogues(client, platforms, b.Now, quiet), Sessions: b.Sessions, Players: b.Players, Rules: b.Rules, Platforms: platforms,
	}
	launch := func(player uuid.UUID, demo bool) error {
		_, _, err := lounge.Launch(t.Context(), casino.Order{Player: player, Provider: "arcade", Game: "g", Demo: demo})
		return err
	}
	opens := func(when string, ana error) {
		t.Helper()
		if err := launch(b.who.ID, false); !errors.Is(err, ana) {
			t.Errorf("%s: %v, want %v", when, err, ana)
		}
		for name, err := range map[string]error{"a demo": launch(b.who.ID, true), "a neighbour's game": launch(bob.ID, false)} {
			if err != nil {
				t.Errorf("%s: %s: %v", when, name, err)
			}
		}
	}
	change := func(wish wallet.Wish) {
		t.Helper()
		if _, err := b.Rules.Change(t.Context(), b.who.ID, wish, "ana", ""); err != nil {
			t.Fatal(err)
		}
	}
	opens("with no rules", nil)
	change(wallet.Wish{Zone: new("America/Sao_Paulo")})
	opens("with rules that bar nothing", nil)
	change(wallet.Wish{CoolingUntil: new(now.Add(time.Hour))})
	opens("cooling off", wallet.ErrExcluded)
	change(wallet.Wish{ExcludedUntil: new(now.Add(3 * time.Hour))})
	b.SetClock(now.Add(2 * time.Hour))
	opens("cooled off, and excluded still", wallet.ErrExcluded)
	b.SetClock(now.Add(3*time.Hour - time.Microsecond))
	opens("up to the last moment", wallet.ErrExcluded)
	b.SetClock(now.Add(3 * time.Hour))
	opens("when it is over", nil)
	if err := launch(uuid.New(), false); !errors.Is(err, wallet.ErrUnknownPlayer) {
		t.Errorf("nobody: %v", err)
	}
	var ana, others int
	err = b.DB.Pool.QueryRow(t.Context(), `
		SELECT count(*) FILTER (WHERE player_id = $1 AND mode = 'real'), count(*) FILTER (WHERE player_id <> $1 OR mode = 'demo')
		  FROM game_sessions`, b.who.ID).Scan(&ana, &others)
	if err != nil || ana != 3 || others != 12 {
		t.Errorf("%d sessions for money and %d others, %v; want 3 and 12", ana, others, err)
	}
}
