package access

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"evens/activity"
	"evens/internal/lookup"
	"evens/internal/postgres"
	"evens/wallet"
)

// How long a token may live.
const (
	DefaultTTL = 24 * time.Hour
	MaxTTL     = 30 * 24 * time.Hour
)

var (
	// ErrToken says that a token is unknown, expired or ended: which of them is nobody's business.
	ErrToken = errors.New("unknown, expired or ended token")
	// ErrTTL says that a token was asked for a time it may not live.
	ErrTTL = errors.New("a token lives up to 30 days")
)

// Tokens keeps players' tokens. It is safe for concurrent use.
type Tokens struct {
	db     *postgres.DB
	now    func() time.Time
	lookup *lookup.Lookup[digest, uuid.UUID]
}

// NewTokens returns the tokens kept in db.
func NewTokens(db *postgres.DB, now func() time.Time) *Tokens {
	t := &Tokens{db: db, now: now}
	t.lookup = lookup.New(t.fetch)
	return t
}

// Issue makes a token for a player: the only time it is seen. A ttl of zero stands for
// DefaultTTL; below zero or above MaxTTL is ErrTTL. An unknown player is wallet.ErrUnknownPlayer, one
// who is blocked or closed wallet.ErrPlayerBlocked.
func (t *Tokens) Issue(ctx context.Context, player uuid.UUID, ttl time.Duration) (token string, expires time.Time, err error) {
	if ttl < 0 || ttl > MaxTTL {
		return "", time.Time{}, fmt.Errorf("%w, not %s", ErrTTL, ttl)
	}
	if ttl == 0 {
		ttl = DefaultTTL
	}
	token = newSecret(TokenPrefix)
	hash, _ := hashOf(token, TokenPrefix)
	at := t.now().UTC()
	var status string
	err = t.db.Pool.QueryRow(ctx, issueToken, hash[:], player, at, at.Add(ttl)).Scan(&status)
	switch {
	case postgres.NotFound(err):
		return "", time.Time{}, wallet.ErrUnknownPlayer
	case err != nil:
		return "", time.Time{}, fmt.Errorf("issue token: %w", err)
	case wallet.Status(status) != wallet.Active:
		return "", time.Time{}, wallet.ErrPlayerBlocked
	}
	return token, at.Add(ttl), nil
}

// Index: players_pkey.
const issueToken = `
	WITH player AS (SELECT id, status FROM players WHERE id = $2),
	     issued AS (INSERT INTO player_tokens (hash, player_id, created_at, expires_at)
	                SELECT $1::bytea, id, $3::timestamptz, $4::timestamptz FROM player WHERE status = 'active')
	SELECT status FROM player`

// Resolve returns whose token it is, or ErrToken: one of a player who is blocked or closed too. The
// answer holds for this moment only.
func (t *Tokens) Resolve(ctx context.Context, token string) (uuid.UUID, error) {
	hash, ok := hashOf(token, TokenPrefix)
	if !ok {
		return uuid.UUID{}, ErrToken
	}
	player, found, err := t.lookup.Get(ctx, hash)
	if err != nil {
		return uuid.UUID{}, fmt.Errorf("resolve token: %w", err)
	}
	if !found {
		return uuid.UUID{}, ErrToken
	}
	return player, nil
}

// Indexes: player_tokens_pkey, players_pkey.
const readTokens = `
	SELECT t.hash, t.player_id
	  FROM player_tokens t JOIN players p ON p.id = t.player_id
	 WHERE t.hash = ANY ($1) AND t.ended_at IS NULL AND t.expires_at > $2 AND p.status = 'active'`

func (t *Tokens) fetch(ctx context.Context, hashes []digest) (map[digest]uuid.UUID, error) {
	rows, err := t.db.Pool.Query(ctx, readTokens, digests(hashes), t.now())
	if err != nil {
		return nil, err
	}
	found := make(map[digest]uuid.UUID, len(hashes))
	var hash []byte
	var player uuid.UUID
	_, err = pgx.ForEachRow(rows, []any{&hash, &player}, func() error {
		found[digest(hash)] = player
		return nil
	})
	return found, err
}

// Index: player_tokens_pkey.
const endToken = `UPDATE player_tokens SET ended_at = $2 WHERE hash = $1 AND ended_at IS NULL`

// End makes a token invalid from now on. Ending it again, or one that never was, changes nothing.
func (t *Tokens) End(ctx context.Context, token string) error {
	hash, ok := hashOf(token, TokenPrefix)
	if !ok {
		return nil
	}
	if _, err := t.db.Pool.Exec(ctx, endToken, hash[:], t.now()); err != nil {
		return fmt.Errorf("end token: %w", err)
	}
	return nil
}

// Index: player_tokens_player.
const endTokens = `UPDATE player_tokens SET ended_at = $2 WHERE player_id = $1 AND ended_at IS NULL`

// EndAll makes every token of a player invalid from now on.
func (t *Tokens) EndAll(ctx context.Context, player uuid.UUID) error {
	return EndTokens(ctx, t.db.Pool, player, t.now())
}

// EndTokens makes every token of a player invalid from the commit on that db belongs to.
func EndTokens(ctx context.Context, db activity.Execer, player uuid.UUID, at time.Time) error {
	if _, err := db.Exec(ctx, endTokens, player, at); err != nil {
		return fmt.Errorf("end the tokens of player %s: %w", player, err)
	}
	return nil
}
