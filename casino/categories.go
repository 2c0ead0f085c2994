package casino

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"evens/internal/lookup"
	"evens/internal/postgres"
	"evens/wallet"
)

// Categories knows what kind each game is, as the platforms' catalogues have it: bonuses count stakes
// by it. It is safe for concurrent use.
type Categories struct {
	db     *postgres.DB
	now    func() time.Time
	finder *lookup.Lookup[gameKey, string]
	known  lookup.Bounded[gameKey, knownCategory]
}

type gameKey struct{ provider, code string }

type knownCategory struct {
	name  string
	until time.Time
}

// A category is remembered for a while; mostCategories bounds how many are.
const (
	categoryTTL    = 5 * time.Minute
	mostCategories = 50_000
)

// NewCategories returns the categories kept in db.
func NewCategories(db *postgres.DB, now func() time.Time) *Categories {
	c := &Categories{db: db, now: now}
	c.known.Most = mostCategories
	c.finder = lookup.New(c.fetch)
	return c
}

// Of returns the category of a game, "" where no catalogue has it.
func (c *Categories) Of(ctx context.Context, provider, code string) (string, error) {
	if code == "" {
		return "", nil
	}
	key, now := gameKey{provider, code}, c.now()
	if found, _ := c.known.Get(key); now.Before(found.until) {
		return found.name, nil
	}
	name, _, err := c.finder.Get(ctx, key)
	if err != nil {
		return "", fmt.Errorf("look up the category of %s %s: %w", provider, code, err)
	}
	c.known.Put(key, knownCategory{name, now.Add(categoryTTL)})
	return name, nil
}

// Index: games_pkey.
const readCategories = `
	SELECT g.provider, g.code, g.category
	  FROM unnest($1::text[], $2::text[]) k (provider, code)
	  JOIN games g ON g.provider = k.provider AND g.code = k.code`

func (c *Categories) fetch(ctx context.Context, keys []gameKey) (map[gameKey]string, error) {
	providers, codes := make([]string, len(keys)), make([]string, len(keys))
	for i, key := range keys {
		providers[i], codes[i] = key.provider, key.code
	}
	rows, err := c.db.Hot.Query(ctx, readCategories, providers, codes)
	if err != nil {
		return nil, err
	}
	found := make(map[gameKey]string, len(keys))
	var key gameKey
	var name string
	_, err = pgx.ForEachRow(rows, []any{&key.provider, &key.code, &name}, func() error {
		found[key] = name
		return nil
	})
	return found, err
}

const writeCategories = `
	INSERT INTO games (provider, code, category)
	SELECT DISTINCT ON (provider, code) * FROM unnest($1::text[], $2::text[], $3::text[]) g (provider, code, category)
	    ON CONFLICT (provider, code) DO UPDATE SET category = excluded.category WHERE games.category <> excluded.category`

// Keep writes down what a catalogue says of its games.
func (c *Categories) Keep(ctx context.Context, games []Game) error {
	providers, codes, names := make([]string, 0, len(games)), make([]string, 0, len(games)), make([]string, 0, len(games))
	for _, game := range games {
		if CheckID(game.Code) != nil || !printable(game.Category) {
			continue
		}
		providers, codes, names = append(providers, game.Provider), append(codes, game.Code), append(names, wallet.Category(game.Category))
	}
	if _, err := c.db.Pool.Exec(ctx, writeCategories, providers, codes, names); err != nil {
		return fmt.Errorf("keep the categories of games: %w", err)
	}
	return nil
}
