package access

import (
	"log/slog"
	"testing"
	"time"

	"github.com/alexedwards/argon2id"
	"github.com/google/uuid"

	"evens/internal/postgres"
	"evens/internal/testbed"
)

func TestMain(m *testing.M) { testbed.Main(m) }

// bundle is the package on a database of its own, with a clock that the test sets.
type bundle struct {
	db        *postgres.DB
	clock     *clock
	tokens    *Tokens
	keys      *Keys
	operators *Operators
	approvals *Approvals
}

type clock struct{ at time.Time }

func (c *clock) now() time.Time { return c.at }

// cheap makes hashes that take no time.
var cheap = argon2id.Params{Memory: 64, Iterations: 1, Parallelism: 1, SaltLength: 16, KeyLength: 32}

func setup(t *testing.T) bundle {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	db, err := postgres.Open(t.Context(), postgres.Config{URL: testbed.Database(t), MaxConns: 6, HotConns: 2, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	c := &clock{at: time.Now().UTC().Truncate(time.Hour)}
	return bundle{
		db: db, clock: c, tokens: NewTokens(db, c.now), keys: NewKeys(db, c.now),
		operators: newOperators(db, c.now, newHasher(cheap)), approvals: NewApprovals(db, c.now),
	}
}

// player adds one in USD.
func (b bundle) player(t *testing.T, externalID string) uuid.UUID {
	t.Helper()
	id := uuid.Must(uuid.NewV7())
	_, err := b.db.Pool.Exec(t.Context(), `
		INSERT INTO players (id, external_id, name, email, currency, created_at) VALUES ($1, $2, 'Ann', 'ann@example.com', 'USD', $3)`,
		id, externalID, b.clock.at)
	if err != nil {
		t.Fatal(err)
	}
	return id
}
