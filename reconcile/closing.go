package reconcile

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"evens/internal/download"
	"evens/internal/postgres"
	"evens/money"
	"evens/reconcile/seal"
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
	SELECT $3::date, currency, kind, total::bigint, NULL::bigint, $7::bigint FROM balances
	UNION ALL
	SELECT $3::date, currency, 'total', sum(total)::bigint, NULL, $7 FROM balances GROUP BY currency
	UNION ALL
	SELECT $3::date, m.currency, m.provider || '/' || i.item,
	       (CASE i.item WHEN 'stakes' THEN m.stakes WHEN 'payouts' THEN m.payouts ELSE m.stakes - m.payouts END)::bigint,
	       (CASE i.item WHEN 'stakes' THEN t.stakes WHEN 'payouts' THEN t.payouts ELSE t.stakes - t.payouts END)::bigint, $7
	  FROM moved m LEFT JOIN theirs t ON t.provider = m.provider AND t.currency = m.currency
	 CROSS JOIN (VALUES ('stakes'), ('payouts'), ('ggr')) i (item)
	 ORDER BY 2, 3`

const (
	insertClosing = `
	INSERT INTO closings (day, currency, item, ours, theirs, seal, made_at, until_position, version)
	VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`
	// How far the closing before reaches: what came later than that belongs to this one.
	readReach = `SELECT max(until_position) FROM closings WHERE day = $1::date - 1`
	// One that is made anew counts the same of the ledger: what has come since belongs to the next.
	readMade = `SELECT max(seal) FILTER (WHERE until_position IS NOT NULL), max(until_position), coalesce(max(version), 0) FROM closings WHERE day = $1`
	// Makings of one day come one after the other.
	lockClosing = `SELECT pg_advisory_xact_lock(hashtext('closings'), $1::date - '2000-01-01'::date)`
	readClosing = `
	SELECT day, currency, item, ours, theirs, seal FROM closings
	 WHERE day = $1 AND version = (SELECT max(version) FROM closings WHERE day = $1) ORDER BY currency, item`
	// Providers whose lists of the day have been pruned: what they said stands in the closing alone.
	readPruned = `
	SELECT DISTINCT provider FROM statements
	 WHERE state = 'matched' AND window_to > $1 AND window_from < $2 AND num_nonnulls(pruning_since, pruned_at) > 0`
)

// Close makes the closing of a day (UTC) that is over, or makes it anew: a version that differs from the one before is
// kept beside it. It is tied to the ledger's last seal, so that a changed past shows.
func (r *Reconciler) Close(ctx context.Context, day time.Time) (lines []ClosingLine, err error) {
	day = day.UTC().Truncate(24 * time.Hour)
	if r.now().Before(day.Add(24*time.Hour + closingLag)) {
		return nil, fmt.Errorf("the day %s is not over yet", day.Format(time.DateOnly))
	}
	sealed, err := r.Sealed(ctx)
	if err != nil {
		return nil, err
	}
	err = r.atLength(ctx, func(ctx context.Context, tx pgx.Tx) error {
		lines, err = r.makeClosing(ctx, tx, day, sealed)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("close the day %s: %w", day.Format(time.DateOnly), err)
	}
	return lines, nil
}

func (r *Reconciler) makeClosing(ctx context.Context, tx pgx.Tx, day time.Time, sealed seal.Seal) ([]ClosingLine, error) {
	if _, err := tx.Exec(ctx, lockClosing, day); err != nil {
		return nil, err
	}
	var reach, last, until pgtype.Int8
	var version int
	if err := tx.QueryRow(ctx, readReach, day).Scan(&reach); err != nil {
		return nil, err
	}
	if err := tx.QueryRow(ctx, readMade, day).Scan(&last, &until, &version); err != nil {
		return nil, err
	}
	if until.Valid {
		sealed.N, sealed.Until = last.Int64, until.Int64
	}
	before, err := closingLines(tx.Query(ctx, readClosing, day))
	if err != nil {
		return nil, err
	}
	end := day.Add(24 * time.Hour)
	lines, err := closingLines(tx.Query(ctx, closeDay, postgres.IDAt(end), postgres.IDAt(day), day, end, sealed.Until, reach, sealed.N))
	if err != nil {
		return nil, err
	}
	pruned, err := tx.Query(ctx, readPruned, day, end)
	if err != nil {
		return nil, err
	}
	silent, err := pgx.CollectRows(pruned, pgx.RowTo[string])
	if err != nil {
		return nil, err
	}
	lines = keepTheirs(lines, before, silent)
	if slices.EqualFunc(lines, before, ClosingLine.equal) {
		return lines, nil
	}
	batch, now := &pgx.Batch{}, r.now().Truncate(time.Microsecond)
	for _, line := range lines {
		batch.Queue(insertClosing, day, line.Currency, line.Item, line.Ours, line.Theirs, sealed.N, now, sealed.Until, version+1)
	}
	return lines, tx.SendBatch(ctx, batch).Close()
}

// keepTheirs gives the figures of providers whose lists are no longer kept as the version before has them.
func keepTheirs(lines, before []ClosingLine, silent []string) []ClosingLine {
	for i, line := range lines {
		provider, _, moved := strings.Cut(line.Item, "/")
		if !moved || !slices.Contains(silent, provider) {
			continue
		}
		for _, earlier := range before {
			if earlier.Currency == line.Currency && earlier.Item == line.Item {
				lines[i].Theirs = earlier.Theirs
			}
		}
	}
	return lines
}

func (l ClosingLine) equal(other ClosingLine) bool {
	same := l.Theirs == nil && other.Theirs == nil || l.Theirs != nil && other.Theirs != nil && *l.Theirs == *other.Theirs
	return same && l.Day.Equal(other.Day) && l.Currency == other.Currency && l.Item == other.Item && l.Ours == other.Ours && l.Seal == other.Seal
}

func closingLines(rows pgx.Rows, err error) ([]ClosingLine, error) {
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[ClosingLine])
}

// Closing returns a day's closing as it was made; none where it was not.
func (r *Reconciler) Closing(ctx context.Context, day time.Time) ([]ClosingLine, error) {
	lines, err := closingLines(r.db.Pool.Query(ctx, readClosing, day.UTC().Truncate(24*time.Hour)))
	if err != nil {
		return nil, fmt.Errorf("read a closing: %w", err)
	}
	return lines, nil
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
