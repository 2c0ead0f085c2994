package player

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"gorm.io/gorm"

	"evens/access"
	"evens/activity"
	"evens/internal/dbclock"
	"evens/internal/postgres"
	"evens/ledger"
	"evens/money"
	"evens/wallet"
)

// EventPlayerStatus is the event of the activity log that a player's new status leaves.
const EventPlayerStatus = "player.status"

// Registry keeps players. It is safe for concurrent use.
type Registry struct {
	db     *postgres.DB
	now    func() time.Time
	opened sync.Map // money.Currency → struct{}: house accounts known to exist
}

// New returns the registry kept in db.
func New(db *postgres.DB, now func() time.Time) *Registry {
	return &Registry{db: db, now: now}
}

// row is a line of the players table.
type row struct {
	ID         uuid.UUID
	ExternalID string
	Name       string
	Email      string
	Currency   string
	Status     string
	CreatedAt  time.Time
}

// TableName implements gorm's Tabler.
func (row) TableName() string { return "players" }

const playerColumns = "id, external_id, name, email, currency, status, created_at"

func (r row) player() (Player, error) {
	status := wallet.Status(r.Status)
	if !known(status) {
		return Player{}, fmt.Errorf("player %s: %w: %q", r.ID, ErrStatus, r.Status)
	}
	return Player{
		ID: r.ID, ExternalID: r.ExternalID, Name: r.Name, Email: r.Email,
		Currency: money.Currency(r.Currency), Status: status, CreatedAt: r.CreatedAt.UTC(),
	}, nil
}

// Create registers a player with an empty purse. An external id that is known already answers
// with that player as it is, created = false; ErrConflict when it is in another currency. Of
// several calls at once one creates, the others find.
func (r *Registry) Create(ctx context.Context, in Registration) (p Player, created bool, err error) {
	if in.ExternalID == "" {
		return Player{}, false, ErrNoExternalID
	}
	p, err = r.ByExternalID(ctx, in.ExternalID)
	if errors.Is(err, wallet.ErrUnknownPlayer) {
		if created, err = r.insert(ctx, in); err == nil {
			p, err = r.ByExternalID(ctx, in.ExternalID)
		}
	}
	if err != nil {
		return Player{}, false, fmt.Errorf("create player: %w", err)
	}
	if p.Currency != in.Currency {
		return Player{}, false, ErrConflict
	}
	return p, created, nil
}

// Index: players_external_id.
const insertPlayer = `
	INSERT INTO players (id, external_id, name, email, currency, status, created_at)
	VALUES ($1, $2, $3, $4, $5, $6, $7)
	    ON CONFLICT ON CONSTRAINT players_external_id DO NOTHING`

// insert writes the player and opens the purse in one commit. fresh = false: somebody else was
// faster, and has committed.
func (r *Registry) insert(ctx context.Context, in Registration) (fresh bool, err error) {
	if err := r.openCurrency(ctx, in.Currency); err != nil {
		return false, err
	}
	id := dbclock.NewID()
	err = postgres.InTx(ctx, r.db.Pool, func(ctx context.Context, tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, insertPlayer, id, in.ExternalID, in.Name, in.Email, string(in.Currency), string(wallet.Active), r.now())
		if err != nil {
			return fmt.Errorf("insert player: %w", err)
		}
		if fresh = tag.RowsAffected() == 1; !fresh {
			return nil
		}
		return ledger.OpenPurse(ctx, tx, id, in.Currency)
	})
	return fresh && err == nil, err
}

func (r *Registry) openCurrency(ctx context.Context, currency money.Currency) error {
	if _, done := r.opened.Load(currency); done {
		return nil
	}
	if _, err := money.ParseCurrency(string(currency)); err != nil {
		return err
	}
	if err := ledger.OpenCurrency(ctx, r.db.Pool, currency); err != nil {
		return err
	}
	r.opened.Store(currency, struct{}{})
	return nil
}

// Get returns the player, or wallet.ErrUnknownPlayer.
func (r *Registry) Get(ctx context.Context, id uuid.UUID) (Player, error) {
	return r.one(ctx, "id = ?", id)
}

// ByExternalID returns the player the operator and the providers call so, or
// wallet.ErrUnknownPlayer.
func (r *Registry) ByExternalID(ctx context.Context, externalID string) (Player, error) {
	return r.one(ctx, "external_id = ?", externalID)
}

func (r *Registry) one(ctx context.Context, where string, value any) (Player, error) {
	found, err := gorm.G[row](r.db.Gorm).Select(playerColumns).Where(where, value).Take(ctx)
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return Player{}, wallet.ErrUnknownPlayer
	}
	if err != nil {
		return Player{}, fmt.Errorf("read player: %w", err)
	}
	return found.player()
}

const updateStatus = `UPDATE players SET status = $2 WHERE id = $1`

// SetStatus lets a player play or not, and writes down who decided so and why. From its commit
// on stakes are decided by the new status, and a player who may not play has no token any more.
func (r *Registry) SetStatus(ctx context.Context, id uuid.UUID, status wallet.Status, operator, comment string) error {
	if !known(status) {
		return fmt.Errorf("%w: %q", ErrStatus, status)
	}
	return postgres.InTx(ctx, r.db.Pool, func(ctx context.Context, tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, updateStatus, id, string(status))
		if err != nil {
			return fmt.Errorf("set status of player %s: %w", id, err)
		}
		if tag.RowsAffected() == 0 {
			return wallet.ErrUnknownPlayer
		}
		if status != wallet.Active {
			if err := access.EndTokens(ctx, tx, id, r.now()); err != nil {
				return err
			}
		}
		return activity.Log(ctx, tx, activity.Entry{
			At: r.now(), Event: EventPlayerStatus, Operator: operator, Comment: comment,
			Player: uuid.NullUUID{UUID: id, Valid: true}, Detail: map[string]string{"status": string(status)},
		})
	})
}
