package reconcile

import (
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"evens/internal/postgres"
	"evens/money"
)

// ClosingLine is one figure of a day's closing.
type ClosingLine struct {
	Day      time.Time
	Currency string
	// Item is an account's kind, total, or provider/stakes, provider/payouts, provider/ggr.
	Item   string
	Ours   money.Amount
	Theirs *money.Amount // of the provider's own list; nil where there was none
	Seal   int64         // the last seal of the ledger then
}

// Balances at a day's end, from the transfers up to then ($1): players' accounts, held stakes, the
// house. Their sum is nothing, always. What providers moved on that day stands beside it.
const closeDay = `
	WITH sides AS (
	    SELECT debit_account AS account, -sum(amount) AS total FROM transfers WHERE transaction_id < $1 GROUP BY debit_account
	    UNION ALL
	    SELECT credit_account, sum(amount) FROM transfers WHERE transaction_id < $1 GROUP BY credit_account
	), balances AS (
	    SELECT a.currency, a.kind, coalesce(sum(s.total), 0) AS total
	      FROM accounts a LEFT JOIN sides s ON s.account = a.id GROUP BY a.currency, a.kind
	), moved AS (
	    SELECT a.currency, x.provider,
	           sum(CASE WHEN t.debit_account = a.id AND x.kind <> 'rollback' THEN t.amount WHEN t.credit_account = a.id AND x.kind = 'rollback' AND o.amount < 0 THEN -t.amount ELSE 0 END) AS stakes,
	           sum(CASE WHEN t.credit_account = a.id AND x.kind <> 'rollback' THEN t.amount WHEN t.debit_account = a.id AND x.kind = 'rollback' AND o.amount >= 0 THEN -t.amount ELSE 0 END) AS payouts
	      FROM transactions x
	      JOIN transfers t ON t.transaction_id = x.id
	      JOIN accounts a ON a.id IN (t.debit_account, t.credit_account) AND a.player_id IS NOT NULL
	      LEFT JOIN transactions o ON x.kind = 'rollback' AND o.source = x.provider AND o.external_id = x.external_id
	     WHERE x.id >= $2 AND x.id < $1 AND x.provider IS NOT NULL AND x.provider <> 'cashier'
	     GROUP BY a.currency, x.provider
	), theirs AS (
	    SELECT provider, currency,
	           coalesce(sum(amount) FILTER (WHERE type = 'debit'), 0) - coalesce(sum(amount) FILTER (WHERE type = 'rollback'), 0) AS stakes,
	           coalesce(sum(amount) FILTER (WHERE type = 'credit'), 0) AS payouts
	      FROM (SELECT DISTINCT s.provider, l.transaction_id, l.type, l.amount, l.currency
	              FROM statements s JOIN statement_lines l ON l.statement_id = s.id
	             WHERE s.state = 'matched' AND s.window_to > $3 AND s.window_from < $4 AND l.at >= $3 AND l.at < $4
	               AND l.status IN ('ok', 'open') AND l.type <> 'coupon') d
	     GROUP BY provider, currency
	)
	SELECT currency, kind, total::bigint, NULL::bigint FROM balances
	UNION ALL
	SELECT currency, 'total', sum(total)::bigint, NULL FROM balances GROUP BY currency
	UNION ALL
	SELECT m.currency, m.provider || '/' || i.item,
	       (CASE i.item WHEN 'stakes' THEN m.stakes WHEN 'payouts' THEN m.payouts ELSE m.stakes - m.payouts END)::bigint,
	       (CASE i.item WHEN 'stakes' THEN t.stakes WHEN 'payouts' THEN t.payouts ELSE t.stakes - t.payouts END)::bigint
	  FROM moved m LEFT JOIN theirs t ON t.provider = m.provider AND t.currency = m.currency
	 CROSS JOIN (VALUES ('stakes'), ('payouts'), ('ggr')) i (item)
	 ORDER BY 1, 2`

const (
	insertClosing = `
	INSERT INTO closings (day, currency, item, ours, theirs, seal, made_at) VALUES ($1, $2, $3, $4, $5, $6, $7)
	    ON CONFLICT (day, currency, item) DO UPDATE SET ours = excluded.ours, theirs = excluded.theirs, seal = excluded.seal, made_at = excluded.made_at`
	readClosing = `SELECT day, currency, item, ours, theirs, seal FROM closings WHERE day = $1 ORDER BY currency, item`
)

// Close makes the closing of a day (UTC) that is over, or makes it anew. It is tied to the ledger's
// last seal, so that a changed past shows.
func (r *Reconciler) Close(ctx context.Context, day time.Time) ([]ClosingLine, error) {
	day = day.UTC().Truncate(24 * time.Hour)
	end := day.Add(24 * time.Hour)
	if r.now().Before(end.Add(sealLag)) {
		return nil, fmt.Errorf("the day %s is not over yet", day.Format(time.DateOnly))
	}
	seal, err := r.Sealed(ctx)
	if err != nil {
		return nil, err
	}
	var lines []ClosingLine
	err = postgres.InTx(ctx, r.db.Pool, func(ctx context.Context, tx pgx.Tx) error {
		for _, setting := range settings {
			if _, err := tx.Exec(ctx, setting); err != nil {
				return err
			}
		}
		rows, err := tx.Query(ctx, closeDay, postgres.IDAt(end), postgres.IDAt(day), day, end)
		if err != nil {
			return err
		}
		line := ClosingLine{Day: day, Seal: seal.N}
		var theirs pgtype.Int8
		_, err = pgx.ForEachRow(rows, []any{&line.Currency, &line.Item, &line.Ours, &theirs}, func() error {
			line.Theirs = nil
			if theirs.Valid {
				amount := money.Amount(theirs.Int64)
				line.Theirs = &amount
			}
			lines = append(lines, line)
			return nil
		})
		if err != nil {
			return err
		}
		batch := &pgx.Batch{}
		for _, line := range lines {
			batch.Queue(insertClosing, day, line.Currency, line.Item, line.Ours, line.Theirs, seal.N, r.now())
		}
		return tx.SendBatch(ctx, batch).Close()
	})
	if err != nil {
		return nil, fmt.Errorf("close the day %s: %w", day.Format(time.DateOnly), err)
	}
	return lines, nil
}

// Closing returns a day's closing as it was made; none where it was not.
func (r *Reconciler) Closing(ctx context.Context, day time.Time) ([]ClosingLine, error) {
	rows, err := r.db.Pool.Query(ctx, readClosing, day.UTC().Truncate(24*time.Hour))
	if err != nil {
		return nil, fmt.Errorf("read a closing: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[ClosingLine])
}

// WriteClosing writes a closing as CSV.
func WriteClosing(w io.Writer, lines []ClosingLine) error {
	writer := csv.NewWriter(w)
	if err := writer.Write([]string{"day", "currency", "item", "ours", "theirs", "difference", "seal"}); err != nil {
		return err
	}
	for _, line := range lines {
		theirs, difference := "", ""
		if line.Theirs != nil {
			theirs, difference = line.Theirs.String(), (line.Ours - *line.Theirs).String()
		}
		err := writer.Write([]string{line.Day.Format(time.DateOnly), line.Currency, line.Item, line.Ours.String(), theirs, difference, fmt.Sprint(line.Seal)})
		if err != nil {
			return err
		}
	}
	writer.Flush()
	return writer.Error()
}
