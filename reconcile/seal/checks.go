package seal

import "evens/ledger"

// Checks are the audit's rules about closings, and where transactions stand for the seals.
var Checks = []ledger.Check{
	{Name: "every transaction stands where the seals can see it", SQL: `
	SELECT x.id::text, 'no position, and no seal'
	  FROM transactions x
	 WHERE x.position IS NULL
	   AND EXISTS (SELECT FROM seals WHERE from_position = 0)
	   AND NOT EXISTS (SELECT FROM seals s WHERE x.id > s.after_id AND x.id <= s.until_id)
	UNION ALL
	SELECT x.id::text, format('position %s, which no transaction has had yet', x.position)
	  FROM transactions x
	 WHERE x.position >= greatest(pg_snapshot_xmax(pg_current_snapshot())::text::bigint,
	                              coalesce(pg_current_xact_id_if_assigned()::text::bigint + 1, 0)) + ledger_offset()`},
	{Name: "a closing's figures fit each other, and its seal is there", SQL: `
	SELECT format('%s %s %s', c.day, c.currency, c.item), format('seal %s', c.seal)
	  FROM closings c
	 WHERE c.seal > 0 AND NOT EXISTS (SELECT FROM seals s WHERE s.n = c.seal) AND NOT EXISTS (SELECT FROM ledger_seals s WHERE s.n = c.seal)
	    OR c.until_position > 0 AND NOT EXISTS (SELECT FROM seals s WHERE s.n = c.seal AND s.until_position = c.until_position)
	UNION ALL
	SELECT format('%s %s total', day, currency), format('total %s, its accounts %s', max(ours) FILTER (WHERE item = 'total'), sum(ours) FILTER (WHERE item NOT LIKE '%/%' AND item <> 'total'))
	  FROM closings GROUP BY day, currency, version
	HAVING max(ours) FILTER (WHERE item = 'total') IS DISTINCT FROM 0
	    OR sum(ours) FILTER (WHERE item NOT LIKE '%/%' AND item <> 'total') <> 0
	    OR count(DISTINCT seal) + count(DISTINCT made_at) <> 2
	UNION ALL
	SELECT format('%s %s %s', day, currency, split_part(item, '/', 1)), 'stakes, payouts and ggr do not fit'
	  FROM closings WHERE item LIKE '%/%' GROUP BY day, currency, version, split_part(item, '/', 1)
	HAVING count(*) <> 3 OR sum(CASE split_part(item, '/', 2) WHEN 'payouts' THEN -1 WHEN 'stakes' THEN 1 ELSE -1 END * ours) <> 0
	    OR count(theirs) NOT IN (0, 3) OR sum(CASE split_part(item, '/', 2) WHEN 'payouts' THEN -1 WHEN 'stakes' THEN 1 ELSE -1 END * theirs) <> 0`},
	{Name: "a closing's balances are those that the ledger had at its day's end", SQL: `
	WITH days AS (
	    SELECT day, max(until_position) AS until,
	           (lpad(to_hex(extract(epoch FROM (day + 1)::timestamp)::bigint * 1000), 12, '0') || '70000000000000000000')::uuid AS ends
	      FROM closings WHERE until_position IS NOT NULL GROUP BY day
	), bounds AS (
	    SELECT array_agg(ends ORDER BY ends) AS ends, array_agg(DISTINCT until) AS until FROM days
	), grouped AS ( -- one pass over the transfers: few rows for each account, day and seal
	    SELECT g.account, g.day, g.position, sum(g.amount) AS amount
	      FROM (SELECT s.account, width_bucket(t.transaction_id, b.ends) AS day,
	                   CASE WHEN x.position IS NULL THEN 0 ELSE width_bucket(x.position, b.until) END AS position, s.amount
	              FROM bounds b CROSS JOIN transfers t JOIN transactions x ON x.id = t.transaction_id
	             CROSS JOIN LATERAL (VALUES (t.debit_account, -t.amount), (t.credit_account, t.amount)) s (account, amount)
	             WHERE b.ends IS NOT NULL) g
	     GROUP BY g.account, g.day, g.position
	), sums AS (
	    SELECT d.day, a.currency, a.kind, sum(g.amount) AS total
	      FROM days d CROSS JOIN bounds b
	      JOIN grouped g ON g.day < width_bucket(d.ends, b.ends) AND g.position < width_bucket(d.until, b.until)
	      JOIN accounts a ON a.id = g.account
	     GROUP BY d.day, a.currency, a.kind
	)
	SELECT format('%s %s %s', coalesce(c.day, s.day), coalesce(c.currency, s.currency), coalesce(c.item, s.kind)), format('closed with %s, the ledger had %s', c.ours, coalesce(s.total, 0))
	  FROM (SELECT * FROM closings WHERE until_position IS NOT NULL AND item NOT LIKE '%/%' AND item <> 'total') c
	  FULL JOIN (SELECT v.version, s.* FROM sums s JOIN (SELECT DISTINCT day, version FROM closings WHERE until_position IS NOT NULL) v USING (day)) s
	    ON s.day = c.day AND s.currency = c.currency AND s.kind = c.item AND s.version = c.version
	 WHERE c.ours IS DISTINCT FROM coalesce(s.total, 0)`},
}
