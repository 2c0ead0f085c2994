package settlement

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"evens/coupon"
	"evens/ledger"
	"evens/money"
)

// settled are the statuses of a coupon that a result was applied to.
var settled = coupon.Statuses(func(s coupon.State) bool { return s.Settled })

// auditChecks are the rules that tie coupons, results and settlements to the ledger.
var auditChecks = []ledger.Check{
	{Name: "held stakes are those of coupons without an end", SQL: `
	WITH held AS (
	    SELECT a.currency, coalesce(sum(CASE WHEN t.credit_account = a.id THEN t.amount ELSE -t.amount END), 0) AS total
	      FROM accounts a LEFT JOIN transfers t ON a.id IN (t.debit_account, t.credit_account)
	     WHERE a.kind = 'stakes_held' GROUP BY a.currency
	), open AS (
	    SELECT currency, sum(stake) AS total FROM coupons
	     WHERE status IN (` + coupon.Statuses(func(s coupon.State) bool { return s.Held }) + `) GROUP BY currency
	)
	SELECT coalesce(h.currency, o.currency), format('held %s, open stakes %s', h.total, o.total)
	  FROM held h FULL JOIN open o USING (currency) WHERE coalesce(h.total, 0) <> coalesce(o.total, 0)`},
	{Name: "every coupon's stake was taken, and returned if and only if it was rejected", SQL: `
	SELECT c.id::text, format('%s: stake %s, taken and returned %s', c.status, c.stake, coalesce(t.total, 0))
	  FROM coupons c LEFT JOIN (SELECT coupon_id, sum(amount) AS total FROM transactions WHERE source = 'coupon' GROUP BY coupon_id) t
	    ON t.coupon_id = c.id
	 WHERE coalesce(t.total, 0) <> CASE c.status WHEN 'rejected' THEN 0 ELSE -c.stake END`},
	{Name: "every coupon has paid what it says", SQL: `
	SELECT c.id::text, format('%s: payout %s, paid %s', c.status, c.payout, coalesce(t.total, 0))
	  FROM coupons c LEFT JOIN (SELECT coupon_id, sum(amount) AS total FROM transactions WHERE source = 'settlement' GROUP BY coupon_id) t
	    ON t.coupon_id = c.id
	 WHERE c.payout <> coalesce(t.total, 0)`},
	{Name: "no transaction is about a coupon that is not there", SQL: `
	SELECT t.id::text, t.kind FROM transactions t LEFT JOIN coupons c ON c.id = t.coupon_id
	 WHERE t.coupon_id IS NOT NULL AND (c.id IS NULL OR c.player_id <> t.player_id)`},
	{Name: "a coupon's movements are with the bookmaker that has it", SQL: `
	SELECT t.id::text, format('%s with %s, the coupon is with %s', t.kind, coalesce(t.provider, 'nobody'), c.provider)
	  FROM transactions t JOIN coupons c ON c.id = t.coupon_id
	 WHERE t.source IN ('coupon', 'settlement') AND t.provider IS DISTINCT FROM c.provider`},
	{Name: "settlements follow from each other without a gap", SQL: `
	WITH chain AS (
	    SELECT coupon_id, n, payout_before, row_number() OVER w AS position, lag(payout_after, 1, 0::bigint) OVER w AS before
	      FROM settlements WINDOW w AS (PARTITION BY coupon_id ORDER BY n)
	)
	SELECT coupon_id::text, format('settlement %s at place %s: before %s, earlier %s', n, position, payout_before, before)
	  FROM chain WHERE n <> position OR payout_before <> before`},
	{Name: "every coupon stands where its last settlement left it", SQL: `
	WITH counted AS (SELECT coupon_id, max(n) AS n FROM settlements GROUP BY coupon_id)
	SELECT c.id::text, format('%s, payout %s, %s settlements; last: %s, %s, number %s', c.status, c.payout, c.settlement_count,
	       s.outcome, s.payout_after, s.n)
	  FROM coupons c LEFT JOIN counted k ON k.coupon_id = c.id LEFT JOIN settlements s ON s.coupon_id = k.coupon_id AND s.n = k.n
	 WHERE c.settlement_count <> coalesce(s.n, 0)
	    OR s.n IS NOT NULL AND (c.status <> s.outcome OR c.payout <> s.payout_after)
	    OR s.n IS NULL AND (c.payout <> 0 OR c.status IN (` + settled + `))`},
	{Name: "a settlement's transaction moved what the settlement says", SQL: `
	SELECT s.coupon_id::text, format('settlement %s: %s to %s, moved %s', s.n, s.payout_before, s.payout_after, t.amount)
	  FROM settlements s LEFT JOIN transactions t ON t.id = s.transaction_id
	 WHERE coalesce(t.amount, 0) <> s.payout_after - s.payout_before OR s.transaction_id IS NOT NULL AND t.id IS NULL`},
	{Name: "the result that holds is the coupon's own, and applied", SQL: `
	SELECT c.id::text, format('result %s is %s, of BarCode %s', c.result_id, r.state, r.bar_code)
	  FROM coupons c LEFT JOIN results r ON r.id = c.result_id
	 WHERE c.result_id IS NOT NULL AND (r.id IS NULL OR r.bar_code <> c.bet_code OR r.provider <> c.provider OR r.state NOT IN ('applied', 'duplicate'))`},
	{Name: "every applied result has its settlement", SQL: `
	SELECT r.id::text, format('BarCode %s', r.bar_code)
	  FROM results r LEFT JOIN settlements s ON s.result_id = r.id WHERE r.state = 'applied' AND s.coupon_id IS NULL`},
	{Name: "a coupon counts as staked what its last word says", SQL: `
	SELECT c.id::text, format('%s: stake %s, counts %s, its transactions count %s', c.status, c.stake, c.counted, t.staked)
	  FROM coupons c
	  JOIN (SELECT coupon_id, sum(coalesce(staked, 0)) AS staked, bool_or(kind = 'stake' AND effective_at IS NOT NULL) AS counts
	          FROM transactions WHERE coupon_id IS NOT NULL GROUP BY coupon_id) t ON t.coupon_id = c.id AND t.counts
	 WHERE c.counted IS DISTINCT FROM t.staked AND c.counted IS NOT NULL
	    OR t.staked <> CASE WHEN c.status IN (` + coupon.Statuses(func(s coupon.State) bool { return s.Returned }) + `) THEN 0 ELSE c.stake END
	       AND (c.counted IS NOT NULL OR c.settlement_count = 0)`},
	{Name: "the time of decision that a coupon holds is that of a result of its own", SQL: `
	SELECT c.id::text, format('holds result %s as of %s', c.result_id, c.decided_at)
	  FROM coupons c
	 WHERE (c.decided_at IS NULL) <> (c.result_id IS NULL)
	    OR c.decided_at IS NOT NULL
	       AND NOT EXISTS (SELECT FROM results r WHERE r.bar_code = c.bet_code AND r.provider = c.provider AND r.decided_at = c.decided_at AND r.id = c.result_id)
	       AND NOT EXISTS (SELECT FROM results r JOIN settlements s ON s.coupon_id = c.id AND s.operator IS NOT NULL
	                        WHERE r.bar_code = c.bet_code AND r.provider = c.provider
	                          AND (r.decided_at = c.decided_at OR r.id = c.result_id AND r.received_at = c.decided_at))`},
	{Name: "a cancelled coupon was cancelled by a person, and its stake went back", SQL: `
	SELECT c.id::text, format('%s, stake %s, payout %s; last settlement by %s: %s', c.status, c.stake, c.payout, s.operator, s.outcome)
	  FROM coupons c LEFT JOIN settlements s ON s.coupon_id = c.id AND s.n = c.settlement_count
	 WHERE c.status = 'cancelled' AND (s.outcome IS DISTINCT FROM 'cancelled' OR s.operator IS NULL OR s.comment IS NULL OR c.payout <> c.stake)
	    OR s.outcome = 'cancelled' AND c.status <> 'cancelled'`},
	{Name: "a Head that cannot be read waits with its text, or a person has ended it", SQL: `
	SELECT r.id::text, format('%s %s, %s', r.state, r.attention, r.bar_code)
	  FROM results r
	 WHERE r.raw IS NOT NULL AND NOT (r.state = 'parked' AND r.attention = 'unreadable' OR r.state IN ('applied', 'refused', 'stale', 'duplicate', 'pending') AND r.attention IS NULL)
	    OR r.raw IS NULL AND r.attention = 'unreadable'
	    OR r.raw IS NULL AND r.bar_code LIKE 'unreadable %'`},
	{Name: "an older word holds where a person had it hold, and nowhere else", SQL: `
	SELECT c.id::text, format('overruled: %s; holds result %s of %s as of %s, last settlement by %s', c.overruled, c.result_id, r.decided_at, c.decided_at,
	                          coalesce(s.operator, 'no person'))
	  FROM coupons c
	  LEFT JOIN results r ON r.id = c.result_id
	  LEFT JOIN settlements s ON s.coupon_id = c.id AND s.n = c.settlement_count
	 WHERE c.overruled AND s.operator IS NULL OR NOT c.overruled AND r.decided_at < c.decided_at`},
}

