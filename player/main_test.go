package player

import (
	"log/slog"
	"testing"
	"time"

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
	tokens    *Tokens
	keys      *Keys
	operators *Operators
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
	const cheap = 4 // bcrypt.MinCost
	return bundle{
		db: db, clock: c, players: New(db, c.now), tokens: NewTokens(db, c.now), keys: NewKeys(db, c.now),
		operators: newOperators(db, c.now, cheap), history: NewHistory(db), poster: poster,
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
