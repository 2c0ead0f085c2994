package settlement

import (
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"evens/coupon"
	"evens/internal/postgres"
)

// writtenRows gathers what a run writes beside the ledger.
type writtenRows struct {
	now        time.Time
	unknown    []int64 // results whose BarCode no coupon has
	ended      []ended
	settled    []settledRow
	parked     int
	statements []func(*pgx.Batch)
}

type ended struct {
	id        int64
	state     State
	reason    string
	attention string
}

// settledRow is a coupon that changed; transaction is null where no money moved, repeated tells
// that the result only confirmed what held.
type settledRow struct {
	*settling
	transaction uuid.NullUUID
	repeated    bool
	overruled   bool // the result is older than the word that held
	operator    string
	comment     string
}

func (w *writtenRows) end(r *result, state State, reason, attention string) {
	w.ended = append(w.ended, ended{id: r.id, state: state, reason: reason, attention: attention})
	if state == Parked {
		w.parked++
	}
}

func (w *writtenRows) settle(s *settling, transaction uuid.NullUUID) {
	w.end(s.result, Applied, "", "")
	w.settled = append(w.settled, settledRow{settling: s, transaction: transaction})
}

// repeat keeps a later result that says the same as the one that holds: it counts as the last
// word from now on, and moves nothing.
func (w *writtenRows) repeat(r *result) {
	w.end(r, Duplicate, "says what holds already", "")
	w.settled = append(w.settled, settledRow{settling: &settling{
		result: r, verdict: Verdict{Outcome: Outcome(r.coupon.status), Payout: r.coupon.payout},
	}, repeated: true})
}

// The state is asked for again: a result is ended once, whoever races.
const updateResults = `
	UPDATE results r
	   SET state = u.state, reason = u.reason, attention = u.attention
	  FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[]) u (id, state, reason, attention)
	 WHERE r.id = u.id AND r.state = 'pending'`

const markUnknown = `
	UPDATE results
	   SET attention = '` + attentionUnknown + `', reason = 'no coupon has this BarCode'
	 WHERE id = ANY ($1) AND state = 'pending' AND attention IS NULL`

const updateCoupons = `
	UPDATE coupons c
	   SET status = u.status, payout = u.payout, settlement_count = u.count,
	       settled_at = coalesce(u.at, c.settled_at),
	       decided_at = u.decided_at, result_id = u.result_id, contributed = u.contributed, counted = u.counted, overruled = u.overruled
	  FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::integer[], $5::timestamptz[], $6::bigint[], $7::timestamptz[], $8::bigint[],
	              $9::bigint[], $10::boolean[])
	       u (id, status, payout, count, decided_at, result_id, at, contributed, counted, overruled)
	 WHERE c.id = u.id`

const insertSettlements = `
	INSERT INTO settlements (coupon_id, n, result_id, outcome, payout_before, payout_after, transaction_id, operator, comment, at, unit)
	SELECT coupon_id, n, result_id, outcome, payout_before, payout_after, transaction_id, operator, comment, $10, unit
	  FROM unnest($1::uuid[], $2::integer[], $3::bigint[], $4::text[], $5::bigint[], $6::bigint[], $7::uuid[], $8::text[], $9::text[],
	              $11::bigint[])
	       u (coupon_id, n, result_id, outcome, payout_before, payout_after, transaction_id, operator, comment, unit)`

// Queue implements wallet.RowSet.
func (w *writtenRows) Queue(batch *pgx.Batch) {
	w.queueCoupons(batch)
	w.queueSettlements(batch)
	w.queueResults(batch)
	if len(w.unknown) > 0 {
		batch.Queue(markUnknown, w.unknown)
	}
	for _, queue := range w.statements {
		queue(batch)
	}
}

func (w *writtenRows) queueCoupons(batch *pgx.Batch) {
	n := len(w.settled)
	if n == 0 {
		return
	}
	ids, statuses, payouts := make([]pgtype.UUID, n), make([]string, n), make([]int64, n)
	counts, decided, results := make([]int32, n), make([]time.Time, n), make([]int64, n)
	at, contributed := make([]*time.Time, n), make([]int64, n)
	counted, overruled := make([]int64, n), make([]bool, n)
	for i, s := range w.settled {
		c := s.result.coupon
		ids[i], statuses[i], payouts[i] = postgres.UUID(c.id), string(s.verdict.Outcome), int64(s.verdict.Payout)
		counts[i] = int32(c.settled)
		if !s.repeated {
			counts[i], at[i] = int32(c.settled+1), &w.now
		}
		decided[i], results[i], contributed[i] = s.result.decidedAt, s.result.id, int64(c.contributed)
		counted[i], overruled[i] = int64(c.counted), s.overruled
	}
	postgres.QueueExactly(batch, n, "coupons", updateCoupons, ids, statuses, payouts, counts, decided, results, at, contributed,
		counted, overruled)
}

func (w *writtenRows) queueSettlements(batch *pgx.Batch) {
	n := len(w.settled)
	coupons, numbers, results := make([]pgtype.UUID, 0, n), make([]int32, 0, n), make([]int64, 0, n)
	outcomes, before, after := make([]string, 0, n), make([]int64, 0, n), make([]int64, 0, n)
	transactions := make([]pgtype.UUID, 0, n)
	operators, comments := make([]*string, 0, n), make([]*string, 0, n)
	units := make([]int64, 0, n)
	for _, s := range w.settled {
		if s.repeated {
			continue
		}
		c := s.result.coupon
		coupons, numbers = append(coupons, postgres.UUID(c.id)), append(numbers, int32(c.settled+1))
		results, outcomes = append(results, s.result.id), append(outcomes, string(s.verdict.Outcome))
		before, after = append(before, int64(c.payout)), append(after, int64(s.verdict.Payout))
		transactions = append(transactions, postgres.NullUUID(s.transaction))
		operators, comments = append(operators, orNull(s.operator)), append(comments, orNull(s.comment))
		units = append(units, int64(c.terms.Currency.MinorUnit()))
	}
	if len(coupons) > 0 {
		batch.Queue(insertSettlements, coupons, numbers, results, outcomes, before, after, transactions, operators, comments, w.now, units)
	}
}

func (w *writtenRows) queueResults(batch *pgx.Batch) {
	n := len(w.ended)
	if n == 0 {
		return
	}
	ids, states := make([]int64, n), make([]string, n)
	reasons, attentions := make([]*string, n), make([]*string, n)
	for i, e := range w.ended {
		ids[i], states[i], reasons[i], attentions[i] = e.id, string(e.state), orNull(e.reason), orNull(e.attention)
	}
	// A result can be in two chunks: where another worker has ended it first, nothing is written, and a
	// second look finds it ended.
	postgres.QueueExactly(batch, n, "results", updateResults, ids, states, reasons, attentions)
}

func orNull(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

// report tells the observer what became of the results and which coupons changed.
func (w *writtenRows) report(observe Observer) {
	counts := make(map[string]int)
	for _, e := range w.ended {
		if e.state != Applied {
			counts[string(e.state)]++
		}
	}
	for _, s := range w.settled {
		if s.repeated {
			continue
		}
		counts[string(s.verdict.Outcome)]++
		if observe.Changed != nil {
			observe.Changed(s.result.coupon.id, s.result.coupon.player)
		}
	}
	counts[string(coupon.Status(attentionUnknown))] += len(w.unknown)
	if observe.Settled != nil {
		for what, n := range counts {
			observe.Settled(what, n)
		}
	}
}
