package wallet

import "evens/ledger"

// usageLooked is since when, less a day, UsageKept has it kept: the audit looks at nothing older. A player who has not played for
// so long has sums of windows whose quarters are gone.
const usageLooked = ledger.Now + ` - interval '39 days'`

// CountingChecks are the audit's rules about what movements count: towards limits, and towards bonuses.
var CountingChecks = []ledger.Check{
	{Name: "what a movement has staked is what it took, and when it counts is said", SQL: `
	SELECT x.id::text, format('%s of %s: staked %s, counts from %s', x.kind, x.amount, coalesce(x.staked, 0), x.effective_at)
	  FROM transactions x
	 WHERE (x.staked IS NOT NULL OR x.effective_at IS NOT NULL) -- neither: of before usage was kept
	   AND (coalesce(x.staked, 0) <> 0 AND x.effective_at IS NULL
	        OR x.kind IN (` + staked(ledger.StakesAmount) + `) AND coalesce(x.staked, 0) <> -x.amount
	        OR x.kind IN (` + staked(ledger.StakesDebits) + `) AND coalesce(x.staked, 0) <> coalesce((
	               SELECT sum(t.amount) FROM transfers t JOIN accounts a ON a.id = t.debit_account AND a.player_id IS NOT NULL
	                WHERE t.transaction_id = x.id), 0)
	        OR x.kind IN (` + staked(ledger.StakesNothing) + `) AND coalesce(x.staked, 0) <> 0)
	UNION ALL
	SELECT x.id::text, format('%s: staked %s of a stake of %s', x.kind, coalesce(x.staked, 0), c.stake)
	  FROM transactions x JOIN coupons c ON c.id = x.coupon_id
	 WHERE x.effective_at IS NOT NULL
	   AND CASE x.kind WHEN 'refund' THEN coalesce(x.staked, 0) <> -c.stake
	                   WHEN 'resettlement' THEN coalesce(x.staked, 0) NOT IN (0, c.stake, -c.stake)
	                   WHEN 'payout' THEN coalesce(x.staked, 0) <> 0 WHEN 'loss' THEN coalesce(x.staked, 0) <> 0 ELSE false END
	UNION ALL
	SELECT x.id::text, format('%s at %s, of a coupon placed at %s', x.kind, x.effective_at, c.placed_at)
	  FROM transactions x JOIN coupons c ON c.id = x.coupon_id
	 WHERE x.source IN ('coupon', 'settlement') AND x.effective_at <> c.placed_at
	UNION ALL
	SELECT x.id::text, format('%s at %s, counts at %s', x.kind, x.at, x.effective_at)
	  FROM transactions x WHERE x.kind IN (` + deposits + `, ` + gameStakes + `) AND x.effective_at <> x.at`},
	{Name: "a rollback takes back what the movement counted, when it counted", SQL: `
	SELECT b.id::text, format('staked %s, contributed %s, at %s; undone are %s, %s, %s', b.staked, b.contribution, b.effective_at, o.staked, o.contribution, o.effective_at)
	  FROM transactions b
	  JOIN transactions o ON o.source = left(b.source, -length(':rollback')) AND o.external_id = b.external_id
	 WHERE b.kind = 'rollback'
	   AND (coalesce(b.staked, 0) <> -coalesce(o.staked, 0) OR coalesce(b.contribution, 0) <> -coalesce(o.contribution, 0)
	        OR b.effective_at IS DISTINCT FROM o.effective_at OR b.bonus_id IS DISTINCT FROM o.bonus_id
	        OR coalesce(b.bonus_amount, 0) <> -coalesce(o.bonus_amount, 0))`},
	{Name: "a movement counts towards a bonus of its own player, and no more than it staked", SQL: `
	SELECT x.id::text, format('%s: bonus %s of player %s, contributed %s', x.kind, x.bonus_id, b.player_id, x.contribution)
	  FROM transactions x LEFT JOIN bonuses b ON b.id = x.bonus_id
	 WHERE x.bonus_id IS NOT NULL AND b.player_id IS DISTINCT FROM x.player_id
	    OR x.bonus_id IS NULL AND (coalesce(x.contribution, 0) <> 0 OR coalesce(x.bonus_amount, 0) <> 0)
	    OR x.kind IN (` + gameStakes + `) AND (coalesce(x.contribution, 0) < 0 OR coalesce(x.contribution, 0) > coalesce(x.staked, 0))`},
	{Name: "every bonus was given once, to its player, as it says, and ended as it says", SQL: `
	WITH ends (status, kind) AS (VALUES ('completed', 'bonus_conversion'), ('expired', 'bonus_expiry'), ('forfeited', 'bonus_forfeiture'))
	SELECT b.id::text, format('%s: granted %s, given %s, ended by %s', b.status, b.granted, g.amount, e.kind)
	  FROM bonuses b
	  LEFT JOIN players p ON p.id = b.player_id
	  LEFT JOIN transactions g ON g.source = 'bonus' AND g.external_id = b.id || ':grant'
	  LEFT JOIN transactions e ON e.source = 'bonus' AND e.external_id = b.id || ':end' || CASE b.reopened WHEN 0 THEN '' ELSE ':' || b.reopened END
	 WHERE g.amount IS DISTINCT FROM b.granted OR g.player_id IS DISTINCT FROM b.player_id OR g.at <> b.granted_at
	    OR p.currency IS DISTINCT FROM b.currency
	    OR e.kind IS NOT NULL AND (NOT EXISTS (SELECT FROM ends WHERE ends.status = b.status AND ends.kind = e.kind) OR e.at <> b.ended_at)
	    OR b.ended_at < b.granted_at OR b.expires_at < b.granted_at
	    OR b.status = 'expired' AND (b.expires_at IS NULL OR b.ended_at < b.expires_at)
	    OR b.status <> 'completed' AND b.released <> 0
	UNION ALL
	SELECT b.id::text, format('opened again %s times; ended by %s, taken back by %s', b.reopened, x.external_id, coalesce(r.external_id, 'nothing'))
	  FROM transactions x
	  JOIN bonuses b ON b.id = x.bonus_id
	 CROSS JOIN LATERAL (SELECT coalesce(substring(x.external_id FROM ':end:([0-9]{1,9})$')::integer, 0) AS n) e
	  LEFT JOIN transactions r ON r.source = 'bonus' AND r.external_id = b.id || ':reopened:' || e.n + 1
	 WHERE x.source = 'bonus' AND x.kind = 'bonus_conversion'
	   AND (e.n > b.reopened OR e.n < b.reopened AND r.id IS NULL AND x.amount <> coalesce(x.bonus_amount, 0))
	UNION ALL
	SELECT x.id::text, format('%s of bonus %s, which is not there', x.kind, x.bonus_id)
	  FROM transactions x WHERE x.source = 'bonus' AND NOT EXISTS (SELECT FROM bonuses b WHERE b.id = x.bonus_id)`},
	{Name: "no active bonus has been wagered already", SQL: `
	SELECT b.id::text, format('wagered %s of %s', a.tally_wagered, b.required)
	  FROM bonuses b
	  JOIN accounts a ON a.player_id = b.player_id AND a.kind = 'cash'
	  JOIN accounts p ON p.player_id = b.player_id AND p.kind = 'bonus'
	 WHERE b.status = 'active' AND a.tally_wagered >= b.required AND p.balance >= 0`},
	{Name: "no bonus is active long after its time", SQL: `
	SELECT id::text, format('expired at %s', expires_at) FROM bonuses
	 WHERE status = 'active' AND expires_at < ` + ledger.Now + ` - interval '2 days'`},
	{Name: "what a completed bonus released is what its pocket gave it", SQL: `
	SELECT b.id::text, format('released %s, its pocket gave %s', b.released, coalesce(m.gave, 0))
	  FROM bonuses b
	  LEFT JOIN (SELECT bonus_id, -sum(bonus_amount) AS gave FROM transactions WHERE source = 'bonus' AND kind IN ('bonus_conversion', 'bonus_correction')
	              GROUP BY bonus_id) m ON m.bonus_id = b.id
	 WHERE b.status = 'completed' AND b.released <> coalesce(m.gave, 0)`},
	{Name: "usage is kept of players who have an allowance", SQL: `
	SELECT u.player_id::text, format('quarter %s', min(u.quarter)) FROM usage_quarters u
	 WHERE NOT EXISTS (SELECT FROM allowances a WHERE a.player_id = u.player_id)
	    OR u.quarter <> date_bin('15 minutes', u.quarter, 'epoch')
	 GROUP BY u.player_id`},
	{Name: "an allowance is a player's, in a time zone that there is, and begins before it counts", SQL: `
	SELECT a.player_id::text, format('zone %s, since %s', a.zone, a.since)
	  FROM allowances a LEFT JOIN accounts c ON c.player_id = a.player_id AND c.kind = 'cash'
	 WHERE c.id IS NULL OR a.since > c.tally_quarter AND c.tally_quarter > 'epoch'
	    OR cardinality(a.limits) <> 9 OR cardinality(a.earlier) <> 9 OR 0 > ANY (a.limits)
	    OR a.zone <> 'UTC' AND NOT EXISTS (SELECT FROM pg_timezone_names z WHERE z.name = a.zone)`},
	{Name: "what an allowance has of its windows is the sum of their quarters", SQL: `
	WITH counted AS (
	    SELECT a.player_id, a.earlier, a.rolling, c.tally_quarter AS quarter,
	           CASE WHEN a.zone = 'UTC' OR EXISTS (SELECT FROM pg_timezone_names z WHERE z.name = a.zone) THEN a.zone ELSE 'UTC' END AS zone
	      FROM allowances a JOIN accounts c ON c.player_id = a.player_id AND c.kind = 'cash'
	     WHERE c.tally_quarter > 'epoch' AND NOT coalesce(a.waiting ? 'calendar', false)
	), windows AS (
	    SELECT c.*, w.i, CASE WHEN c.rolling THEN c.quarter - w.back
	                          -- Where midnight comes twice, the database takes the second.
	                          WHEN date_trunc(w.unit, (m.start - interval '1 hour') AT TIME ZONE c.zone) = m.midnight THEN m.start - interval '1 hour'
	                          ELSE m.start END AS start
	      FROM counted c
	     CROSS JOIN (VALUES (0, 'day', interval '24 hours'), (1, 'week', interval '168 hours'), (2, 'month', interval '720 hours')) w (i, unit, back)
	     CROSS JOIN LATERAL (SELECT n.midnight, n.midnight AT TIME ZONE c.zone AS start
	                           FROM (SELECT date_trunc(w.unit, c.quarter AT TIME ZONE c.zone) AS midnight) n) m
	), sums AS (
	    SELECT w.player_id, w.i, w.start, w.earlier, coalesce(sum(u.deposited), 0) AS deposited, coalesce(sum(u.lost), 0) AS lost, coalesce(sum(u.staked), 0) AS staked
	      FROM windows w LEFT JOIN usage_quarters u ON u.player_id = w.player_id AND u.quarter >= w.start
	     GROUP BY w.player_id, w.i, w.start, w.earlier
	)
	SELECT player_id::text, format('since %s: kept %s/%s/%s, the quarters have %s/%s/%s', start, earlier[3 * i + 1], earlier[3 * i + 2], earlier[3 * i + 3], deposited, lost, staked)
	  FROM sums
	 WHERE start >= ` + usageLooked + `
	   AND (earlier[3 * i + 1], earlier[3 * i + 2], earlier[3 * i + 3]) IS DISTINCT FROM (deposited, lost, staked)`},
	{Name: "every request was answered, with a coupon that is there where it was one", SQL: `
	SELECT r.scope || ' ' || r.key, format('coupon %s, status %s', r.coupon_id, r.status)
	  FROM requests r LEFT JOIN coupons c ON c.id = r.coupon_id
	 WHERE r.coupon_id IS NULL AND r.status IS NULL OR r.coupon_id IS NOT NULL AND c.id IS NULL`},
}

// gameStakes are the kinds that stake on a game: they count when they are made.
var gameStakes = ledger.Where(func(t ledger.Traits) bool { return t.Class == ledger.Games && t.Staked != ledger.StakesNothing })

// deposits are the kinds that count as deposited.
var deposits = ledger.Where(func(t ledger.Traits) bool { return t.Deposits })

// staked lists the kinds that count as staked in one of the ways.
func staked(how ledger.Staked) string {
	return ledger.Where(func(t ledger.Traits) bool { return t.Staked == how })
}
