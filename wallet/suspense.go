package wallet

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"evens/internal/dbclock"
	"evens/internal/postgres"
	"evens/ledger"
	"evens/money"
)

// SuspenseReason is why something waits for a person in the suspense account.
type SuspenseReason string

// The reasons. The first two are booked to the suspense account; the others only have to be looked at.
const (
	UnknownPlayer SuspenseReason = "unknown_player"
	OtherCurrency SuspenseReason = "currency"      // the player's wallet is in another
	OtherContent  SuspenseReason = "conflict"      // the id was told of before with other content
	Contradiction SuspenseReason = "contradiction" // called failed, and paid or succeeded
)

// books reports whether the reason is that money has no owner.
func (r SuspenseReason) books() bool { return r == UnknownPlayer || r == OtherCurrency }

// SuspenseRow is one thing that a payment gateway said and that waits for a person.
type SuspenseRow struct {
	ID            uuid.UUID
	TransactionID string
	Said          Said
	Reason        SuspenseReason
	Player        string // as the gateway calls the player
	Currency      money.Currency
	Amount        money.Amount // as the gateway says it, above zero
	Booked        money.Amount // in the suspense account; below zero for what went out
	Method        string
	At            time.Time
	// EndedAt is zero while it waits.
	EndedAt time.Time
	EndedBy string
	GoneTo  uuid.NullUUID // the player it was assigned to
	Comment string
}

// Refusals of what is in suspense.
var (
	ErrNoSuspense    = errors.New("nothing of that id waits in the suspense account")
	ErrNotAssignable = errors.New("that was booked to no account and can only be closed")
)

const (
	suspenseSource    = CashSource + ":suspense"
	suspenseEndSource = CashSource + ":suspense_end"
)

func newSuspense(cash Cash, said Said, player string, reason SuspenseReason) SuspenseRow {
	row := SuspenseRow{
		ID: dbclock.NewID(), TransactionID: cash.TransactionID, Said: said, Reason: reason, Player: player,
		Currency: cash.Currency, Amount: cash.Amount, Method: cash.Method, At: cash.At,
	}
	if reason.books() {
		row.Booked = cash.Amount
		if said == DepositReturned || said == WithdrawalPaid {
			row.Booked = -cash.Amount
		}
	}
	return row
}

const insertSuspense = `
	INSERT INTO suspense (id, transaction_id, event, reason, player, currency, amount, booked, method, at)
	VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
	    ON CONFLICT ON CONSTRAINT suspense_once DO NOTHING`

func (r *SuspenseRow) values() []any {
	return []any{
		r.ID, r.TransactionID, string(r.Said), string(r.Reason), r.Player, string(r.Currency), int64(r.Amount), int64(r.Booked), r.Method, r.At,
	}
}

// Suspend books what has happened outside and cannot be booked to a player: player is whom the gateway
// names. Money without an owner goes to the suspense account of its currency; told again it is there
// once. Where the payment's id belongs to a player's payment it is a conflict, and ledger.ErrConflict
// says so.
func Suspend(ctx context.Context, db *postgres.DB, cash Cash, said Said, player string, reason SuspenseReason) error {
	if err := ledger.OpenCurrency(ctx, db.Pool, cash.Currency); err != nil {
		return err
	}
	row := newSuspense(cash, said, player, reason)
	var conflict bool
	err := postgres.InTx(ctx, db.Pool, func(ctx context.Context, tx pgx.Tx) (err error) {
		if conflict, err = row.taken(ctx, tx); err != nil {
			return err
		}
		if conflict {
			row = newSuspense(cash, said, player, OtherContent)
		}
		tag, err := tx.Exec(ctx, insertSuspense, row.values()...)
		if err != nil || tag.RowsAffected() == 0 || row.Booked == 0 {
			return err
		}
		return row.move(ctx, tx, ledger.Transaction{
			Key: ledger.Key{Source: suspenseSource, ExternalID: row.ID.String()}, Kind: ledger.SuspenseBooked, Comment: string(said), At: cash.At,
		}, row.Booked, ledger.Cashier)
	})
	switch {
	case err != nil:
		return fmt.Errorf("book %s %s to the suspense account: %w", said, cash.TransactionID, err)
	case conflict:
		return ledger.ErrConflict
	}
	return nil
}

