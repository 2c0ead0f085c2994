package settlement

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"evens/coupon/bet"
	"evens/internal/dbclock"
	"evens/internal/postgres"
	"evens/money"
	"evens/money/threshold"
)

// Push is one body of results as it came in.
type Push struct {
	Heads  []Head
	Body   []byte
	Path   string
	Source string
	At     time.Time
}

// Chunk is a row of up to ChunkSize results to be applied together. Rung counts how often its
// job was asked for: a queue's task id carries it, so that a task that is stuck, kept or
// archived never blocks the next.
type Chunk struct {
	ID   int64
	Rung int
}

// ChunkSize is how many results one commit settles at most.
const ChunkSize = 500

// Bell asks for chunks to be applied soon. It must not block and may forget: the sweep rings again.
type Bell interface{ Ring(chunks []Chunk) }

// Inbox stores results as they come in. It is safe for concurrent use.
type Inbox struct {
	db    *postgres.DB
	bell  Bell
	guard Guard
	// The guard's sums, by currency.
	currencies []string
	sums       []int64
}

// NewInbox returns an inbox that rings bell for what it stored.
func NewInbox(db *postgres.DB, bell Bell, guard Guard) *Inbox {
	i := &Inbox{db: db, bell: bell, guard: guard.orDefault()}
	i.currencies, i.sums = i.guard.Amount.All()
	return i
}

const insertCallback = `
	INSERT INTO callbacks (id, at, provider, path, source, body, status)
	VALUES ($1, $2, '` + bet.Provider + `', $3, $4, $5, $6)`

// One row a Head, unless it is there already; the new ones are cut into chunks in the same
// statement. A push that would take back too much marks its chunks: their reversals wait for a
// person ($10 payouts, or $12 in the currencies $11; in any other, whatever it is). Heads are
// BeT's: so is every code in them. Indexes: results_once, coupons_bookmaker_code.
const insertResults = `
	WITH taken_back AS (
	    SELECT coalesce(bool_or(n > $10 OR total > coalesce(allowed.sum, 0)), false) AS too_much
	      FROM (SELECT currency, count(*) AS n, sum(payout) AS total
	              FROM coupons WHERE bet_code = ANY ($9) AND provider = '` + bet.Provider + `' AND payout > 0
	             GROUP BY currency) t
	      LEFT JOIN unnest($11::text[], $12::bigint[]) allowed (currency, sum) USING (currency)
	), fresh AS (
	    INSERT INTO results (provider, bar_code, decided_at, status, ext_status, amount_out, callback_id, received_at)
	    SELECT '` + bet.Provider + `', bar_code, decided_at, status, ext_status, amount_out, $7, $8
	      FROM unnest($1::text[], $2::timestamptz[], $3::integer[], $4::integer[], $5::bigint[])
	           WITH ORDINALITY u (bar_code, decided_at, status, ext_status, amount_out, position)
	     ORDER BY position
	        ON CONFLICT ON CONSTRAINT results_once DO NOTHING
	    RETURNING id
	), numbered AS (
	    SELECT id, (row_number() OVER (ORDER BY id) - 1) / $6::integer AS chunk FROM fresh
	)
	INSERT INTO result_chunks (result_ids, guarded, rung_at)
	SELECT array_agg(id ORDER BY id), (SELECT too_much FROM taken_back), now()
	  FROM numbered GROUP BY chunk
	RETURNING id, cardinality(result_ids)`

// Heads that cannot be read wait for a person, with their text. Index: results_once.
const insertUnreadable = `
	INSERT INTO results (provider, bar_code, decided_at, status, ext_status, state, attention, reason, raw, callback_id, received_at)
	SELECT '` + bet.Provider + `', bar_code, 'epoch', 0, 0, 'parked', '` + attentionUnreadable + `', reason, raw, $4, $5
	  FROM unnest($1::text[], $2::text[], $3::bytea[]) u (bar_code, reason, raw)
	    ON CONFLICT ON CONSTRAINT results_once DO NOTHING`

