package seal

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"evens/ledger"
)

// kept is a line of the table seals.
type kept struct {
	n            int64
	version      int16
	span         span
	transactions int64
	transfers    int64
	hash         []byte
}

const readSeals = `
	SELECT n, version, after_id, until_id, from_position, until_position, transactions, transfers, hash FROM seals ORDER BY n`

// Audit hashes every sealed range again: a row that was changed, lost or slipped in since does not fit
// its seal.
func Audit(ctx context.Context, tx pgx.Tx, report *ledger.Report) error {
	earlier, err := auditEarlier(ctx, tx, report)
	if err != nil {
		return fmt.Errorf("audit the seals: %w", err)
	}
	rows, err := tx.Query(ctx, readSeals)
	if err != nil {
		return fmt.Errorf("audit the seals: %w", err)
	}
	seals, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (k kept, err error) {
		return k, row.Scan(&k.n, &k.version, &k.span.afterID, &k.span.untilID, &k.span.from, &k.span.until, &k.transactions, &k.transfers, &k.hash)
	})
	if err != nil {
		return fmt.Errorf("audit the seals: %w", err)
	}
	result := ledger.CheckResult{Name: "every sealed range of the ledger is as it was sealed"}
	var before kept
	for i, seal := range seals {
		if i == 0 {
			before = earlier.before(seal.n)
		}
		again, err := seal.span.hash(ctx, tx, seal.version, before.hash)
		if err != nil {
			return fmt.Errorf("audit seal %d: %w", seal.n, err)
		}
		if !seal.follows(before) || again.transactions != seal.transactions || again.transfers != seal.transfers ||
			!bytes.Equal(again.hash, seal.hash) {
			result.Found(ledger.Violation{Subject: fmt.Sprintf("seal %d", seal.n), Detail: fmt.Sprintf(
				"%d transactions, %d transfers, %s; sealed were %d, %d, %s", again.transactions, again.transfers, short(again.hash),
				seal.transactions, seal.transfers, short(seal.hash))})
		}
		before = seal
	}
	report.Figure("seals", fmt.Sprint(int64(len(earlier))+int64(len(seals))))
	report.Conclude(result)
	return nil
}

// follows reports whether a seal begins where the one before it ends.
func (k kept) follows(before kept) bool {
	switch {
	case k.n != before.n+1:
		return false
	case k.span.untilID.Valid:
		return k.span.afterID.UUID == before.span.untilID.UUID && !before.span.until.Valid
	default:
		return k.span.from.Int64 == before.span.until.Int64
	}
}

// earlierSeal is one of the releases before, over transfers in the order of their ids.
type earlierSeal struct {
	N            int64
	After, Until uuid.UUID
	Transfers    int64
	Hash         []byte
	Position     pgtype.Int8
}

type earlierSeals []earlierSeal

// before is the seal from which the chain goes on with number n.
func (s earlierSeals) before(n int64) kept {
	for _, seal := range s {
		if seal.N == n-1 {
			return kept{n: seal.N, hash: seal.Hash}
		}
	}
	return kept{}
}

const (
	readEarlierSeals = `SELECT n, after_id, until_id, transfers, hash, position FROM ledger_seals ORDER BY n`
	// What has a position was written later than a seal without one, or with a lower one. Index: transfers_pkey.
	readEarlierRange = `
	SELECT f.transaction_id, f.leg, f.debit_account, f.credit_account, f.amount, coalesce(f.balance_after, 0), coalesce(f.account_version, 0)
	  FROM transfers f LEFT JOIN transactions x ON x.id = f.transaction_id
	 WHERE f.transaction_id > $1 AND f.transaction_id <= $2 AND (x.position IS NULL OR x.position < $3)
	 ORDER BY f.transaction_id, f.leg`
)

// auditEarlier holds the seals of the releases before against the transfers that they saw.
func auditEarlier(ctx context.Context, tx pgx.Tx, report *ledger.Report) (earlierSeals, error) {
	rows, err := tx.Query(ctx, readEarlierSeals)
	if err != nil {
		return nil, err
	}
	seals, err := pgx.CollectRows(rows, pgx.RowToStructByPos[earlierSeal])
	if err != nil {
		return nil, err
	}
	result := ledger.CheckResult{Name: "every range of transfers that was sealed by their ids is as it was sealed"}
	var before []byte
	var until uuid.UUID
	for i, seal := range seals {
		transfers, hash, err := seal.again(ctx, tx, before)
		if err != nil {
			return nil, fmt.Errorf("seal %d: %w", seal.N, err)
		}
		if seal.N != int64(i+1) || seal.After != until || transfers != seal.Transfers || !bytes.Equal(hash, seal.Hash) {
			result.Found(ledger.Violation{Subject: fmt.Sprintf("seal %d", seal.N), Detail: fmt.Sprintf(
				"%d transfers %s, sealed were %d %s", transfers, short(hash), seal.Transfers, short(seal.Hash))})
		}
		before, until = seal.Hash, seal.Until
	}
	report.Conclude(result)
	return seals, nil
}

func (s earlierSeal) again(ctx context.Context, tx pgx.Tx, before []byte) (transfers int64, hash []byte, err error) {
	rows, err := tx.Query(ctx, readEarlierRange, s.After, s.Until, s.Position)
	if err != nil {
		return 0, nil, err
	}
	digest := sha256.New()
	digest.Write(before)
	var id uuid.UUID
	var numbers [6]int64
	targets := []any{&id, &numbers[0], &numbers[1], &numbers[2], &numbers[3], &numbers[4], &numbers[5]}
	_, err = pgx.ForEachRow(rows, targets, func() error {
		row := append(make([]byte, 0, 64), id[:]...)
		for _, n := range numbers {
			row = binary.BigEndian.AppendUint64(row, uint64(n))
		}
		digest.Write(row)
		transfers++
		return nil
	})
	return transfers, digest.Sum(nil), err
}

func short(hash []byte) string { return hex.EncodeToString(hash[:min(8, len(hash))]) }
