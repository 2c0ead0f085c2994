package reconcile

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"evens/internal/postgres"
	"evens/money"
)

// Theirs is what a provider's list says of one id.
type Theirs struct {
	Net       money.Amount `json:"-"` // what its lines moved to the player
	Listed    money.Amount `json:"-"` // what they would have, whatever their status
	Amount    string       `json:"amount"`
	Player    string       `json:"player_id,omitempty"`
	Currency  string       `json:"currency,omitempty"`
	Status    Status       `json:"status"`
	Word      string       `json:"their_status,omitempty"` // the provider's own
	Undone    bool         `json:"rolled_back,omitempty"`
	Reversed  money.Amount `json:"-"` // how much was undone; 0 where the list does not say
	At        time.Time    `json:"at"`
	Round     string       `json:"round_id,omitempty"`
	Debit     bool         `json:"-"`
	Credit    bool         `json:"-"`
	Moved     bool         `json:"-"` // has a line that says ok, or open
	Open      bool         `json:"-"` // has a bet that stands and is not over
	Pending   bool         `json:"-"` // has a line that proves nothing yet, or lines that contradict each other
	Duplicate bool         `json:"duplicate,omitempty"`
}

// Ours is what our ledger says of one id.
type Ours struct {
	ID       string       `json:"transaction_id,omitempty"` // where it is another than theirs
	Net      money.Amount `json:"-"`
	Amount   string       `json:"amount"`
	Player   string       `json:"player_id"`
	Currency string       `json:"currency"`
	Kind     string       `json:"type"`
	Undone   bool         `json:"rolled_back,omitempty"`
	At       time.Time    `json:"at"`
	PlayerID uuid.UUID    `json:"-"`
	Round    string       `json:"round_id,omitempty"`
	Won      bool         `json:"-"` // has paid something
}

// unproven reports whether nobody can tell yet what became of it there.
func (t *Theirs) unproven() bool { return t.Pending || t.Open }

// loneReversal reports whether the list has nothing of the id but that it was undone.
func (t *Theirs) loneReversal() bool { return t.Undone && !t.Debit && !t.Credit }

// reversedWhole reports whether what was undone there is all that ours moved: the reversal of a part undoes
// no bet. What a bet and win in one instruction took is not told by what they moved together.
func (p pair) reversedWhole() bool {
	t, o := p.theirs, p.ours
	return !t.Undone || t.Reversed == 0 || o.Kind == "bet_win" || t.Reversed == o.Net || t.Reversed == -o.Net
}