// Store keeps a push durably, and answers how many of its readable Heads were new. Heads known already
// (the same BarCode, Status, ExtStatus, AmountOut and DateRecive) are left out, but for those that a person
// overruled: said again, they are looked at again.
func (i *Inbox) Store(ctx context.Context, push Push) (fresh int, err error) {
	heads := slices.Clone(push.Heads)
	slices.SortStableFunc(heads, byDecision)
	faulty := slices.IndexFunc(heads, func(h Head) bool { return h.Fault != "" })
	var unreadable []Head
	if faulty >= 0 {
		unreadable = slices.DeleteFunc(slices.Clone(heads), func(h Head) bool { return h.Fault == "" })
		unreadable = slices.CompactFunc(unreadable, func(a, b Head) bool { return a.BarCode == b.BarCode }) // sorted, named by their text
		heads = slices.DeleteFunc(heads, func(h Head) bool { return h.Fault != "" })
	}
	var chunks []Chunk
	err = postgres.Retry(ctx, postgres.Conflict, postgres.Retriable, func() (err error) {
		if chunks, fresh, err = i.store(ctx, push, heads, unreadable); err == nil && fresh < len(heads) {
			var again []Chunk
			again, err = i.repeated(ctx, heads)
			chunks = append(chunks, again...)
		}
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("store %d results: %w", len(push.Heads), err)
	}
	if len(chunks) > 0 {
		i.bell.Ring(chunks)
	}
	return fresh, nil
}

func (i *Inbox) store(ctx context.Context, push Push, heads, unreadable []Head) (chunks []Chunk, fresh int, err error) {
	callback := dbclock.NewID()
	batch := &pgx.Batch{}
	batch.Queue(insertCallback, callback, push.At, push.Path, push.Source, push.Body, http.StatusOK)
	if n := len(unreadable); n > 0 {
		names, faults, texts := make([]string, n), make([]string, n), make([][]byte, n)
		for j, head := range unreadable {
			names[j], faults[j], texts[j] = head.BarCode, strings.ToValidUTF8(head.Fault, "?"), []byte(head.Raw)
		}
		batch.Queue(insertUnreadable, names, faults, texts, callback, push.At)
	}
	i.queueResults(batch, heads, callback, push.At).Query(func(rows pgx.Rows) error {
		var size int
		chunk := Chunk{Rung: 1}
		_, err := pgx.ForEachRow(rows, []any{&chunk.ID, &size}, func() error {
			chunks = append(chunks, chunk)
			fresh += size
			return nil
		})
		return err
	})
	// Without an explicit BEGIN the pipeline is one transaction, in one round trip.
	err = i.db.Hot.SendBatch(ctx, batch).Close()
	return chunks, fresh, err
}

// keepRefused keeps the body of a push of which nothing is stored, with the status it was answered.
func (i *Inbox) keepRefused(ctx context.Context, push Push, status int) error {
	_, err := i.db.Pool.Exec(ctx, insertCallback, dbclock.NewID(), push.At, push.Path, push.Source, push.Body, status)
	return err
}

func (i *Inbox) queueResults(batch *pgx.Batch, heads []Head, callback uuid.UUID, at time.Time) *pgx.QueuedQuery {
	c := columnsOf(heads)
	return batch.Queue(insertResults, c.barCodes, c.decided, c.statuses, c.extStatuses, c.amounts, ChunkSize,
		callback, at, c.lost, i.guard.Count, i.currencies, i.sums)
}

// Words that a person overruled with an older one, said again: the newest of them holds again. Indexes:
// coupons_bookmaker_code, results_once.
const takeRepeated = `
	WITH again AS (
	    UPDATE results r SET state = 'pending', attention = NULL, reason = 'said again after a person overruled it'
	      FROM unnest($1::text[], $2::timestamptz[], $3::integer[], $4::integer[], $5::bigint[])
	           u (bar_code, decided_at, status, ext_status, amount_out)
	      JOIN coupons c ON c.bet_code = u.bar_code AND c.provider = '` + bet.Provider + `' AND c.overruled AND u.decided_at >= c.decided_at
	     WHERE r.bar_code = u.bar_code AND r.provider = c.provider AND r.decided_at = u.decided_at AND r.status = u.status AND r.ext_status = u.ext_status
	       AND r.amount_out IS NOT DISTINCT FROM u.amount_out
	       AND r.state IN ('applied', 'duplicate', 'stale') AND r.id <> c.result_id
	    RETURNING r.id
	), numbered AS (
	    SELECT id, (row_number() OVER (ORDER BY id) - 1) / $6::integer AS chunk FROM again
	)
	INSERT INTO result_chunks (result_ids, rung_at)
	SELECT array_agg(id ORDER BY id), now() FROM numbered GROUP BY chunk
	RETURNING id, rung`

func (i *Inbox) repeated(ctx context.Context, heads []Head) ([]Chunk, error) {
	c := columnsOf(heads)
	rows, err := i.db.Hot.Query(ctx, takeRepeated, c.barCodes, c.decided, c.statuses, c.extStatuses, c.amounts, ChunkSize)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[Chunk])
}

// headColumns are heads as arrays.
type headColumns struct {
	barCodes              []string
	decided               []time.Time
	statuses, extStatuses []int32
	amounts               []pgtype.Int8
	lost                  []string // the BarCodes of those that lost
}

func columnsOf(heads []Head) headColumns {
	n := len(heads)
	c := headColumns{
		barCodes: make([]string, n), decided: make([]time.Time, n), statuses: make([]int32, n), extStatuses: make([]int32, n),
		amounts: make([]pgtype.Int8, n), lost: make([]string, 0, n),
	}
	for j, head := range heads {
		c.barCodes[j], c.decided[j] = head.BarCode, head.DecidedAt
		c.statuses[j], c.extStatuses[j] = int32(head.Status), int32(head.ExtStatus)
		c.amounts[j] = pgtype.Int8{Int64: int64(head.AmountOut), Valid: head.HasAmount}
		if head.Status == statusLost {
			c.lost = append(c.lost, head.BarCode)
		}
	}
	return c
}

// Guard is the blast radius: what one push, or one hour, may take back from players before the
// reversals wait for a second pair of eyes.
//
// The zero value is the default: 1,000 payouts, 100,000.00 US dollars' worth in any one currency. Where
// the amount is said the count is too: zero lets nothing be taken back without a person.
type Guard struct {
	Count  int64
	Amount threshold.Sums
}

func (g Guard) orDefault() Guard {
	if g.Count <= 0 && !g.Amount.Said() {
		g.Count = 1000
	}
	g.Amount = g.Amount.Or(threshold.Dollars(100_000 * money.Scale))
	return g
}

// exceeds reports whether that much taken back is too much.
func (g Guard) exceeds(count int64, amount money.Amount, currency money.Currency) bool {
	return count > g.Count || g.Amount.Exceeded(amount, currency)
}
