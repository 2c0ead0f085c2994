package settlement

import "evens/ledger"

// stateChecks are the rules about the states of coupons and results, and about what waits.
var stateChecks = []ledger.Check{
	{Name: "every coupon was placed as it was staked, in its player's currency", SQL: `
	SELECT c.id::text, format('stake %s %s, sent %s, possible win %s, placed at %s', c.stake, c.currency, c.sent_amount, c.possible_win, c.placed_at)
	  FROM coupons c
	  LEFT JOIN players p ON p.id = c.player_id
	  LEFT JOIN transactions s ON s.source = 'coupon' AND s.external_id = c.id || ':stake'
	 WHERE p.currency IS DISTINCT FROM c.currency OR s.at IS DISTINCT FROM c.placed_at OR s.amount <> -c.stake
	    OR NOT c.nominal AND (c.sent_amount <> c.stake OR c.sent_currency <> c.currency)
	    OR abs(c.possible_win - c.stake::numeric * c.coef / 1000000) > 10000
	    OR c.open_since IS NOT NULL AND c.open_since <> c.placed_at
	    OR c.bonus_stake < 0 OR c.bonus_stake > c.stake
	    OR s.bonus_id IS DISTINCT FROM c.bonus_id
	    OR c.bonus_id IS NULL AND (c.bonus_stake <> 0 OR c.contribution <> 0 OR c.contributed <> 0)
	    OR c.contribution < 0 OR c.contribution > c.stake OR c.contributed NOT IN (0, c.contribution)`},
	{Name: "a coupon that the bookmaker has, has the selections that were asked for", SQL: `
	SELECT c.id::text, format('%s: %s pointers, %s selections', c.status, cardinality(c.pointers), coalesce(s.n, 0))
	  FROM coupons c
	  LEFT JOIN (SELECT s.coupon_id, count(*) AS n, array_agg(s.pointer ORDER BY s.position) AS pointers, min(s.position) AS first, max(s.position) AS last
	               FROM selections s GROUP BY s.coupon_id) s ON s.coupon_id = c.id
	 WHERE c.bet_code IS NOT NULL AND c.status <> 'cancelled'
	       AND (s.n IS DISTINCT FROM cardinality(c.pointers) OR s.pointers IS DISTINCT FROM c.pointers OR s.first <> 0 OR s.last <> s.n - 1)
	UNION ALL
	SELECT s.coupon_id::text, format('selection %s of no coupon', s.position) FROM selections s
	 WHERE NOT EXISTS (SELECT FROM coupons c WHERE c.id = s.coupon_id)`},
	{Name: "a coupon is settled when its last settlement was, by a result that it names", SQL: `
	SELECT c.id::text, format('%s at %s, settlement at %s; decided at %s by result %s', c.status, c.settled_at, s.at, c.decided_at, c.result_id)
	  FROM coupons c LEFT JOIN settlements s ON s.coupon_id = c.id AND s.n = c.settlement_count
	 WHERE c.settled_at IS DISTINCT FROM s.at
	    OR CASE num_nonnulls(c.decided_at, c.result_id) WHEN 2 THEN c.status NOT IN (` + settled + `, 'cancelled')
	                                                    WHEN 0 THEN c.status IN (` + settled + `) ELSE true END`},
	{Name: "a settlement is of a coupon that is there, by a result on its own BarCode", SQL: `
	SELECT s.coupon_id::text, format('settlement %s by result %s of BarCode %s', s.n, s.result_id, r.bar_code)
	  FROM settlements s
	  LEFT JOIN coupons c ON c.id = s.coupon_id
	  LEFT JOIN results r ON r.id = s.result_id
	 WHERE c.id IS NULL OR (s.result_id IS NULL) <> (s.outcome = 'cancelled')
	    OR s.result_id IS NOT NULL AND (r.bar_code, r.provider) IS DISTINCT FROM (c.bet_code, c.provider)
	    OR r.state NOT IN ('applied', 'duplicate') -- what a person overruled may be said again, and waits then
	       AND NOT EXISTS (SELECT FROM settlements o WHERE o.coupon_id = s.coupon_id AND o.n > s.n AND o.operator IS NOT NULL)`},
	{Name: "a settlement's outcome fits what it pays, and its transaction is its own", SQL: `
	SELECT s.coupon_id::text, format('settlement %s: %s, pays %s of a stake of %s', s.n, s.outcome, s.payout_after, c.stake)
	  FROM settlements s JOIN coupons c ON c.id = s.coupon_id
	 WHERE (s.outcome = 'lost') <> (s.payout_after = 0)
	    OR s.payout_after <> c.stake AND (s.outcome = 'cancelled' OR s.outcome = 'refunded' AND s.unit IS NOT NULL)
	    OR s.outcome = 'won' AND s.operator IS NULL AND s.payout_after % s.unit <> 0
	UNION ALL
	SELECT s.coupon_id::text, format('settlement %s by transaction %s %s', s.n, t.source, t.external_id)
	  FROM settlements s JOIN transactions t ON t.id = s.transaction_id
	 WHERE t.source <> 'settlement' OR t.external_id <> s.coupon_id || ':' || s.n OR t.at <> s.at
	    OR t.operator IS DISTINCT FROM s.operator OR t.comment IS DISTINCT FROM s.comment
	UNION ALL
	SELECT t.id::text, format('%s %s of no settlement', t.kind, t.external_id)
	  FROM transactions t
	 WHERE t.source = 'settlement' AND NOT EXISTS (SELECT FROM settlements s WHERE s.transaction_id = t.id)`},
	{Name: "no earlier word holds against a later one", SQL: `
	SELECT c.id::text, format('result %s holds, of %s; result %s, %s, was decided at %s', c.result_id, c.decided_at, r.id, r.state, r.decided_at)
	  FROM results r JOIN coupons c ON c.bet_code = r.bar_code AND c.provider = r.provider
	 WHERE r.state IN ('applied', 'duplicate', 'stale') AND (c.decided_at IS NULL OR r.decided_at > c.decided_at)
	       -- One dated ahead of our clock that a person applied counts as decided when it came.
	   AND NOT (r.decided_at > r.received_at AND r.received_at <= c.decided_at
	            AND EXISTS (SELECT FROM settlements s WHERE s.coupon_id = c.id AND s.result_id = r.id AND s.operator IS NOT NULL))`},
	{Name: "a result's state, attention and coupon go together", SQL: `
	SELECT r.id::text, format('%s, attention %s, BarCode %s', r.state, r.attention, r.bar_code)
	  FROM results r
	 WHERE r.state = 'parked' AND (coalesce(r.attention, 'unknown_bar_code') = 'unknown_bar_code' OR r.reason IS NULL)
	    OR r.state = 'pending' AND coalesce(r.attention, 'unknown_bar_code') <> 'unknown_bar_code'
	    OR r.state NOT IN ('parked', 'pending') AND r.attention IS NOT NULL
	    OR r.state IN ('applied', 'duplicate', 'stale') AND NOT EXISTS (SELECT FROM coupons c WHERE c.bet_code = r.bar_code AND c.provider = r.provider)
	    OR r.state = 'duplicate' AND NOT EXISTS (SELECT FROM results o WHERE o.bar_code = r.bar_code AND o.provider = r.provider AND o.state = 'applied')`},
	{Name: "every pending result is in a chunk that is still to be applied, or waits for its coupon", SQL: `
	WITH open AS (SELECT unnest(result_ids) AS id FROM result_chunks WHERE done_at IS NULL)
	SELECT r.id::text, format('BarCode %s, received at %s', r.bar_code, r.received_at)
	  FROM results r
	 WHERE r.state = 'pending' AND r.attention IS NULL AND NOT EXISTS (SELECT FROM open o WHERE o.id = r.id)
	UNION ALL
	SELECT 'chunk ' || c.id, format('result %s is not there', i.id)
	  FROM result_chunks c, unnest(c.result_ids) i (id)
	 WHERE NOT EXISTS (SELECT FROM results r WHERE r.id = i.id)`},
	{Name: "no result waits for days without a person's attention", SQL: `
	SELECT r.id::text, format('BarCode %s, received at %s', r.bar_code, r.received_at)
	  FROM results r
	 WHERE r.state = 'pending' AND r.received_at < ` + ledger.Now + ` - interval '2 days'
	   AND (r.attention IS NULL OR EXISTS (SELECT FROM coupons c WHERE c.bet_code = r.bar_code AND c.provider = r.provider))`},
	{Name: "no placement is under way for days", SQL: `
	SELECT id::text, format('placing since %s', open_since) FROM coupons
	 WHERE status = 'placing' AND open_since < ` + ledger.Now + ` - interval '2 days'`},
	{Name: "what a person decided about a result or a coupon is in the activity log", SQL: `
	SELECT s.coupon_id::text, format('settlement %s by %s', s.n, s.operator)
	  FROM settlements s
	 WHERE s.operator IS NOT NULL
	   AND NOT EXISTS (SELECT FROM activity_log l WHERE l.operator = s.operator AND l.comment = s.comment
	                      AND (l.event = 'result_applied' AND l.detail ->> 'result' = s.result_id::text
	                           AND coalesce((l.detail ->> 'payout')::numeric * 10000, s.payout_after) = s.payout_after
	                        OR l.event = 'coupon_cancelled' AND s.outcome = 'cancelled' AND l.coupon_id = s.coupon_id))
	UNION ALL
	SELECT r.id::text, 'refused by nobody'
	  FROM results r
	 WHERE r.state = 'refused' AND NOT EXISTS (SELECT FROM activity_log l WHERE l.event = 'result_refused' AND l.detail ->> 'result' = r.id::text)`},
	{Name: "an hour's reversals are those that its settlements took back", SQL: `
	SELECT coalesce(h.hour, s.hour)::text || ' ' || coalesce(h.currency, s.currency),
	       format('counted %s of %s, taken back %s of %s', h.count, h.amount, s.count, s.amount)
	  FROM reversal_hours h
	  FULL JOIN (SELECT date_bin('1 hour', s.at, 'epoch') AS hour, c.currency, count(*) AS count, sum(s.payout_before - s.payout_after) AS amount
	               FROM settlements s JOIN coupons c ON c.id = s.coupon_id
	              WHERE s.operator IS NULL AND s.payout_after < s.payout_before GROUP BY 1, 2) s USING (hour, currency)
	 WHERE coalesce(h.count, 0) <> coalesce(s.count, 0) OR coalesce(h.amount, 0) <> coalesce(s.amount, 0)`},
}
