package settlement

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

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
	VALUES ($1, $2, 'bet', $3, $4, $5, 200)`

// One row a Head, unless it is there already; the new ones are cut into chunks in the same
// statement. A push that would take back too much marks its chunks: their reversals wait for a
// person ($10 payouts, or $12 in the currencies $11; in any other, whatever it is). Indexes: results_once, coupons_bet_code.
const insertResults = `
	WITH taken_back AS (
	    SELECT coalesce(bool_or(n > $10 OR total > coalesce(allowed.sum, 0)), false) AS too_much
	      FROM (SELECT currency, count(*) AS n, sum(payout) AS total
	              FROM coupons WHERE bet_code = ANY ($9) AND payout > 0
	             GROUP BY currency) t
	      LEFT JOIN unnest($11::text[], $12::bigint[]) allowed (currency, sum) USING (currency)
	), fresh AS (
	    INSERT INTO results (bar_code, decided_at, status, ext_status, amount_out, callback_id, received_at)
	    SELECT bar_code, decided_at, status, ext_status, amount_out, $7, $8
	      FROM unnest($1::text[], $2::timestamptz[], $3::integer[], $4::integer[], $5::bigint[])
	           WITH ORDINALITY u (bar_code, decided_at, status, ext_status, amount_out, position)
	     ORDER BY position
	        ON CONFLICT ON CONSTRAINT results_once DO NOTHING
	    RETURNING id
	), numbered AS (
	    SELECT id, (row_number() OVER (ORDER BY id) - 1) / $6::integer AS chunk FROM fresh
	)
	INSERT INTO result_chunks (result_ids, guarded, rung_at)
	SELECT array_agg(id ORDER BY id), (SELECT too_much FROM taken_back), $8
	  FROM numbered GROUP BY chunk
	RETURNING id, cardinality(result_ids)`

// Store keeps a push durably, and answers how many of its Heads were new. Heads known already
// (the same BarCode, Status, ExtStatus, AmountOut and DateRecive) are left out.
func (i *Inbox) Store(ctx context.Context, push Push) (fresh int, err error) {
	heads := slices.Clone(push.Heads)
	slices.SortStableFunc(heads, byDecision)
	for range deadlockRetries {
		var chunks []Chunk
		if chunks, fresh, err = i.store(ctx, push, heads); err == nil {
			if len(chunks) > 0 {
				i.bell.Ring(chunks)
			}
			return fresh, nil
		}
		if !postgres.Retriable(err) {
			break
		}
	}
	return 0, fmt.Errorf("store %d results: %w", len(heads), err)
}

func (i *Inbox) store(ctx context.Context, push Push, heads []Head) (chunks []Chunk, fresh int, err error) {
	callback := uuid.Must(uuid.NewV7())
	batch := &pgx.Batch{}
	batch.Queue(insertCallback, callback, push.At, push.Path, push.Source, push.Body)
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

func (i *Inbox) queueResults(batch *pgx.Batch, heads []Head, callback uuid.UUID, at time.Time) *pgx.QueuedQuery {
	n := len(heads)
	barCodes, decided := make([]string, n), make([]time.Time, n)
	statuses, extStatuses := make([]int32, n), make([]int32, n)
	amounts := make([]pgtype.Int8, n)
	lost := make([]string, 0, n)
	for j, head := range heads {
		barCodes[j], decided[j] = head.BarCode, head.DecidedAt
		statuses[j], extStatuses[j] = int32(head.Status), int32(head.ExtStatus)
		amounts[j] = pgtype.Int8{Int64: int64(head.AmountOut), Valid: head.HasAmount}
		if head.Status == statusLost {
			lost = append(lost, head.BarCode)
		}
	}
	return batch.Queue(insertResults, barCodes, decided, statuses, extStatuses, amounts, ChunkSize,
		callback, at, lost, i.guard.Count, i.currencies, i.sums)
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
