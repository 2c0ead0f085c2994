package access

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"evens/activity"
	"evens/internal/dbclock"
	"evens/internal/lookup"
	"evens/internal/postgres"
)

// Scope is a part of the API that a key opens.
type Scope string

// The scopes.
const (
	ScopePlayers Scope = "players"
	ScopeTokens  Scope = "tokens"
	ScopeWallet  Scope = "wallet"
	ScopeCashier Scope = "cashier"
	ScopeLimits  Scope = "limits"
	ScopeBonuses Scope = "bonuses"
	ScopeCoupons Scope = "coupons"
	ScopeGames   Scope = "games"
	ScopeReports Scope = "reports"
)

// Scopes lists every scope there is.
func Scopes() []Scope {
	return []Scope{
		ScopePlayers, ScopeTokens, ScopeWallet, ScopeCashier, ScopeLimits, ScopeBonuses, ScopeCoupons, ScopeGames, ScopeReports,
	}
}

// Errors of API keys.
var (
	// ErrKey says that a key is unknown or revoked: which of them is nobody's business.
	ErrKey         = errors.New("unknown or revoked API key")
	ErrKeyName     = errors.New("an API key needs a name of at most 100 characters")
	ErrKeyExists   = errors.New("a key of that name is in use")
	ErrKeyNotFound = errors.New("no API key of that name or id is in use")
	ErrScope       = errors.New("not a scope")
)

const maxKeyName = 100

// APIKey is what another server may do here. The secret itself is not kept.
type APIKey struct {
	ID   uuid.UUID
	Name string
	// Owner is whose key it is, and whose Idempotency-Keys its calls use: a key that replaces another
	// has the same. It is the name where nothing else was said.
	Owner string
	// Siblings are the ids of all keys of the owner, revoked ones and its own among them.
	Siblings  []uuid.UUID
	Scopes    []Scope
	CreatedAt time.Time
	RevokedAt time.Time // zero: in use

	// old keys were made before the scope tokens: they keep what their scopes meant then.
	old bool
}

// Has reports whether the key opens the scope. A key made before there was a scope tokens makes
// them with the scope players.
func (k APIKey) Has(scope Scope) bool {
	return slices.Contains(k.Scopes, scope) || scope == ScopeTokens && k.old && slices.Contains(k.Scopes, ScopePlayers)
}

// HearsWallets reports whether the key's event streams show wallets: with the scope wallet, or with
// coupons where the key was made before that took wallet too.
func (k APIKey) HearsWallets() bool {
	return slices.Contains(k.Scopes, ScopeWallet) || k.old && slices.Contains(k.Scopes, ScopeCoupons)
}

// Kept says, for a list, what a key may do beyond its scopes because it is old: "" where nothing.
func (k APIKey) Kept() string {
	var kept []string
	if !slices.Contains(k.Scopes, ScopeTokens) && k.Has(ScopeTokens) {
		kept = append(kept, "tokens")
	}
	if !slices.Contains(k.Scopes, ScopeWallet) && k.HearsWallets() {
		kept = append(kept, "wallet events")
	}
	return strings.Join(kept, ", ")
}

// scopeRules is the generation of keys made now; those of an earlier one are old.
const scopeRules = 2

// Keys keeps API keys. It is safe for concurrent use.
type Keys struct {
	db     *postgres.DB
	now    func() time.Time
	lookup *lookup.Lookup[digest, APIKey]

	mu      sync.RWMutex
	trusted map[digest]trustedKey // of valid keys only, so there are no more than were made
}

// trust is how long a key that was found valid is not asked for again: a query before each placement cost
// some 7 % of its throughput (evens bench place). A revocation in this process holds at once, in another
// within this time. Players' tokens are asked for every time: a logout holds from the next request on.
const trust = time.Second

type trustedKey struct {
	APIKey
	until time.Time
}

