package casino

import (
	"context"
	"fmt"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"evens/internal/lookup"
	"evens/internal/postgres"
	"evens/wallet"
)

// Categories knows what kind each game is and who made it, as the platforms' catalogues have it:
// bonuses count stakes by it. It is safe for concurrent use.
type Categories struct {
	db     *postgres.DB
	now    func() time.Time
	finder *lookup.Lookup[gameKey, gameKind]
	known  lookup.Bounded[gameKey, knownCategory]
}

type gameKey struct{ provider, code string }

// gameKind is what a catalogue says of a game.
type gameKind struct{ category, studio string }

type knownCategory struct {
	gameKind
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

// Of returns a game as bonuses tell games apart, without a stake: a game that no catalogue has is known
// by its platform and its code alone.
func (c *Categories) Of(ctx context.Context, provider, code string) (wallet.Wager, error) {
	w := wallet.Wager{Provider: provider, Game: code}
	if code == "" {
		return w, nil
	}
	key, now := gameKey{provider, code}, c.now()
	known, _ := c.known.Get(key)
	if !now.Before(known.until) {
		kind, _, err := c.finder.Get(ctx, key)
		if err != nil {
			return w, fmt.Errorf("look up the category of %s %s: %w", provider, code, err)
		}
		known = knownCategory{kind, now.Add(categoryTTL)}
		c.known.Put(key, known)
	}
	w.Category, w.Studio = known.category, known.studio
	return w, nil
}

// Index: games_pkey.
const readCategories = `
	SELECT g.provider, g.code, g.category, g.studio
	  FROM unnest($1::text[], $2::text[]) k (provider, code)
	  JOIN games g ON g.provider = k.provider AND g.code = k.code`

func (c *Categories) fetch(ctx context.Context, keys []gameKey) (map[gameKey]gameKind, error) {
	providers, codes := make([]string, len(keys)), make([]string, len(keys))
	for i, key := range keys {
		providers[i], codes[i] = key.provider, key.code
	}
	found := make(map[gameKey]gameKind, len(keys))
	err := postgres.Again(ctx, func() error {
		rows, err := c.db.Hot.Query(ctx, readCategories, providers, codes)
		if err != nil {
			return err
		}
		var key gameKey
		var kind gameKind
		_, err = pgx.ForEachRow(rows, []any{&key.provider, &key.code, &kind.category, &kind.studio}, func() error {
			found[key] = kind
			return nil
		})
		return err
	})
	return found, err
}

const writeCategories = `
	INSERT INTO games (provider, code, category, studio)
	SELECT DISTINCT ON (provider, code) * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) g (provider, code, category, studio)
	    ON CONFLICT (provider, code) DO UPDATE SET category = excluded.category, studio = excluded.studio
	 WHERE games.category <> excluded.category OR games.studio <> excluded.studio`

// printable reports whether a text is UTF-8 of characters that show.
func printable(text string) bool {
	if !utf8.ValidString(text) {
		return false
	}
	for _, r := range text {
		if !unicode.IsPrint(r) {
			return false
		}
	}
	return true
}

// Keep writes down what a catalogue says of its games.
func (c *Categories) Keep(ctx context.Context, games []Game) error {
	providers, codes := make([]string, 0, len(games)), make([]string, 0, len(games))
	names, studios := make([]string, 0, len(games)), make([]string, 0, len(games))
	for _, game := range games {
		if game.Code == "" || CheckID(game.Code) != nil || !printable(game.Category) || !printable(game.Studio) {
			continue
		}
		providers, codes = append(providers, game.Provider), append(codes, game.Code)
		names, studios = append(names, wallet.Category(game.Category)), append(studios, game.Studio)
	}
	if _, err := c.db.Pool.Exec(ctx, writeCategories, providers, codes, names, studios); err != nil {
		return fmt.Errorf("keep the categories of games: %w", err)
	}
	return nil
}