// pair is one id on both sides; a side may be missing.
type pair struct {
	id     string
	theirs *Theirs
	ours   *Ours
}

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
	        AND (l.type = 'debit' AND x.kind IN ('bet', 'withdrawal') OR l.type = 'credit' AND x.kind IN ('win', 'deposit'))
	        AND l.player IN ('', p.external_id) AND l.currency IN ('', p.currency)) IS NOT TRUE`
}

// A file is one page: what stands in it twice is found by counting.
const findRepeated = `
	INSERT INTO suspects SELECT transaction_id FROM statement_lines WHERE statement_id = $1 GROUP BY transaction_id HAVING count(*) > 1`

const compared = `'bet', 'win', 'bet_win', 'deposit', 'withdrawal', ` + returns

// returns are the kinds that undo another transaction of their id.
const returns = `'rollback', 'withdrawal_return', 'deposit_return'`

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

const countOurs = `
	SELECT count(DISTINCT (CASE WHEN $4 THEN x.round_id ELSE x.external_id END)) FROM transactions x
	 WHERE x.provider = $1 AND x.id >= $2 AND x.id < $3
	   AND x.kind IN (` + compared + `)`

// idsBetween turns a window of time into a range of UUIDv7.
func idsBetween(from, to time.Time) (first, last uuid.UUID) {
	return postgres.IDAt(from), postgres.IDAt(to)
}

// match streams the pairs that differ to each. Our side is wider than the window: their clock is not
// ours.
func (r *Reconciler) match(ctx context.Context, provider string, byRound, file bool, s *statement, each func(pair) error) (ours int64, err error) {
	first, last := idsBetween(s.from.Add(-Skew), s.to.Add(Skew))
	err = postgres.InTx(ctx, r.db.Pool, func(ctx context.Context, tx pgx.Tx) error {
		if err := postgres.Unhurried(ctx, tx, whole); err != nil {
			return err
		}
		key := "external_id"
		if byRound {
			key = "round_id"
		}
		if _, err := tx.Exec(ctx, openSuspects); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, findSuspects(key), s.id, provider, first, last); err != nil {
			return err
		}
		if file {
			if _, err := tx.Exec(ctx, findRepeated, s.id); err != nil {
				return err
			}
		}
		if _, err := tx.Exec(ctx, "ANALYZE suspects"); err != nil {
			return err
		}
		rows, err := tx.Query(ctx, matchSQL(key), pgx.QueryExecModeExec, s.id, provider, first, last, file)
		if err != nil {
			return err
		}
		for rows.Next() {
			p, err := scanPair(rows)
			if err != nil {
				rows.Close()
				return err
			}
			if err := each(p); err != nil {
				rows.Close()
				return err
			}
		}
		if err := rows.Err(); err != nil {
			return err
		}
		inner, outer := idsBetween(s.from, s.to)
		return tx.QueryRow(ctx, countOurs, provider, inner, outer, byRound).Scan(&ours)
	})
	if err != nil {
		return 0, fmt.Errorf("match the statement: %w", err)
	}
	return ours, nil
}

// whole are the settings of a statement over whole tables.
var whole = map[string]string{"work_mem": "128MB", "jit": "off"}

func scanPair(rows pgx.Rows) (pair, error) {
	var p pair
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

// classify says what is wrong with a pair: nothing, or the kinds of break.
func classify(p pair) []Kind {
	t, o := p.theirs, p.ours
	switch {
	case t == nil:
		if o.Undone {
			return nil // taken back here, and never happened there
		}
		return []Kind{MissingThere}
	case o == nil:
		if t.unproven() || t.loneReversal() {
			return []Kind{MissingHere}
		}
		if !t.Moved || t.Undone {
			return nil // it failed, or was undone, and never happened here
		}
		return []Kind{MissingHere}
	}
	var kinds []Kind
	theirDone, ourDone := t.Moved && !t.Undone, !o.Undone
	if !t.Moved && t.Undone {
		theirDone = false
	}
	switch {
	case t.Pending && ourDone, t.Open && !t.Pending && (!ourDone || t.Net != o.Net), !t.unproven() && theirDone != ourDone:
		kinds = append(kinds, StatusDiffers)
	}
	if t.Duplicate {
		kinds = append(kinds, Duplicate)
	} else if t.Moved && !t.unproven() && t.Net != o.Net || !p.reversedWhole() {
		kinds = append(kinds, AmountDiffers)
	}
	if t.Currency != "" && t.Currency != o.Currency {
		kinds = append(kinds, CurrencyDiffers)
	}
	if t.Player != "" && t.Player != o.Player {
		kinds = append(kinds, PlayerDiffers)
	}
	return kinds
}

// Indexes: transactions_key, players_pkey. Bets and wins of one id stand under several sources.
const readAnyTime = `
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
	SELECT x.round_id, x.won - x.staked, x.bets > 0 AND x.bets = x.rolled_back, 'bet', x.opened_at, x.player_id, p.external_id, p.currency, x.round_id, x.won > 0
	  FROM rounds x JOIN players p ON p.id = x.player_id
	 WHERE x.provider = $2 AND x.round_id = ANY ($1)`

// anyTime looks ids up that the window of our side does not have: a clock may be far off.
func (r *Reconciler) anyTime(ctx context.Context, provider string, byRound bool, ids []string) (map[string]*Ours, error) {
	query := readAnyTime
	if byRound {
		query = readRoundsAnyTime
	}
	rows, err := r.db.Pool.Query(ctx, query, ids, provider)
	if err != nil {
		return nil, fmt.Errorf("look for transactions of other times: %w", err)
	}
	found := make(map[string]*Ours)
	var id string
	var net pgtype.Int8
	for rows.Next() {
		o := &Ours{}
		if err := rows.Scan(&id, &net, &o.Undone, &o.Kind, &o.At, &o.PlayerID, &o.Player, &o.Currency, &o.Round, &o.Won); err != nil {
			rows.Close()
			return nil, err
		}
		o.Net, o.At = money.Amount(net.Int64), o.At.UTC()
		o.Amount = o.Net.String()
		found[id] = o
	}
	return found, rows.Err()
}
