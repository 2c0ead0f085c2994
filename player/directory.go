package player

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"evens/internal/lookup"
	"evens/internal/postgres"
	"evens/money"
	"evens/wallet"
)

// Identity is what never changes about a player.
type Identity struct {
	ID         uuid.UUID
	ExternalID string
	Currency   money.Currency
}

// Standing is what a player has and may at one moment.
type Standing struct {
	wallet.Balance
	Status wallet.Status
	// Bonus's pocket may be staked where these terms let it; nil without an active bonus.
	active *wallet.Bonus
}

// Stakeable is what the player may stake on a kind of wager.
func (s Standing) Stakeable(w wallet.Wager, at time.Time) money.Amount {
	return wallet.Playable(s.Cash, s.Bonus, s.active, w, at)
}

// Directory answers many callers of the same moment with one query. Identities are remembered,
// standings never. It is safe for concurrent use.
type Directory struct {
	db         *postgres.DB
	identities *lookup.Lookup[string, Identity]
	standings  *lookup.Lookup[uuid.UUID, Standing]
	known      lookup.Bounded[string, Identity]
}

// mostKnown bounds the memory of identities.
const mostKnown = 200_000

// NewDirectory returns the directory of the players kept in db.
func NewDirectory(db *postgres.DB) *Directory {
	d := &Directory{db: db}
	d.known.Most = mostKnown
	d.identities = lookup.New(d.fetchIdentities)
	d.standings = lookup.New(d.fetchStandings)
	return d
}

// Find returns who the providers call so, or wallet.ErrUnknownPlayer.
func (d *Directory) Find(ctx context.Context, externalID string) (Identity, error) {
	if found, ok := d.known.Get(externalID); ok {
		return found, nil
	}
	found, ok, err := d.identities.Get(ctx, externalID)
	if err != nil {
		return Identity{}, fmt.Errorf("find player: %w", err)
	}
	if !ok {
		return Identity{}, wallet.ErrUnknownPlayer
	}
	d.known.Put(externalID, found)
	return found, nil
}

// Index: players_external_id.
const readIdentities = `SELECT id, external_id, currency FROM players WHERE external_id = ANY ($1)`

func (d *Directory) fetchIdentities(ctx context.Context, externalIDs []string) (map[string]Identity, error) {
	rows, err := d.db.Pool.Query(ctx, readIdentities, externalIDs)
	if err != nil {
		return nil, err
	}
	found := make(map[string]Identity, len(externalIDs))
	var identity Identity
	_, err = pgx.ForEachRow(rows, []any{&identity.ID, &identity.ExternalID, &identity.Currency}, func() error {
		found[identity.ExternalID] = identity
		return nil
	})
	return found, err
}

// Standing reads a player's balances and status, without a lock, or wallet.ErrUnknownPlayer.
func (d *Directory) Standing(ctx context.Context, id uuid.UUID) (Standing, error) {
	found, ok, err := d.standings.Get(ctx, id)
	if err != nil {
		return Standing{}, fmt.Errorf("read standing: %w", err)
	}
	if !ok {
		return Standing{}, wallet.ErrUnknownPlayer
	}
	return found, nil
}

// Indexes: players_pkey, accounts_player, bonuses_active.
const readStandings = `
	SELECT p.id, p.currency, p.status, c.balance, b.balance, g.terms, g.expires_at
	  FROM players p
	  JOIN accounts c ON c.player_id = p.id AND c.kind = 'cash'
	  JOIN accounts b ON b.player_id = p.id AND b.kind = 'bonus'
	  LEFT JOIN bonuses g ON g.player_id = p.id AND g.status = 'active'
	 WHERE p.id = ANY ($1)`

func (d *Directory) fetchStandings(ctx context.Context, ids []uuid.UUID) (found map[uuid.UUID]Standing, err error) {
	err = postgres.Again(ctx, func() (err error) {
		found, err = d.readStandings(ctx, ids)
		return err
	})
	return found, err
}

func (d *Directory) readStandings(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]Standing, error) {
	rows, err := d.db.Hot.Query(ctx, readStandings, postgres.UUIDs(ids))
	if err != nil {
		return nil, err
	}
	found := make(map[uuid.UUID]Standing, len(ids))
	var s Standing
	var terms []byte
	var expires pgtype.Timestamptz
	_, err = pgx.ForEachRow(rows, []any{&s.Player, &s.Currency, &s.Status, &s.Cash, &s.Bonus, &terms, &expires}, func() error {
		s.active = nil
		if terms != nil {
			read, err := wallet.ParseTerms(terms)
			if err != nil {
				return err
			}
			s.active = &wallet.Bonus{Terms: read, ExpiresAt: expires.Time}
		}
		found[s.Player] = s
		return nil
	})
	return found, err
}
