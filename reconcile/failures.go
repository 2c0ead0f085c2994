package reconcile

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"time"

	"github.com/jackc/pgx/v5"

	"evens/internal/download"
)

// Failure is one instruction that did not go through, or was undone: a line of the Failed
// Transactions report.
type Failure struct {
	At            time.Time `json:"at"`
	Provider      string    `json:"provider"`
	Code          string    `json:"code"` // why: the refusal's code, rolled_back, parked, …
	TransactionID string    `json:"transaction_id"`
	PlayerID      string    `json:"player_id"`
	Amount        string    `json:"amount"`
	Currency      string    `json:"currency"`
	Done          string    `json:"done"` // what was done about it
	Reference     string    `json:"reference"`
}

// FailureFilter chooses failures of a time, From included, To not.
type FailureFilter struct {
	From, To time.Time
	Provider string // "" for all
}

// Refused calls stand in the callbacks, refused and undone instructions in the ledger, coupons and
// results that did not go through in their own tables.
var readFailures = `
	SELECT * FROM (
	    SELECT c.at, c.provider, c.code, coalesce(x.external_id, ''), coalesce(p.external_id, '') AS player, '' AS amount, coalesce(p.currency, '') AS currency,
	           CASE WHEN c.code IN ('unavailable', 'internal') THEN 'answered "try again"' ELSE 'refused' END AS done, 'callback ' || c.id AS reference
	      FROM callbacks c
	      LEFT JOIN transactions x ON x.id = c.transaction_id
	      LEFT JOIN players p ON p.id = c.player_id
	     WHERE c.at >= $1 AND c.at < $2 AND c.code NOT IN ('ok', 'repeat')
	    UNION ALL
	    SELECT x.at, coalesce(x.provider, x.source), CASE x.kind WHEN 'tombstone' THEN 'rolled_back_before' ELSE 'rolled_back' END, x.external_id,
	           coalesce(p.external_id, ''), (x.amount / 10000.0)::numeric(20,4)::text, coalesce(p.currency, ''),
	           CASE x.kind WHEN 'tombstone' THEN 'its id is kept out' ELSE 'undone' END, coalesce(x.comment, 'transaction ' || x.id)
	      FROM transactions x LEFT JOIN players p ON p.id = x.player_id
	     WHERE x.id >= $4 AND x.id < $5 AND x.kind IN ('tombstone', ` + returns + `)
	       AND x.source NOT LIKE '%:told'
	    UNION ALL
	    SELECT x.at, x.provider, 'no_bet_known', x.external_id, p.external_id, (x.amount / 10000.0)::numeric(20,4)::text, p.currency,
	           'paid, marked', 'transaction ' || x.id
	      FROM transactions x JOIN players p ON p.id = x.player_id
	     WHERE x.id >= $4 AND x.id < $5 AND x.kind = 'win' AND x.comment = 'no bet known'
	    UNION ALL
	    SELECT c.placed_at, c.provider, c.error_code, coalesce(c.bet_code, ''), p.external_id, (c.stake / 10000.0)::numeric(20,4)::text, c.currency,
	           CASE c.status WHEN 'rejected' THEN 'stake returned' ELSE 'stake held' END, 'coupon ' || c.id
	      FROM coupons c JOIN players p ON p.id = c.player_id
	     WHERE c.id >= $4 AND c.id < $5 AND c.error_code IS NOT NULL
	    UNION ALL
	    SELECT r.received_at, r.provider, coalesce(r.attention, r.state), r.bar_code, '', coalesce((r.amount_out / 10000.0)::numeric(20,4)::text, ''), '',
	           CASE r.state WHEN 'refused' THEN 'refused by a person' ELSE 'waits for a person' END, 'result ' || r.id
	      FROM results r
	     WHERE r.received_at >= $1 AND r.received_at < $2 AND (r.attention IS NOT NULL OR r.state = 'refused')
	    UNION ALL
	    SELECT n.received_at, n.provider, n.reason, n.transaction_id, '', '', '', 'acknowledged, not done', 'notice ' || n.id
	      FROM notices n WHERE n.received_at >= $1 AND n.received_at < $2 AND n.state = 'refused'
	) f
	 WHERE $3 = '' OR f.provider = $3
	 ORDER BY 1, 9`

// Failures streams the report, oldest first; an error comes last. Memory does not grow with it.
func (r *Reconciler) Failures(ctx context.Context, filter FailureFilter) iter.Seq2[Failure, error] {
	return func(yield func(Failure, error) bool) {
		first, last := idsBetween(filter.From, filter.To)
		rows, err := r.db.Pool.Query(ctx, readFailures, pgx.QueryExecModeExec, filter.From, filter.To, filter.Provider, first, last)
		if err != nil {
			yield(Failure{}, fmt.Errorf("read failures: %w", err))
			return
		}
		defer rows.Close()
		for rows.Next() {
			var f Failure
			if err := rows.Scan(&f.At, &f.Provider, &f.Code, &f.TransactionID, &f.PlayerID, &f.Amount, &f.Currency, &f.Done, &f.Reference); err != nil {
				yield(f, fmt.Errorf("read failures: %w", err))
				return
			}
			f.At = f.At.UTC()
			if !yield(f, nil) {
				return
			}
		}
		if err := rows.Err(); err != nil {
			yield(Failure{}, fmt.Errorf("read failures: %w", err))
		}
	}
}

// WriteFailures writes the report as CSV.
func WriteFailures(w io.Writer, failures iter.Seq2[Failure, error]) error {
	writer := download.NewTable(w, []string{"at", "provider", "code", "transaction_id", "player_id", "amount", "currency", "done", "reference"})
	if err := writer.Begin(); err != nil {
		return err
	}
	for f, err := range failures {
		if err != nil {
			return errors.Join(err, writer.Flush())
		}
		if err := writer.Write([]string{f.At.Format(time.RFC3339Nano), f.Provider, f.Code, f.TransactionID, f.PlayerID, f.Amount, f.Currency, f.Done, f.Reference}); err != nil {
			return err
		}
	}
	return writer.Flush()
}
