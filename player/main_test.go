package player

import (
	"log/slog"
	"testing"
	"time"

	"evens/access"
	"evens/internal/postgres"
	"evens/internal/testbed"
	"evens/wallet"
)

func TestMain(m *testing.M) { testbed.Main(m) }

// bundle is the package on a database of its own, with a clock that the test sets.
type bundle struct {
	db        *postgres.DB
	clock     *clock
	players   *Registry
	tokens    *access.Tokens
	operators *access.Operators
	history   *History
	poster    *wallet.Poster
}

type clock struct{ at time.Time }

func (c *clock) now() time.Time { return c.at }

func setup(t *testing.T) bundle {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	db, err := postgres.Open(t.Context(), postgres.Config{URL: testbed.Database(t), MaxConns: 6, HotConns: 2, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	poster := wallet.NewPoster(wallet.NewBooks(db, nil, log), wallet.PosterConfig{})
	t.Cleanup(poster.Close)
	c := &clock{at: time.Now().UTC().Truncate(time.Hour)}
	return bundle{
		db: db, clock: c, players: New(db, c.now), tokens: access.NewTokens(db, c.now),
		operators: access.NewOperators(db, c.now), history: NewHistory(db), poster: poster,
	}
}

// player registers one in USD.
func (b bundle) player(t *testing.T, externalID string) Player {
	t.Helper()
	p, _, err := b.players.Create(t.Context(), Registration{ExternalID: externalID, Name: "Ann", Email: "ann@example.com", Currency: "USD"})
	if err != nil {
		t.Fatal(err)
	}
	return p
}
