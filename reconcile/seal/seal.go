// Package seal ties the ledger's past down: each seal is a hash over everything that was written of a
// range of transactions and of their transfers, and over the seal before it. It knows nothing of the
// parts of the house that write there, so that every test can ask it.
package seal

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"evens/internal/postgres"
)

// Seal is the end of the chain.
type Seal struct {
	N            int64 // 0: nothing is sealed yet
	Transactions int64
	Transfers    int64
	Hash         []byte
	// Until is the position up to which transactions are sealed: that of the first that is not; 0 where
	// what was written before positions were kept is not sealed yet.
	Until int64
}

// layout names the columns that a version of seals covers. A version is never changed once it was
// released: another column is another version.
type layout struct{ transactions, transfers []string }

const latest = 1

var layouts = map[int16]layout{
	1: {
		transactions: []string{
			"id", "source", "external_id", "kind", "player_id", "amount", "cash_after", "bonus_after", "provider", "game_id",
			"round_id", "coupon_id", "payload_hash", "operator", "comment", "at", "bonus_amount", "bonus_id", "contribution",
			"staked", "effective_at", "position",
		},
		transfers: []string{
			"transaction_id", "leg", "debit_account", "credit_account", "amount", "balance_after", "account_version", "at",
		},
	},
}

// rows has every column of the transactions of a range, and of their transfers, in PostgreSQL's own
// binary form, which no setting of a session changes.
func (l layout) rows(where string) string {
	return `SELECT x.id, record_send(ROW(x.` + strings.Join(l.transactions, ", x.") + `)),
	       CASE WHEN f.transaction_id IS NOT NULL THEN record_send(ROW(f.` + strings.Join(l.transfers, ", f.") + `)) END
	  FROM transactions x LEFT JOIN transfers f ON f.transaction_id = x.id
	 WHERE ` + where
}

const (
	// Index: transactions_position.
	byPosition = `x.position >= $1 AND x.position < $2 ORDER BY x.id, f.leg`
	// Of before positions were kept. Index: transactions_pkey.
	byID = `x.position IS NULL AND x.id > $1 AND x.id <= $2 ORDER BY x.id, f.leg`
)

// span is the range of one seal.
type span struct {
	afterID, untilID uuid.NullUUID
	from, until      pgtype.Int8
}

// hashed is what a span holds now.
type hashed struct {
	transactions, transfers int64
	hash                    []byte
}

// hash reads a span, a row at a time.
func (s span) hash(ctx context.Context, tx pgx.Tx, version int16, before []byte) (hashed, error) {
	l, known := layouts[version]
	if !known {
		return hashed{}, fmt.Errorf("a seal of version %d, which this program does not know", version)
	}
	where, arguments := byPosition, []any{s.from, s.until}
	if s.untilID.Valid {
		where, arguments = byID, []any{s.afterID, s.untilID}
	}
	rows, err := tx.Query(ctx, l.rows(where), arguments...)
	if err != nil {
		return hashed{}, err
	}
	found := hashed{}
	digest := sha256.New()
	digest.Write(before)
	var last, id uuid.UUID
	var transaction, transfer []byte
	_, err = pgx.ForEachRow(rows, []any{&id, (*pgtype.DriverBytes)(&transaction), (*pgtype.DriverBytes)(&transfer)}, func() error {
		if id != last {
			last = id
			found.transactions++
			digest.Write(transaction)
		}
		if transfer != nil {
			found.transfers++
			digest.Write(transfer)
		}
		return nil
	})
	found.hash = digest.Sum(nil)
	return found, err
}

const (
	readLast = `
	SELECT n, transactions, transfers, hash, coalesce(until_position, 0), until_id FROM seals ORDER BY n DESC LIMIT 1`
	// The chain goes on from that of the releases before.
	readEarlier = `SELECT n, hash FROM ledger_seals ORDER BY n DESC LIMIT 1`
	insertSeal  = `
	INSERT INTO seals (n, version, after_id, until_id, from_position, until_position, transactions, transfers, hash, sealed_at)
	VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`
	// Index: transactions_pkey.
	readUnplaced = `
	SELECT id FROM (SELECT id FROM transactions WHERE position IS NULL AND id > $1 ORDER BY id LIMIT $2) t ORDER BY id DESC LIMIT 1`
)

// atOnce is how many transactions of before positions were kept one seal covers at the most.
const atOnce = 500_000

// Extend brings the chain up to the horizon: past everything that is committed, short of everything that
// may still be. Several at once are fine: one extends, the others find it done.
func Extend(ctx context.Context, db *postgres.DB, now time.Time) (Seal, error) {
	for {
		var end Seal
		var more bool
		err := postgres.InTx(ctx, db.Pool, func(ctx context.Context, tx pgx.Tx) (err error) {
			if err := postgres.Unhurried(ctx, tx, map[string]string{"work_mem": "64MB"}); err != nil {
				return err
			}
			if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock(hashtext('seal'))`); err != nil {
				return err
			}
			end, more, err = extend(ctx, tx, now)
			return err
		})
		if err != nil {
			return Seal{}, fmt.Errorf("seal the ledger: %w", err)
		}
		if !more {
			return end, nil
		}
	}
}

// extend adds one seal; more says that there may be another.
func extend(ctx context.Context, tx pgx.Tx, now time.Time) (end Seal, more bool, err error) {
	var untilID uuid.NullUUID
	err = tx.QueryRow(ctx, readLast).Scan(&end.N, &end.Transactions, &end.Transfers, &end.Hash, &end.Until, &untilID)
	if errors.Is(err, pgx.ErrNoRows) {
		err = tx.QueryRow(ctx, readEarlier).Scan(&end.N, &end.Hash)
	}
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return Seal{}, false, err
	}
	next := span{}
	if end.Until == 0 {
		next.afterID = uuid.NullUUID{UUID: untilID.UUID, Valid: true}
		err := tx.QueryRow(ctx, readUnplaced, next.afterID, atOnce).Scan(&next.untilID)
		if err != nil && !errors.Is(err, pgx.ErrNoRows) {
			return Seal{}, false, err
		}
	}
	if !next.untilID.Valid {
		next = span{from: pgtype.Int8{Int64: end.Until, Valid: true}}
		if err := tx.QueryRow(ctx, `SELECT ledger_horizon()`).Scan(&next.until); err != nil {
			return Seal{}, false, err
		}
	}
	found, err := next.hash(ctx, tx, latest, end.Hash)
	if err != nil || found.transactions == 0 {
		return end, false, err
	}
	sealed := Seal{N: end.N + 1, Transactions: found.transactions, Transfers: found.transfers, Hash: found.hash, Until: next.until.Int64}
	_, err = tx.Exec(ctx, insertSeal, sealed.N, latest, next.afterID, next.untilID, next.from, next.until,
		sealed.Transactions, sealed.Transfers, sealed.Hash, now)
	return sealed, next.untilID.Valid, err
}
