package reconcile

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"evens/internal/postgres"
	"evens/ledger"
)

// sealLag keeps a seal away from transactions that may still commit: an id is older than its
// commit, by no more than the longest batch.
const sealLag = 2 * time.Minute

// Seal is the end of a chain of hashes over the ledger's transfers.
type Seal struct {
	N         int64
	Until     uuid.UUID // the last transaction in it
	Transfers int64
	Hash      []byte
}

const (
	readLastSeal = `SELECT n, until_id, transfers, hash FROM ledger_seals ORDER BY n DESC LIMIT 1`
	insertSeal   = `INSERT INTO ledger_seals (n, after_id, until_id, transfers, hash, sealed_at) VALUES ($1, $2, $3, $4, $5, $6)`
	// Index: transfers_pkey. Everything of a transfer is in the hash.
	readSealed = `
	SELECT transaction_id, leg, debit_account, credit_account, amount, coalesce(balance_after, 0), coalesce(account_version, 0)
	  FROM transfers WHERE transaction_id > $1 AND transaction_id <= $2
	 ORDER BY transaction_id, leg`
)

// Sealed extends the chain up to a little before now, and returns its end. Several at once are
// fine: one extends, the others find it done.
func (r *Reconciler) Sealed(ctx context.Context) (Seal, error) {
	var seal Seal
	until := postgres.IDAt(r.now().Add(-sealLag))
	err := postgres.InTx(ctx, r.db.Pool, func(ctx context.Context, tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `SET LOCAL statement_timeout = 0`); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock(hashtext('seal'))`); err != nil {
			return err
		}
		err := tx.QueryRow(ctx, readLastSeal).Scan(&seal.N, &seal.Until, &seal.Transfers, &seal.Hash)
		if err != nil && !errors.Is(err, pgx.ErrNoRows) {
			return err
		}
		if bytes.Compare(until[:], seal.Until[:]) <= 0 {
			return nil
		}
		next, err := hashRange(ctx, tx, seal.Hash, seal.Until, until)
		if err != nil || next.Transfers == 0 {
			return err
		}
		next.N = seal.N + 1
		if _, err := tx.Exec(ctx, insertSeal, next.N, seal.Until, next.Until, next.Transfers, next.Hash, r.now()); err != nil {
			return err
		}
		seal = next
		return nil
	})
	if err != nil {
		return Seal{}, fmt.Errorf("seal the ledger: %w", err)
	}
	return seal, nil
}

// hashRange hashes the seal before and every transfer after one id up to another, a row at a time.
func hashRange(ctx context.Context, tx pgx.Tx, before []byte, after, until uuid.UUID) (Seal, error) {
	seal := Seal{Until: after}
	digest := sha256.New()
	digest.Write(before)
	rows, err := tx.Query(ctx, readSealed, after, until)
	if err != nil {
		return seal, err
	}
	var id uuid.UUID
	var leg int16
	var numbers [5]int64
	_, err = pgx.ForEachRow(rows, []any{&id, &leg, &numbers[0], &numbers[1], &numbers[2], &numbers[3], &numbers[4]}, func() error {
		add(digest, id, int64(leg), numbers)
		seal.Until = id
		seal.Transfers++
		return nil
	})
	seal.Hash = digest.Sum(nil)
	return seal, err
}

func add(digest hash.Hash, id uuid.UUID, leg int64, numbers [5]int64) {
	var row [16 + 6*8]byte
	copy(row[:], id[:])
	binary.BigEndian.PutUint64(row[16:], uint64(leg))
	for i, n := range numbers {
		binary.BigEndian.PutUint64(row[24+8*i:], uint64(n))
	}
	digest.Write(row[:])
}

// AuditSeals hashes every sealed range again: a transfer that was changed, lost or slipped in since
// does not fit its seal.
func AuditSeals(ctx context.Context, db *postgres.DB, report *ledger.Report) error {
	result := ledger.CheckResult{Name: "every sealed range of transfers is as it was sealed"}
	type kept struct {
		N            int64
		After, Until uuid.UUID
		Transfers    int64
		Hash         []byte
	}
	count := 0
	err := pgx.BeginTxFunc(ctx, db.Pool, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "SET LOCAL statement_timeout = 0"); err != nil {
			return err
		}
		rows, err := tx.Query(ctx, `SELECT n, after_id, until_id, transfers, hash FROM ledger_seals ORDER BY n`)
		if err != nil {
			return err
		}
		seals, err := pgx.CollectRows(rows, pgx.RowToStructByPos[kept])
		if err != nil {
			return err
		}
		var before []byte
		var until uuid.UUID
		for i, seal := range seals {
			again, err := hashRange(ctx, tx, before, seal.After, seal.Until)
			if err != nil {
				return err
			}
			if seal.N != int64(i+1) || seal.After != until || again.Transfers != seal.Transfers || !bytes.Equal(again.Hash, seal.Hash) {
				result.Found(ledger.Violation{Subject: fmt.Sprintf("seal %d", seal.N), Detail: fmt.Sprintf(
					"%d transfers %s, sealed were %d %s", again.Transfers, short(again.Hash), seal.Transfers, short(seal.Hash))})
			}
			before, until = seal.Hash, seal.Until
		}
		count = len(seals)
		return nil
	})
	if err != nil {
		return fmt.Errorf("audit the seals: %w", err)
	}
	report.Figure("seals", fmt.Sprint(count))
	report.Conclude(result)
	return nil
}

func short(hash []byte) string { return hex.EncodeToString(hash[:min(8, len(hash))]) }
