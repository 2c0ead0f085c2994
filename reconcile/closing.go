package reconcile

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"evens/internal/download"
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

// closingLag is how long a day must have been over: the last of what belongs to it is still on its way.
const closingLag = 2 * time.Minute

// Balances at a day's end, from the transfers up to then ($1) that are sealed ($5): players' accounts, held
// stakes, the house. Their sum is nothing, always. What was committed later than its day was sealed counts
// in the next day's closing. What providers moved on that day stands beside it: from its beginning ($2), or
// later than the closing before was sealed ($6).
const closeDay = `
	WITH late AS MATERIALIZED (
	    SELECT id FROM transactions WHERE position >= $5 AND id < $1
	), counted AS (
	    SELECT t.* FROM transfers t WHERE t.transaction_id < $1 AND NOT EXISTS (SELECT FROM late l WHERE l.id = t.transaction_id)
	), sides AS (
	    SELECT debit_account AS account, -sum(amount) AS total FROM counted GROUP BY debit_account
	    UNION ALL
	    SELECT credit_account, sum(amount) FROM counted GROUP BY credit_account
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
	     WHERE (x.id >= $2 OR x.position >= $6) AND x.id < $1 AND (x.position IS NULL OR x.position < $5)
	       AND x.provider IS NOT NULL AND x.provider <> 'cashier'
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
	INSERT INTO closings (day, currency, item, ours, theirs, seal, made_at, until_position) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
	    ON CONFLICT (day, currency, item) DO UPDATE
	   SET ours = excluded.ours, theirs = excluded.theirs, seal = excluded.seal, made_at = excluded.made_at, until_position = excluded.until_position`
	// What an earlier making of the closing had and this one has not is gone.
	dropClosing = `DELETE FROM closings WHERE day = $1 AND made_at <> $2`
	// How far the closing before reaches: what came later than that belongs to this one.
	readReach = `SELECT max(until_position) FROM closings WHERE day = $1::date - 1`
	// One that is made anew counts the same of the ledger: what has come since belongs to the next.
	readMade    = `SELECT max(seal), max(until_position) FROM closings WHERE day = $1 AND until_position IS NOT NULL`
	readClosing = `SELECT day, currency, item, ours, theirs, seal FROM closings WHERE day = $1 ORDER BY currency, item`
)

// Close makes the closing of a day (UTC) that is over, or makes it anew. It is tied to the ledger's
// last seal, so that a changed past shows.
func (r *Reconciler) Close(ctx context.Context, day time.Time) ([]ClosingLine, error) {
	day = day.UTC().Truncate(24 * time.Hour)
	end := day.Add(24 * time.Hour)
	if r.now().Before(end.Add(closingLag)) {
		return nil, fmt.Errorf("the day %s is not over yet", day.Format(time.DateOnly))
	}
	sealed, err := r.Sealed(ctx)
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
		var reach, seal, until pgtype.Int8
		if err := tx.QueryRow(ctx, readReach, day).Scan(&reach); err != nil {
			return err
		}
		if err := tx.QueryRow(ctx, readMade, day).Scan(&seal, &until); err != nil {
			return err
		}
		if until.Valid {
			sealed.N, sealed.Until = seal.Int64, until.Int64
		}
		rows, err := tx.Query(ctx, closeDay, postgres.IDAt(end), postgres.IDAt(day), day, end, sealed.Until, reach)
		if err != nil {
			return err
		}
		line := ClosingLine{Day: day, Seal: sealed.N}
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
		batch, now := &pgx.Batch{}, r.now().Truncate(time.Microsecond)
		for _, line := range lines {
			batch.Queue(insertClosing, day, line.Currency, line.Item, line.Ours, line.Theirs, sealed.N, now, sealed.Until)
		}
		batch.Queue(dropClosing, day, now)
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
	writer := download.NewTable(w, []string{"day", "currency", "item", "ours", "theirs", "difference", "seal"})
	if err := writer.Begin(); err != nil {
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
	return writer.Flush()
}
