package wallet

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"evens/internal/postgres"
)

// HeldWithdrawals tells since when the oldest withdrawal waits for the payment gateway. It remembers
// how far everything has ended, so that a look costs little. It is safe for concurrent use.
type HeldWithdrawals struct {
	db  *pgxpool.Pool
	now func() time.Time

	mu   sync.Mutex
	from uuid.UUID // withdrawals before it have ended
}

// NewHeldWithdrawals looks in db.
func NewHeldWithdrawals(db *pgxpool.Pool, now func() time.Time) *HeldWithdrawals {
	return &HeldWithdrawals{db: db, now: now}
}

// Index: transactions_withdrawals.
const readOldestHeld = `SELECT x.id, x.at` + heldWithdrawals + ` AND x.id >= $1 ORDER BY x.id LIMIT 1`

// lateID is by how much the id of a withdrawal that commits now may be older than our clock.
const lateID = time.Hour

// Oldest returns when the oldest withdrawal that is held was asked for; zero: none is.
func (h *HeldWithdrawals) Oldest(ctx context.Context) (time.Time, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	start := postgres.IDAt(h.now().Add(-lateID))
	rows, err := h.db.Query(ctx, readOldestHeld, h.from)
	if err != nil {
		return time.Time{}, fmt.Errorf("look for held withdrawals: %w", err)
	}
	var id uuid.UUID
	var at time.Time
	_, err = pgx.ForEachRow(rows, []any{&id, &at}, func() error { return nil })
	if err != nil {
		return time.Time{}, fmt.Errorf("look for held withdrawals: %w", err)
	}
	switch {
	case at.IsZero():
		h.from = start
	case id.String() < start.String():
		h.from = id
	default:
		h.from = start
	}
	return at.UTC(), nil
}
