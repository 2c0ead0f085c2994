package settlement

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"evens/internal/postgres"
	"evens/ledger"
	"evens/money"
)

// culpable reports whether a chunk failed for what is in it, not for the state of the database: halving it then
// finds the coupon to blame. The classes are PostgreSQL's: 22 data exception, 23 integrity constraint.
func culpable(err error) bool {
	if err == nil || postgres.Unavailable(err) || postgres.Retriable(err) {
		return false
	}
	if pgErr, ok := errors.AsType[*pgconn.PgError](err); ok {
		return postgres.Miscounted(err) || len(pgErr.Code) == 5 && (pgErr.Code[:2] == "22" || pgErr.Code[:2] == "23")
	}
	for _, cause := range []error{money.ErrOverflow, ledger.ErrConflict, ledger.ErrNoPurse, errPanic} {
		if errors.Is(err, cause) {
			return true
		}
	}
	return false
}

const (
	insertHalves = `
	INSERT INTO result_chunks (result_ids, guarded, rung_at) VALUES ($1, $3, now()), ($2, $3, now()) RETURNING id`

	parkCulprit = `
	UPDATE results SET state = 'parked', attention = '` + attentionBroken + `', reason = $2 WHERE id = ANY ($1) AND state = 'pending'`
)

// split ends a chunk that cannot be applied: two halves take its place, or its only result is parked. The halves
// come in the order of the results, so that the last word on a coupon stays the last.
func (s *Settler) split(ctx context.Context, chunk int64, cause error) (halves []int64, err error) {
	err = postgres.InTx(ctx, s.db.Pool, func(ctx context.Context, tx pgx.Tx) error {
		var ids []int64
		var guarded bool
		err := tx.QueryRow(ctx, lockChunk, chunk).Scan(&ids, &guarded)
		if postgres.NotFound(err) {
			return nil // done meanwhile, or another worker's
		}
		if err != nil {
			return err
		}
		if len(ids) > 1 {
			rows, err := tx.Query(ctx, insertHalves, ids[:len(ids)/2], ids[len(ids)/2:], guarded)
			if err != nil {
				return err
			}
			if halves, err = pgx.CollectRows(rows, pgx.RowTo[int64]); err != nil {
				return err
			}
		} else if _, err := tx.Exec(ctx, parkCulprit, ids, "settling it fails: "+cause.Error()); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, endChunk, chunk, s.now())
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("split chunk %d: %w", chunk, err)
	}
	if len(halves) == 0 {
		s.log.ErrorContext(ctx, "a result that cannot be settled waits for an operator", "chunk", chunk, "error", cause)
	}
	return halves, nil
}