// AuditChecks are the rules about coupons, results and settlements that are one query each.
func AuditChecks() []ledger.Check { return slices.Concat(auditChecks, stateChecks) }

const (
	countCoupons = `SELECT 'coupons ' || status, count(*) FROM coupons GROUP BY status ORDER BY status`
	countResults = `SELECT 'results ' || state, count(*) FROM results GROUP BY state ORDER BY state`
	countChunks  = `SELECT 'chunks not applied yet', count(*) FROM result_chunks WHERE done_at IS NULL`
)

// AuditFigures adds what there is of coupons, results and chunks to a report.
func AuditFigures(ctx context.Context, tx pgx.Tx, report *ledger.Report) error {
	for _, query := range []string{countCoupons, countResults, countChunks} {
		rows, err := tx.Query(ctx, query)
		if err != nil {
			return fmt.Errorf("audit figures: %w", err)
		}
		var name string
		var n int64
		_, err = pgx.ForEachRow(rows, []any{&name, &n}, func() error {
			report.Figure(name, fmt.Sprint(n))
			return nil
		})
		if err != nil {
			return fmt.Errorf("audit figures: %w", err)
		}
	}
	return nil
}

// Coupons whose last settlement was an operator's word are as that operator wanted them.
const readHolding = `
	SELECT c.id, c.status, c.payout, c.stake, c.sent_amount, c.nominal, c.coef, c.possible_win, c.currency,
	       coalesce(c.sent_currency, c.currency), r.status, r.ext_status, r.amount_out, s.unit IS NULL
	  FROM coupons c
	  JOIN results r ON r.id = c.result_id
	  JOIN settlements s ON s.coupon_id = c.id AND s.n = c.settlement_count
	 WHERE s.operator IS NULL`

