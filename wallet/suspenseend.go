package wallet

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

// suspenseKey is what an open row with money is about.
type suspenseKey struct {
	id       string
	said     Said
	currency money.Currency
	amount   money.Amount
}

// pending is an open row that a batch has read.
type pending struct {
	id      uuid.UUID
	claimed bool
}

type endedSuspense struct {
	id      uuid.UUID
	player  uuid.UUID
	by      string
	comment string
	at      time.Time
}

const suspenseTouched = "rows of the suspense account"

// Index: suspense_once.
const readOpenSuspense = `
	SELECT s.id, s.transaction_id, s.event, s.currency, s.amount
	  FROM unnest($1::text[]) k (id)
	  JOIN suspense s ON s.transaction_id = k.id AND s.booked <> 0 AND s.ended_at IS NULL`

func (s *payments) scan(rows pgx.Rows) error {
	var id uuid.UUID
	var key suspenseKey
	_, err := pgx.ForEachRow(rows, []any{&id, &key.id, &key.said, &key.currency, &key.amount}, func() error {
		s.open[key] = &pending{id: id}
		return nil
	})
	return err
}

// Queue implements RowSet.
func (s *payments) Queue(statements *pgx.Batch) {
	for i := range s.added {
		statements.Queue(insertSuspense, s.added[i].values()...)
	}
	for _, end := range s.ended {
		player := uuid.NullUUID{UUID: end.player, Valid: true}
		postgres.QueueExactly(statements, 1, suspenseTouched, endSuspense, end.id, end.at, end.by, player, end.comment)
	}
}

const endSuspense = `
	UPDATE suspense SET ended_at = $2, ended_by = $3, player_id = $4, comment = $5 WHERE id = $1 AND ended_at IS NULL`

// outside is where the money of what is said comes from, or goes: the suspense account, where it has
// waited there for its player, the world outside otherwise.
func (b *Batch) outside(p *payment, said Said) ledger.AccountKind {
	row := paymentsOf(b).open[suspenseKey{p.TransactionID, said, p.Currency, p.Amount}]
	if row == nil || row.claimed {
		return ledger.Cashier
	}
	p.used = append(p.used, row)
	return ledger.Suspense
}

// Events of the suspense account in the activity log.
const (
	EventSuspenseAssigned = "suspense_assigned"
	EventSuspenseClosed   = "suspense_closed"
)

// SuspenseEnd is an operator's word on a row that waits. Agree is asked about what moves.
type SuspenseEnd struct {
	Row               SuspenseRow
	Operator, Comment string
	At                time.Time
	Agree             Agree
}

// AssignSuspense books what waits to the player it belongs to, as if the gateway had named that player.
// ErrUnknownPlayer, ErrCurrency where the wallet is in another currency, ledger.ErrConflict where the
// payment is somebody else's already, ErrNotAssignable where nothing would move by it.
func AssignSuspense(ctx context.Context, poster *Poster, end SuspenseEnd, player uuid.UUID) error {
	row := end.Row
	if row.Booked == 0 {
		return ErrNotAssignable
	}
	cash := Cash{Player: player, Amount: row.Amount, Currency: row.Currency, Method: row.Method, TransactionID: row.TransactionID, At: end.At}
	order := payment{Cash: cash, kind: row.Said.kind(), by: end.Operator, comment: end.Comment, agree: end.Agree}
	_, err := tell(ctx, poster, order, row.Said)
	if postgres.MiscountedOf(err, suspenseTouched) {
		err = ErrNoSuspense // somebody else was first
	}
	if err != nil {
		return fmt.Errorf("assign %s: %w", row.TransactionID, err)
	}
	return nil
}

// CloseSuspense ends what waits without a player: outside says that the money went back to where it
// came from, else it is taken over into the account of adjustments. What was booked to no account is
// only closed. ErrNoSuspense where somebody else was first.
func CloseSuspense(ctx context.Context, db *postgres.DB, end SuspenseEnd, outside bool) error {
	row, other := end.Row, ledger.Adjustments
	if outside {
		other = ledger.Cashier
	}
	err := postgres.InTx(ctx, db.Pool, func(ctx context.Context, tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, endSuspense, row.ID, end.At, end.Operator, uuid.NullUUID{}, end.Comment)
		switch {
		case err != nil:
			return err
		case tag.RowsAffected() == 0:
			return ErrNoSuspense
		}
		log := eventLog{{at: end.At, name: EventSuspenseClosed, operator: end.Operator, comment: end.Comment, detail: map[string]string{
			"suspense": row.ID.String(), "transaction_id": row.TransactionID, "booked": row.Booked.String(), "to": string(other),
		}}}
		lines := &pgx.Batch{}
		log.queue(lines)
		if end.Agree != nil {
			agreed, err := end.Agree(row.Booked, row.Currency)
			if err != nil {
				return err
			}
			if agreed != nil {
				agreed.Queue(lines)
			}
		}
		if err := tx.SendBatch(ctx, lines).Close(); err != nil || row.Booked == 0 {
			return err
		}
		return row.move(ctx, tx, ledger.Transaction{
			Key: ledger.Key{Source: suspenseEndSource, ExternalID: row.ID.String()}, Kind: ledger.SuspenseEnded, Operator: end.Operator, Comment: end.Comment, At: end.At,
		}, -row.Booked, other)
	})
	if err != nil {
		return fmt.Errorf("close %s: %w", row.TransactionID, err)
	}
	return nil
}