// Indexes: transactions_key, suspense_once.
const readTaken = `
	SELECT EXISTS (SELECT FROM transactions WHERE source = 'cashier' AND external_id = $1)
	    OR EXISTS (SELECT FROM suspense WHERE transaction_id = $1 AND event = $2 AND booked <> 0 AND (player, currency, amount) <> ($3, $4, $5))`

// taken reports whether the payment's id has been told of with other content.
func (r *SuspenseRow) taken(ctx context.Context, tx pgx.Tx) (taken bool, err error) {
	if !r.Reason.books() {
		return true, nil
	}
	err = tx.QueryRow(ctx, readTaken, r.TransactionID, string(r.Said), r.Player, string(r.Currency), int64(r.Amount)).Scan(&taken)
	return taken, err
}

// move brings an amount into the suspense account from another of the house, or out of it.
func (r *SuspenseRow) move(ctx context.Context, tx pgx.Tx, t ledger.Transaction, amount money.Amount, other ledger.AccountKind) error {
	t.Provider, t.Payload = CashSource, ledger.HashOf(r.TransactionID, string(r.Said), amount.String())
	move := ledger.Move{From: other, To: ledger.Suspense, Amount: amount}
	if amount < 0 {
		move = ledger.Move{From: ledger.Suspense, To: other, Amount: -amount}
	}
	return ledger.PostHouse(ctx, tx, t, r.Currency, move)
}

const suspenseColumns = `id, transaction_id, event, reason, player, currency, amount, booked, method, at, ended_at, ended_by, player_id, comment`

func scanSuspense(row pgx.CollectableRow) (SuspenseRow, error) {
	var r SuspenseRow
	var ended pgtype.Timestamptz
	err := row.Scan(&r.ID, &r.TransactionID, &r.Said, &r.Reason, &r.Player, &r.Currency, &r.Amount, &r.Booked, &r.Method, &r.At,
		&ended, &r.EndedBy, &r.GoneTo, &r.Comment)
	r.At, r.EndedAt = r.At.UTC(), postgres.Time(ended)
	return r, err
}

// mostSuspense is how many rows are listed.
const mostSuspense = 1000

// Suspense lists what waits, oldest first; at most a thousand.
func Suspense(ctx context.Context, db *postgres.DB) ([]SuspenseRow, error) {
	rows, err := db.Pool.Query(ctx, `SELECT `+suspenseColumns+` FROM suspense WHERE ended_at IS NULL ORDER BY id LIMIT $1`, mostSuspense)
	if err != nil {
		return nil, fmt.Errorf("list the suspense account: %w", err)
	}
	list, err := pgx.CollectRows(rows, scanSuspense)
	if err != nil {
		return nil, fmt.Errorf("list the suspense account: %w", err)
	}
	return list, nil
}

// SuspenseByID returns a row that waits, or ErrNoSuspense.
func SuspenseByID(ctx context.Context, db *postgres.DB, id uuid.UUID) (SuspenseRow, error) {
	rows, err := db.Pool.Query(ctx, `SELECT `+suspenseColumns+` FROM suspense WHERE id = $1 AND ended_at IS NULL`, id)
	if err != nil {
		return SuspenseRow{}, fmt.Errorf("read the suspense account: %w", err)
	}
	row, err := pgx.CollectExactlyOneRow(rows, scanSuspense)
	if errors.Is(err, pgx.ErrNoRows) {
		return SuspenseRow{}, ErrNoSuspense
	}
	if err != nil {
		return SuspenseRow{}, fmt.Errorf("read the suspense account: %w", err)
	}
	return row, nil
}
