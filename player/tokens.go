package player

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"gorm.io/gorm"

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

// tokenRow is a line of player_tokens as it is first written.
type tokenRow struct {
	Hash      []byte
	PlayerID  uuid.UUID
	CreatedAt time.Time
	ExpiresAt time.Time
}

// TableName implements gorm's Tabler.
func (tokenRow) TableName() string { return "player_tokens" }

// Issue makes a token for a player: the only time it is seen. A ttl of zero stands for
// DefaultTTL; below zero or above MaxTTL is ErrTTL. An unknown player is wallet.ErrUnknownPlayer.
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
	err = gorm.G[tokenRow](t.db.Gorm).Create(ctx, &tokenRow{Hash: hash[:], PlayerID: player, CreatedAt: at, ExpiresAt: at.Add(ttl)})
	if postgres.Violates(err, "player_tokens_player_id_fkey") {
		return "", time.Time{}, wallet.ErrUnknownPlayer
	}
	if err != nil {
		return "", time.Time{}, fmt.Errorf("issue token: %w", err)
	}
	return token, at.Add(ttl), nil
}

// Resolve returns whose token it is, or ErrToken. The answer holds for this moment only.
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

// Index: player_tokens_pkey.
const readTokens = `
	SELECT hash, player_id
	  FROM player_tokens
	 WHERE hash = ANY ($1) AND ended_at IS NULL AND expires_at > $2`

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