// NewKeys returns the API keys kept in db.
func NewKeys(db *postgres.DB, now func() time.Time) *Keys {
	k := &Keys{db: db, now: now, trusted: make(map[digest]trustedKey)}
	k.lookup = lookup.New(k.fetch)
	return k
}

const insertKey = `
	INSERT INTO api_keys (id, name, hash, scopes, created_at, owner, scope_rules) VALUES ($1, $2, $3, $4, $5, $6, $7)`

// Create makes a key that is its own owner; see [Keys.CreateFor].
func (k *Keys) Create(ctx context.Context, name string, scopes []Scope) (key APIKey, secret string, err error) {
	return k.CreateFor(ctx, "", name, scopes)
}

// CreateFor makes a key of an owner, "" for its name, and returns its secret: the only time it is seen.
// The name must not be in use (ErrKeyExists), every scope must be one (ErrScope), and there must be one
// at least.
func (k *Keys) CreateFor(ctx context.Context, owner, name string, scopes []Scope) (key APIKey, secret string, err error) {
	name, owner = strings.TrimSpace(name), strings.TrimSpace(owner)
	if name == "" || len(name) > maxKeyName || len(owner) > maxKeyName {
		return APIKey{}, "", ErrKeyName
	}
	owner = cmp.Or(owner, name)
	names, err := scopeNames(scopes)
	if err != nil {
		return APIKey{}, "", err
	}
	secret = newSecret(KeyPrefix)
	hash, _ := hashOf(secret, KeyPrefix)
	key = APIKey{ID: dbclock.NewID(), Name: name, Owner: owner, Scopes: scopesOf(names), CreatedAt: k.now().UTC()}
	err = postgres.InTx(ctx, k.db.Pool, func(ctx context.Context, tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, insertKey, key.ID, name, hash[:], names, key.CreatedAt, owner, scopeRules); err != nil {
			return fmt.Errorf("insert API key: %w", err)
		}
		return activity.Log(ctx, tx, activity.Entry{
			At: key.CreatedAt, Event: EventKeyCreated, Operator: actor(ctx),
			Detail: map[string]any{"name": name, "id": key.ID, "owner": owner, "scopes": names},
		})
	})
	if postgres.Violates(err, "api_keys_name") {
		return APIKey{}, "", fmt.Errorf("%w: %s", ErrKeyExists, name)
	}
	if err != nil {
		return APIKey{}, "", err
	}
	return key, secret, nil
}

// scopeNames checks scopes and returns each once, in the order of [Scopes].
func scopeNames(scopes []Scope) ([]string, error) {
	for _, scope := range scopes {
		if !slices.Contains(Scopes(), scope) {
			return nil, fmt.Errorf("%w: %q", ErrScope, scope)
		}
	}
	var names []string
	for _, scope := range Scopes() {
		if slices.Contains(scopes, scope) {
			names = append(names, string(scope))
		}
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("%w: a key needs one at least", ErrScope)
	}
	return names, nil
}

func scopesOf(names []string) []Scope {
	scopes := make([]Scope, len(names))
	for i, name := range names {
		scopes[i] = Scope(name)
	}
	return scopes
}

// A key made before owners were kept is its name's.
const listKeys = `
	SELECT id, name, coalesce(nullif(owner, ''), name), scopes, created_at, revoked_at, scope_rules < 2 FROM api_keys ORDER BY id`

// List returns every key ever made, oldest first.
func (k *Keys) List(ctx context.Context) ([]APIKey, error) {
	rows, err := k.db.Pool.Query(ctx, listKeys)
	if err != nil {
		return nil, fmt.Errorf("list API keys: %w", err)
	}
	keys, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (APIKey, error) {
		var key APIKey
		var names []string
		var revoked pgtype.Timestamptz
		if err := row.Scan(&key.ID, &key.Name, &key.Owner, &names, &key.CreatedAt, &revoked, &key.old); err != nil {
			return APIKey{}, err
		}
		key.Scopes, key.CreatedAt = scopesOf(names), key.CreatedAt.UTC()
		if revoked.Valid {
			key.RevokedAt = revoked.Time.UTC()
		}
		return key, nil
	})
	if err != nil {
		return nil, fmt.Errorf("list API keys: %w", err)
	}
	return keys, nil
}

