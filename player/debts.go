package player

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"evens/internal/postgres"
	"evens/ledger"
	"evens/money"
)

// Debt is a purse below zero: something was taken back after it had been spent. The next credits make
// it good; until then no stake is taken.
type Debt struct {
	Player     uuid.UUID
	ExternalID string
	Currency   money.Currency
	Amount     money.Amount // above zero: what is missing
	Since      time.Time    // when the balance went below zero
	// Cause is the transaction that did.
	Cause     uuid.UUID
	CauseKind ledger.Kind
}

// The purse has been below zero since the first transaction after the last that left it at zero or
// above. Accounts are walked through: an index that names the balance would be written with every stake.
// Index: transactions_player.
const readDebts = `
	SELECT p.id, p.external_id, a.currency, -a.balance, x.at, x.id, x.kind
	  FROM accounts a
	  JOIN players p ON p.id = a.player_id
	  LEFT JOIN LATERAL (SELECT t.id FROM transactions t WHERE t.player_id = a.player_id AND t.cash_after >= 0 ORDER BY t.id DESC LIMIT 1) even ON true
	 CROSS JOIN LATERAL (SELECT t.id, t.at, t.kind FROM transactions t
	                      WHERE t.player_id = a.player_id AND t.cash_after < 0 AND (even.id IS NULL OR t.id > even.id) ORDER BY t.id LIMIT 1) x
	 WHERE a.balance < 0 AND a.kind = 'cash' AND ($1::uuid IS NULL OR a.player_id = $1)
	 ORDER BY x.at`

// Debts lists the purses below zero, oldest first: all of them, or one player's.
func Debts(ctx context.Context, db *postgres.DB, player uuid.NullUUID) ([]Debt, error) {
	rows, err := db.Pool.Query(ctx, readDebts, player)
	if err != nil {
		return nil, fmt.Errorf("list debts: %w", err)
	}
	debts, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (Debt, error) {
		var d Debt
		err := row.Scan(&d.Player, &d.ExternalID, &d.Currency, &d.Amount, &d.Since, &d.Cause, &d.CauseKind)
		d.Since = d.Since.UTC()
		return d, err
	})
	if err != nil {
		return nil, fmt.Errorf("list debts: %w", err)
	}
	return debts, nil
}
