package reconcile

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"evens/internal/postgres"
	"evens/ledger"
	"evens/money"
)

// What is even at first sight, a line and a transaction that say the same, is left aside in one
// pass over both sides; whatever else an id has makes it a suspect.
const openSuspects = `CREATE TEMP TABLE suspects (id text COLLATE "C") ON COMMIT DROP`

func findSuspects(id string) string {
	return `
	INSERT INTO suspects
	SELECT coalesce(l.transaction_id, x.` + id + `)
	  FROM (SELECT transaction_id, type, player, amount, currency, status, again FROM statement_lines WHERE statement_id = $1) l
	  FULL JOIN (SELECT ` + id + `, player_id, amount, kind FROM transactions
	              WHERE provider = $2 AND id >= $3 AND id < $4 AND kind IN (` + compared + `)) x ON x.` + id + ` = l.transaction_id
	  LEFT JOIN players p ON p.id = x.player_id
	 WHERE (l.amount = abs(x.amount) AND l.status = 'ok' AND NOT l.again
	        AND (l.type = 'debit' AND x.kind IN (` + debits + `) OR l.type = 'credit' AND x.kind IN (` + credits + `))
	        AND l.player IN ('', p.external_id) AND l.currency IN ('', p.currency)) IS NOT TRUE`
}

// A file is one page: what stands in it twice is found by counting.
const findRepeated = `
	INSERT INTO suspects SELECT transaction_id FROM statement_lines WHERE statement_id = $1 GROUP BY transaction_id HAVING count(*) > 1`

// As what lists have the kinds of transaction; returns undo another one of their id.
var (
	compared = ledger.Where(func(t ledger.Traits) bool { return t.Listed != ledger.NotListed })
	returns  = listed(ledger.ListedReversal)
	debits   = listed(ledger.ListedDebit)
	credits  = listed(ledger.ListedCredit)
)

func listed(as ledger.Listed) string {
	return ledger.Where(func(t ledger.Traits) bool { return t.Listed == as })
}

// Lines of one id are taken together: a bet and its win may share it. The same line on two pages
// is one line that a moving list showed twice; twice on one page it is a duplicate.
const theirSide = `
	theirs AS (
	    SELECT transaction_id AS id,
	           coalesce(min(amount) FILTER (WHERE type = 'credit' AND status = 'ok'), 0)
	             - coalesce(min(amount) FILTER (WHERE type = 'debit' AND status IN ('ok', 'open')), 0) AS net,
	           coalesce(min(amount) FILTER (WHERE type = 'credit'), 0) - coalesce(min(amount) FILTER (WHERE type = 'debit'), 0) AS listed,
	           bool_or(type = 'rollback' AND status = 'ok') AS undone,
	           coalesce(sum(amount) FILTER (WHERE type = 'rollback' AND status = 'ok'), 0) AS reversed,
	           bool_or(type <> 'rollback' AND status IN ('ok', 'open')) AS moved,
	           bool_or(status = 'open') AS open,
	           bool_or(status = 'pending') OR bool_or(type = 'debit' AND status = 'failed') AND bool_or(type = 'debit' AND status IN ('ok', 'open'))
	             OR bool_or(type = 'credit' AND status = 'failed') AND bool_or(type = 'credit' AND status = 'ok') AS pending,
	           coalesce(max(word) FILTER (WHERE status IN ('pending', 'open')), max(word)) AS word,
	           bool_or(type = 'debit') AS debit, bool_or(type = 'credit') AS credit,
	           max(player) AS player, max(currency) AS currency, min(at) AS at, max(round_id) AS round_id,
	           bool_or(again) OR $5 AND (count(*) FILTER (WHERE type = 'debit') > 1 OR count(*) FILTER (WHERE type = 'credit') > 1)
	             OR coalesce(max(amount) FILTER (WHERE type = 'debit') <> min(amount) FILTER (WHERE type = 'debit'), false)
	             OR coalesce(max(amount) FILTER (WHERE type = 'credit') <> min(amount) FILTER (WHERE type = 'credit'), false)
	             OR coalesce(min(player) FILTER (WHERE player <> '') <> max(player), false)
	             OR coalesce(min(currency) FILTER (WHERE currency <> '') <> max(currency), false) AS duplicate
	      FROM statement_lines l JOIN (SELECT DISTINCT id FROM suspects) s ON s.id = l.transaction_id
	     WHERE statement_id = $1
	     GROUP BY transaction_id
	)`