const revokeKey = `
	UPDATE api_keys
	   SET revoked_at = $2
	 WHERE (id::text = $1 OR name = $1) AND revoked_at IS NULL
	 RETURNING id, name`

// Revoke makes a key, named by name or id, invalid from now on, or answers ErrKeyNotFound.
func (k *Keys) Revoke(ctx context.Context, nameOrID string) error {
	defer k.forget()
	return postgres.InTx(ctx, k.db.Pool, func(ctx context.Context, tx pgx.Tx) error {
		var id uuid.UUID
		var name string
		at := k.now()
		err := tx.QueryRow(ctx, revokeKey, nameOrID, at).Scan(&id, &name)
		if postgres.NotFound(err) {
			return fmt.Errorf("%w: %s", ErrKeyNotFound, nameOrID)
		}
		if err != nil {
			return fmt.Errorf("revoke API key: %w", err)
		}
		return activity.Log(ctx, tx, activity.Entry{
			At: at, Event: EventKeyRevoked, Operator: actor(ctx), Detail: map[string]any{"name": name, "id": id},
		})
	})
}

func (k *Keys) forget() {
	k.mu.Lock()
	clear(k.trusted)
	k.mu.Unlock()
}

// Resolve returns what a secret opens, or ErrKey. The answer is at most a second old.
func (k *Keys) Resolve(ctx context.Context, secret string) (APIKey, error) {
	hash, ok := hashOf(secret, KeyPrefix)
	if !ok {
		return APIKey{}, ErrKey
	}
	now := k.now()
	if key, ok := k.trustedKey(hash, now); ok {
		return key, nil
	}
	key, found, err := k.lookup.Get(ctx, hash)
	if err != nil {
		return APIKey{}, fmt.Errorf("resolve API key: %w", err)
	}
	if !found {
		return APIKey{}, ErrKey
	}
	k.mu.Lock()
	k.trusted[hash] = trustedKey{key, now.Add(trust)}
	k.mu.Unlock()
	return key, nil
}

func (k *Keys) trustedKey(hash digest, now time.Time) (APIKey, bool) {
	k.mu.RLock()
	defer k.mu.RUnlock()
	known, ok := k.trusted[hash]
	return known.APIKey, ok && now.Before(known.until)
}

// Index: api_keys_hash; of the owner's keys none, there are few.
const readKeys = `
	SELECT k.hash, k.id, k.name, o.owner, k.scopes, k.created_at, k.scope_rules < 2,
	       ARRAY(SELECT s.id FROM api_keys s WHERE coalesce(nullif(s.owner, ''), s.name) = o.owner ORDER BY s.id DESC LIMIT 50)
	  FROM api_keys k
	 CROSS JOIN LATERAL (SELECT coalesce(nullif(k.owner, ''), k.name) AS owner) o
	 WHERE k.hash = ANY ($1) AND k.revoked_at IS NULL`

func (k *Keys) fetch(ctx context.Context, hashes []digest) (map[digest]APIKey, error) {
	rows, err := k.db.Pool.Query(ctx, readKeys, digests(hashes))
	if err != nil {
		return nil, err
	}
	found := make(map[digest]APIKey, len(hashes))
	for rows.Next() {
		var hash []byte
		var key APIKey
		var names []string
		if err := rows.Scan(&hash, &key.ID, &key.Name, &key.Owner, &names, &key.CreatedAt, &key.old, &key.Siblings); err != nil {
			rows.Close()
			return nil, err
		}
		key.Scopes, key.CreatedAt = scopesOf(names), key.CreatedAt.UTC()
		found[digest(hash)] = key
	}
	return found, rows.Err()
}