// AuditTargets asks the target rule again for every settled coupon, one row at a time.
func AuditTargets(ctx context.Context, tx pgx.Tx, report *ledger.Report) error {
	result := ledger.CheckResult{Name: "every payout is what the target rule makes of the result that holds"}
	rows, err := tx.Query(ctx, readHolding)
	if err != nil {
		return fmt.Errorf("audit targets: %w", err)
	}
	var id uuid.UUID
	var status string
	var payout money.Amount
	var terms Terms
	var word Word
	var amount pgtype.Int8
	var former bool // settled by a release that did not write the unit down
	targets := []any{&id, &status, &payout, &terms.Stake, &terms.Sent, &terms.Nominal, &terms.Coef, &terms.PossibleWin,
		&terms.Currency, &terms.SentCurrency, &word.Status, &word.ExtStatus, &amount, &former}
	_, err = pgx.ForEachRow(rows, targets, func() error {
		word.AmountOut, word.HasAmount = money.Amount(amount.Int64), amount.Valid
		terms.former = 0
		if former {
			terms.former = terms.Currency.FormerMinorUnit()
		}
		verdict, err := Target(terms, word)
		if _, parked := errors.AsType[*ParkedError](err); err != nil && !parked {
			return err
		}
		if err != nil || string(verdict.Outcome) != status || verdict.Payout != payout {
			result.Found(ledger.Violation{
				Subject: id.String(),
				Detail:  fmt.Sprintf("%s %s, the rule says %s %s (%v)", status, payout, verdict.Outcome, verdict.Payout, err),
			})
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("audit targets: %w", err)
	}
	report.Conclude(result)
	return nil
}