// Ids grow with time, so a window of time is a range of the primary key ($3, $4).
func ourSide(id string) string {
	return `
	ours AS (
	    SELECT x.` + id + ` AS id, sum(x.amount) FILTER (WHERE x.kind NOT IN (` + returns + `)) AS net,
	           bool_or(x.kind IN (` + returns + `)) AS undone, min(x.player_id::text)::uuid AS player_id,
	           min(x.kind) FILTER (WHERE x.kind NOT IN (` + returns + `)) AS kind, min(x.at) AS at,
	           coalesce(min(x.round_id), '') AS round_id, ` + hasWon + ` AS won
	      FROM transactions x JOIN (SELECT DISTINCT id FROM suspects) s ON s.id = x.` + id + `
	     WHERE x.provider = $2 AND x.id >= $3 AND x.id < $4 AND x.kind IN (` + compared + `)
	     GROUP BY 1
	)`
}

// hasWon says of transactions x that they have paid the player something.
const hasWon = `bool_or(x.kind = 'win' AND x.amount > 0 OR x.kind = 'bet_win' AND x.amount + coalesce(x.staked, 0) > 0)`

func matchSQL(id string) string {
	return `
	WITH ` + theirSide + `, ` + ourSide(id) + `
	SELECT coalesce(t.id, o.id), t.net, coalesce(t.listed, 0), coalesce(t.open, false), coalesce(t.pending, false), coalesce(t.word, ''),
	       coalesce(t.undone, false), coalesce(t.reversed, 0)::bigint, coalesce(t.moved, false), coalesce(t.debit, false), coalesce(t.credit, false),
	       coalesce(t.player, ''), coalesce(t.currency, ''), t.at, coalesce(t.round_id, ''), coalesce(t.duplicate, false),
	       o.net, coalesce(o.undone, false), coalesce(o.kind, ''), o.at, o.player_id, coalesce(p.external_id, ''), coalesce(p.currency, ''),
	       coalesce(o.round_id, ''), coalesce(o.won, false)
	  FROM theirs t
	  FULL JOIN ours o ON o.id = t.id
	  LEFT JOIN players p ON p.id = o.player_id
	 WHERE t.id IS NULL OR o.id IS NULL OR t.net <> coalesce(o.net, 0) OR t.undone <> o.undone OR NOT t.moved OR t.duplicate OR t.pending
	    OR t.open OR t.undone AND t.reversed NOT IN (0, abs(o.net))
	    OR t.player <> '' AND t.player <> p.external_id OR t.currency <> '' AND t.currency <> p.currency`
}

var countOurs = `
	SELECT count(DISTINCT (CASE WHEN $4 THEN x.round_id ELSE x.external_id END)) FROM transactions x
	 WHERE x.provider = $1 AND x.id >= $2 AND x.id < $3
	   AND x.kind IN (` + compared + `)`

// whole are the settings of a statement over whole tables.
var whole = map[string]string{"work_mem": "128MB", "jit": "off"}

// atLength runs large statements in one transaction.
func (r *Reconciler) atLength(ctx context.Context, run func(ctx context.Context, tx pgx.Tx) error) error {
	return postgres.InTx(ctx, r.db.Pool, func(ctx context.Context, tx pgx.Tx) error {
		if err := postgres.Unhurried(ctx, tx, whole); err != nil {
			return err
		}
		return run(ctx, tx)
	})
}

// query is what is read, how, and with which arguments.
type query struct {
	what, sql string
	args      []any
}

// each reads one row after the other into the same places.
func (r *Reconciler) each(ctx context.Context, q query, into []any, one func() error) error {
	rows, _ := r.db.Pool.Query(ctx, q.sql, q.args...) // the rows tell its error
	if _, err := pgx.ForEachRow(rows, into, one); err != nil {
		return fmt.Errorf("%s: %w", q.what, err)
	}
	return nil
}

// eachRow hands one row after the other to each.
func eachRow[T any](rows pgx.Rows, scan pgx.RowToFunc[T], each func(T) error) error {
	defer rows.Close()
	for rows.Next() {
		one, err := scan(rows)
		if err != nil {
			return err
		}
		if err := each(one); err != nil {
			return err
		}
	}
	return rows.Err()
}

// idsBetween turns a window of time into a range of UUIDv7.
func idsBetween(from, to time.Time) (first, last uuid.UUID) {
	return postgres.IDAt(from), postgres.IDAt(to)
}

