package wallet

import (
	"context"

	"evens/ledger"
)

// Reserve takes a withdrawal out of the player's cash and holds it until the gateway says what
// became of it; ErrInsufficientFunds where it is not there. One that the gateway has called failed
// already comes back at once, and the balance's State says so.
func Reserve(ctx context.Context, poster *Poster, cash Cash) (Balance, error) {
	return request(ctx, poster, cash, ledger.Withdrawal, ledger.WithdrawalsHeld)
}

// heldWithdrawals are withdrawals out of the player's cash that wait for the gateway. Index:
// transactions_withdrawals, transactions_key.
const heldWithdrawals = `
	  FROM transactions x
	 WHERE x.kind = 'withdrawal' AND x.source = 'cashier'
	   AND EXISTS (SELECT FROM transfers t JOIN accounts a ON a.id = t.credit_account AND a.kind = 'withdrawals_held'
	                WHERE t.transaction_id = x.id)
	   AND NOT EXISTS (SELECT FROM transactions e
	                    WHERE e.source IN ('cashier:paid', 'cashier:returned', 'cashier:failed', 'cashier:unreserved')
	                      AND e.external_id = x.external_id)`

// WithdrawalChecks are the audit's rules about payments.
var WithdrawalChecks = []ledger.Check{
	{Name: "held withdrawals are those neither paid nor returned", SQL: `
	WITH held AS (
	    SELECT a.currency, coalesce(sum(CASE WHEN t.credit_account = a.id THEN t.amount ELSE -t.amount END), 0) AS total
	      FROM accounts a LEFT JOIN transfers t ON a.id IN (t.debit_account, t.credit_account)
	     WHERE a.kind = 'withdrawals_held' GROUP BY a.currency
	), open AS (
	    SELECT p.currency, sum(w.amount) AS total
	      FROM (SELECT x.player_id, -x.amount AS amount` + heldWithdrawals + `) w
	      JOIN accounts p ON p.player_id = w.player_id AND p.kind = 'cash'
	     GROUP BY p.currency
	)
	SELECT coalesce(h.currency, o.currency), format('held %s, open withdrawals %s', h.total, o.total)
	  FROM held h FULL JOIN open o USING (currency) WHERE coalesce(h.total, 0) <> coalesce(o.total, 0)`},
	{Name: "no more than its amount was held of a withdrawal, nor given away twice", SQL: `
	SELECT h.external_id, format('held %s, of %s taken', h.held, coalesce(h.taken, 0))
	  FROM (SELECT x.external_id, sum(CASE WHEN a.id = t.credit_account THEN t.amount ELSE -t.amount END) AS held,
	               max(-x.amount) FILTER (WHERE x.source = 'cashier') AS taken
	          FROM transactions x
	          JOIN transfers t ON t.transaction_id = x.id
	          JOIN accounts a ON a.id IN (t.debit_account, t.credit_account) AND a.kind = 'withdrawals_held'
	         WHERE x.source IN ('cashier', 'cashier:paid', 'cashier:returned', 'cashier:failed', 'cashier:unreserved')
	         GROUP BY x.external_id) h
	 WHERE h.held < 0 OR h.held > coalesce(h.taken, 0)`},
	{Name: "what was said of a payment's end is about a payment of that player, or moved nothing", SQL: `
	SELECT e.id::text, format('%s of %s moved %s, the payment is %s %s', e.kind, e.external_id, e.amount, x.kind, x.amount)
	  FROM transactions e LEFT JOIN transactions x ON x.source = 'cashier' AND x.external_id = e.external_id
	 WHERE e.source IN ('cashier:paid', 'cashier:returned', 'cashier:failed', 'cashier:unreserved')
	   AND EXISTS (SELECT FROM transfers t WHERE t.transaction_id = e.id)
	   AND (x.id IS NULL OR x.player_id <> e.player_id OR abs(e.amount) NOT IN (0, abs(x.amount)))`},
	{Name: "a payment has moved what its messages say together", SQL: `
	WITH told AS (
	    SELECT x.external_id, x.kind, x.amount AS asked, sum(coalesce(e.amount, 0)) AS ends,
	           coalesce(bool_or(e.source = 'cashier:paid'), false) AS paid, coalesce(bool_or(e.source = 'cashier:failed'), false) AS failed,
	           coalesce(bool_or(e.source = 'cashier:returned'), false) AS returned
	      FROM transactions x
	      LEFT JOIN transactions e ON e.external_id = x.external_id
	       AND e.source IN ('cashier:paid', 'cashier:returned', 'cashier:failed', 'cashier:unreserved')
	     WHERE x.source = 'cashier' AND x.kind IN ('deposit', 'withdrawal')
	     GROUP BY x.external_id, x.kind, x.amount
	)
	SELECT external_id, format('%s of %s, with its ends %s; paid %s, failed %s, returned %s', kind, asked, asked + ends, paid, failed, returned)
	  FROM told
	 WHERE asked + ends <> CASE WHEN returned OR failed AND kind = 'withdrawal' AND NOT paid THEN 0 ELSE asked END`},
	{Name: "the suspense account has what its open rows say", SQL: `
	WITH booked AS (
	    SELECT a.currency, coalesce(sum(CASE WHEN t.credit_account = a.id THEN t.amount ELSE -t.amount END), 0) AS total
	      FROM accounts a LEFT JOIN transfers t ON a.id IN (t.debit_account, t.credit_account)
	     WHERE a.kind = 'suspense' GROUP BY a.currency
	), open AS (SELECT currency, sum(booked) AS total FROM suspense WHERE ended_at IS NULL GROUP BY currency)
	SELECT coalesce(b.currency, o.currency), format('suspense %s, open rows %s', b.total, o.total)
	  FROM booked b FULL JOIN open o USING (currency) WHERE coalesce(b.total, 0) <> coalesce(o.total, 0)`},
	{Name: "every row of the suspense account has its transaction", SQL: `
	SELECT s.id::text, format('%s %s: booked %s', s.transaction_id, s.event, s.booked)
	  FROM suspense s LEFT JOIN transactions x ON x.source = 'cashier:suspense' AND x.external_id = s.id::text
	 WHERE (s.booked <> 0) <> (x.id IS NOT NULL)
	 UNION ALL
	SELECT x.external_id, 'no row' FROM transactions x
	 WHERE x.source = 'cashier:suspense' AND NOT EXISTS (SELECT FROM suspense s WHERE s.id::text = x.external_id)`},
	{Name: "what has left the suspense account went where its row says", SQL: `
	SELECT s.id::text, format('%s %s of %s, ended at %s by %s, to %s', s.transaction_id, s.event, s.booked, s.ended_at, s.ended_by, coalesce(s.player_id::text, 'nobody'))
	  FROM suspense s
	 WHERE s.ended_at IS NULL AND (s.ended_by <> '' OR s.player_id IS NOT NULL)
	    OR s.ended_at IS NOT NULL AND s.booked <> 0
	       AND CASE WHEN s.player_id IS NULL
	           THEN NOT EXISTS (SELECT FROM transactions x
	                             WHERE x.source = 'cashier:suspense_end' AND x.external_id = s.id::text AND x.operator = s.ended_by AND x.comment = s.comment)
	           ELSE NOT EXISTS (SELECT FROM transactions x JOIN transfers t ON t.transaction_id = x.id
	                              JOIN accounts a ON a.kind = 'suspense' AND a.id = CASE WHEN s.booked > 0 THEN t.debit_account ELSE t.credit_account END
	                             WHERE x.source IN ('cashier', 'cashier:paid', 'cashier:returned', 'cashier:failed', 'cashier:unreserved')
	                               AND x.external_id = s.transaction_id AND x.player_id = s.player_id AND t.amount = abs(s.booked)) END`},
	{Name: "a gateway's contradiction is shown to somebody", SQL: `
	SELECT x.external_id, format('%s: called failed, and %s', x.kind, CASE x.kind WHEN 'deposit' THEN 'succeeded' ELSE 'paid' END)
	  FROM transactions f
	  JOIN transactions x ON x.source = 'cashier' AND x.external_id = f.external_id
	 WHERE f.source = 'cashier:failed'
	   AND (x.kind = 'deposit' OR EXISTS (SELECT FROM transactions p WHERE p.source = 'cashier:paid' AND p.external_id = f.external_id))
	   AND NOT EXISTS (SELECT FROM suspense s WHERE s.transaction_id = f.external_id AND s.reason = 'contradiction')`},
}
