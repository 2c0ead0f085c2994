package seal

import "evens/ledger"

// Checks are the audit's rules about what reconciliation keeps: statements, breaks, closings, and where
// transactions stand for the seals.
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
	{Name: "a statement has the lines and pages that it counts", SQL: `
	WITH lines AS (SELECT statement_id, count(*) AS n FROM statement_lines GROUP BY statement_id),
	     pages AS (SELECT statement_id, count(*) AS n, min(page) AS first, max(page) AS last FROM statement_pages GROUP BY statement_id),
	     kept AS (SELECT min(s.started_at) AS since FROM statements s JOIN lines l ON l.statement_id = s.id)
	SELECT s.id::text, format('%s of %s: %s lines of %s, %s pages of %s', s.state, s.provider, coalesce(l.n, 0), s.lines, coalesce(p.n, 0), s.pages)
	  FROM statements s LEFT JOIN lines l ON l.statement_id = s.id LEFT JOIN pages p ON p.statement_id = s.id CROSS JOIN kept
	 WHERE s.started_at >= kept.since
	   AND (coalesce(l.n, 0) <> s.lines
	        OR s.source = 'api' AND (coalesce(p.n, 0) <> s.pages OR p.first <> 1 OR p.last <> p.n) OR s.source = 'file' AND p.n > 0)
	UNION ALL
	SELECT statement_id::text, format('%s lines of no statement', n) FROM lines l WHERE NOT EXISTS (SELECT FROM statements s WHERE s.id = l.statement_id)
	UNION ALL
	SELECT statement_id::text, format('%s pages of no statement', n) FROM pages p WHERE NOT EXISTS (SELECT FROM statements s WHERE s.id = p.statement_id)`},
	{Name: "a statement that has ended says so, and how many agree", SQL: `
	SELECT s.id::text, format('%s of %s: ended at %s, ours %s, matched %s', s.state, s.provider, s.ended_at, s.ours, s.matched)
	  FROM statements s
	 WHERE (s.state IN ('matched', 'failed')) <> (s.ended_at IS NOT NULL) OR s.ended_at < s.started_at OR s.window_to < s.window_from
	    OR s.state = 'matched' AND (s.ours IS NULL OR s.matched IS NULL OR s.error IS NOT NULL) OR s.matched > s.ours OR s.matched < 0
	    OR s.state = 'failed' AND s.error IS NULL`},
	{Name: "a watermark is the end of a list that was held against our books", SQL: `
	SELECT w.provider, format('until %s', w.until)
	  FROM watermarks w
	 WHERE NOT EXISTS (SELECT FROM statements s WHERE s.provider = w.provider AND s.source = 'api' AND s.state = 'matched' AND s.window_to = w.until)`},
	{Name: "a break stands where its history left it", SQL: `
	WITH last AS (
	    SELECT DISTINCT ON (break_id) break_id, event, at,
	           CASE WHEN event IN ('opened', 'not healed') THEN 'open' WHEN event = 'healing' THEN 'healing'
	                WHEN event IN ('healed', 'agreed', 'resolved') THEN 'resolved' WHEN event = 'ignored' THEN 'ignored' END AS state
	      FROM break_events ORDER BY break_id, id DESC
	)
	SELECT b.id::text, format('%s %s of %s: %s, last %s', b.provider, b.kind, b.transaction_id, b.state, coalesce(l.event, 'nothing'))
	  FROM breaks b LEFT JOIN last l ON l.break_id = b.id
	 WHERE l.break_id IS NULL OR b.state <> coalesce(l.state, b.state)
	    OR NOT EXISTS (SELECT FROM break_events e WHERE e.break_id = b.id AND e.event = 'opened')
	    OR abs(b.amount) <> abs((coalesce(b.ours, b.theirs) ->> 'amount')::numeric * 10000)
	    OR b.last_seen < b.first_seen OR NOT EXISTS (SELECT FROM statements s WHERE s.id = b.statement_id AND s.provider = b.provider)
	    OR b.state IN ('resolved', 'ignored') AND l.event IN ('resolved', 'ignored') AND b.owner IS NULL
	    OR b.state = 'healing' AND l.at < ` + ledger.Now + ` - interval '2 days'
	UNION ALL
	SELECT e.break_id::text, format('%s of no break', e.event) FROM break_events e WHERE NOT EXISTS (SELECT FROM breaks b WHERE b.id = e.break_id)
	UNION ALL
	SELECT e.break_id::text, format('%s by nobody', e.event) FROM break_events e
	 WHERE e.event IN ('resolved', 'ignored') AND (coalesce(e.operator, '') = '' OR coalesce(e.comment, '') = '')`},
	{Name: "a break was healed by a movement of its own, once", SQL: `
	SELECT b.id::text, format('healed by %s: %s %s, %s', b.healed_by, x.source, x.external_id, x.comment)
	  FROM breaks b LEFT JOIN transactions x ON x.id = b.healed_by
	 WHERE b.healed_by IS NOT NULL AND (x.id IS NULL OR split_part(x.source, ':', 1) <> b.provider)
	    OR b.healed_by IS NULL AND b.provider NOT IN ('cashier', 'bet')
	       AND EXISTS (SELECT FROM break_events e WHERE e.break_id = b.id AND e.event = 'healed' AND e.comment IN ('post', 'rollback'))
	UNION ALL
	SELECT x.id::text, format('%s for %s, which is not there', x.kind, x.comment)
	  FROM transactions x
	 WHERE x.comment LIKE 'break ________-____-____-____-____________' AND NOT EXISTS (SELECT FROM breaks b WHERE 'break ' || b.id = x.comment)`},
	{Name: "a closing's figures fit each other, and its seal is there", SQL: `
	SELECT format('%s %s %s', c.day, c.currency, c.item), format('seal %s', c.seal)
	  FROM closings c
	 WHERE c.seal > 0 AND NOT EXISTS (SELECT FROM seals s WHERE s.n = c.seal) AND NOT EXISTS (SELECT FROM ledger_seals s WHERE s.n = c.seal)
	    OR c.until_position > 0 AND NOT EXISTS (SELECT FROM seals s WHERE s.n = c.seal AND s.until_position = c.until_position)
	UNION ALL
	SELECT format('%s %s total', day, currency), format('total %s, its accounts %s', max(ours) FILTER (WHERE item = 'total'), sum(ours) FILTER (WHERE item NOT LIKE '%/%' AND item <> 'total'))
	  FROM closings GROUP BY day, currency
	HAVING max(ours) FILTER (WHERE item = 'total') IS DISTINCT FROM 0
	    OR sum(ours) FILTER (WHERE item NOT LIKE '%/%' AND item <> 'total') <> 0
	    OR count(DISTINCT seal) + count(DISTINCT made_at) <> 2
	UNION ALL
	SELECT format('%s %s %s', day, currency, split_part(item, '/', 1)), 'stakes, payouts and ggr do not fit'
	  FROM closings WHERE item LIKE '%/%' GROUP BY day, currency, split_part(item, '/', 1)
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
	  FULL JOIN sums s ON s.day = c.day AND s.currency = c.currency AND s.kind = c.item
	 WHERE c.ours IS DISTINCT FROM coalesce(s.total, 0)`},
}