// differing streams the pairs that differ to each. Our side is wider than the window: their clock is not
// ours.
func (t *transactions) differing(ctx context.Context, each func(*transactionPair) error) (ours int64, err error) {
	s := t.statement
	first, last := idsBetween(s.from.Add(-Skew), s.to.Add(Skew))
	key := "external_id"
	if t.byRound {
		key = "round_id"
	}
	err = t.atLength(ctx, func(ctx context.Context, tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, openSuspects); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, findSuspects(key), s.id, t.provider, first, last); err != nil {
			return err
		}
		if t.file {
			if _, err := tx.Exec(ctx, findRepeated, s.id); err != nil {
				return err
			}
		}
		if _, err := tx.Exec(ctx, "ANALYZE suspects"); err != nil {
			return err
		}
		rows, err := tx.Query(ctx, matchSQL(key), pgx.QueryExecModeExec, s.id, t.provider, first, last, t.file)
		if err == nil {
			err = eachRow(rows, scanPair, each)
		}
		if err != nil {
			return err
		}
		inner, outer := idsBetween(s.from, s.to)
		return tx.QueryRow(ctx, countOurs, t.provider, inner, outer, t.byRound).Scan(&ours)
	})
	if err != nil {
		return 0, fmt.Errorf("match the statement: %w", err)
	}
	return ours, nil
}

func scanPair(rows pgx.CollectableRow) (*transactionPair, error) {
	p := &transactionPair{}
	var t Theirs
	var o Ours
	var theirNet, ourNet pgtype.Int8
	var theirAt, ourAt pgtype.Timestamptz
	var player uuid.NullUUID
	err := rows.Scan(&p.id, &theirNet, &t.Listed, &t.Open, &t.Pending, &t.Word, &t.Undone, &t.Reversed, &t.Moved, &t.Debit, &t.Credit, &t.Player, &t.Currency, &theirAt, &t.Round, &t.Duplicate,
		&ourNet, &o.Undone, &o.Kind, &ourAt, &player, &o.Player, &o.Currency,
		&o.Round, &o.Won)
	if err != nil {
		return p, err
	}
	if theirAt.Valid {
		t.Net, t.At, t.Status = money.Amount(theirNet.Int64), theirAt.Time.UTC(), OK
		t.Amount = t.Net.String()
		switch {
		case t.Pending:
			t.Status, t.Amount = Pending, t.Listed.String()
		case t.Open:
			t.Status = Open
		case !t.Moved && !t.Undone:
			t.Status, t.Amount = Failed, t.Listed.String()
		}
		p.theirs = &t
	}
	if ourAt.Valid {
		o.Net, o.At, o.PlayerID = money.Amount(ourNet.Int64), ourAt.Time.UTC(), player.UUID
		o.Amount = o.Net.String()
		p.ours = &o
	}
	return p, nil
}

// Indexes: transactions_key, players_pkey. Bets and wins of one id stand under several sources.
var readAnyTime = `
	SELECT x.external_id, sum(x.amount) FILTER (WHERE x.kind NOT IN (` + returns + `)),
	       bool_or(x.kind IN (` + returns + `)), coalesce(min(x.kind) FILTER (WHERE x.kind NOT IN (` + returns + `)), ''),
	       min(x.at), min(x.player_id::text)::uuid, min(p.external_id), min(p.currency), coalesce(min(x.round_id), ''), ` + hasWon + `
	  FROM unnest($1::text[]) k (id)
	 CROSS JOIN unnest(ARRAY[$2, $2 || ':win', $2 || ':rollback', $2 || ':win:rollback', $2 || ':returned', $2 || ':failed', $2 || ':unreserved']) s (source)
	  JOIN transactions x ON x.source = s.source AND x.external_id = k.id
	  JOIN players p ON p.id = x.player_id
	 WHERE x.kind IN (` + compared + `)
	 GROUP BY x.external_id`

const readRoundsAnyTime = `
	SELECT x.round_id, x.won - x.staked, x.bets > 0 AND x.bets = x.rolled_back, '` + string(ledger.Bet) + `', x.opened_at, x.player_id, p.external_id, p.currency, x.round_id, x.won > 0
	  FROM rounds x JOIN players p ON p.id = x.player_id
	 WHERE x.provider = $2 AND x.round_id = ANY ($1)`

// anyTime looks pairs up that the window of our side does not have: a clock may be far off.
func (t *transactions) anyTime(ctx context.Context, pairs []*transactionPair) (map[string]*Ours, error) {
	sql := readAnyTime
	if t.byRound {
		sql = readRoundsAnyTime
	}
	ids := make([]string, len(pairs))
	for i, p := range pairs {
		ids[i] = p.id
	}
	found := make(map[string]*Ours)
	var id string
	var net pgtype.Int8
	var o Ours
	into := []any{&id, &net, &o.Undone, &o.Kind, &o.At, &o.PlayerID, &o.Player, &o.Currency, &o.Round, &o.Won}
	err := t.each(ctx, query{"look for transactions of other times", sql, []any{ids, t.provider}}, into, func() error {
		ours := o
		ours.Net, ours.At = money.Amount(net.Int64), ours.At.UTC()
		ours.Amount = ours.Net.String()
		found[id] = &ours
		return nil
	})
	return found, err
}
