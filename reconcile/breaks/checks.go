// Package breaks has the audit's rules about statements, breaks and their healing. It is apart from reconcile, which
// knows every dialect, so that a dialect's own tests can run the audit.
package breaks

import "evens/ledger"

// Checks are the audit's rules about others' lists and our breaks.
var Checks = []ledger.Check{
	{Name: "what healed a break is a transaction of its own id, player and amount", SQL: `
	SELECT b.id::text, format('%s %s %s of %s, healed by %s %s %s %s', b.provider, b.kind, b.transaction_id, b.amount,
	                          coalesce(x.kind, 'nothing'), coalesce(x.source, ''), coalesce(x.external_id, ''), x.amount)
	  FROM breaks b
	  LEFT JOIN transactions x ON x.id = b.healed_by
	  LEFT JOIN players p ON p.id = x.player_id
	  LEFT JOIN LATERAL (SELECT e.event FROM break_events e WHERE e.break_id = b.id ORDER BY e.id DESC LIMIT 1) last ON true
	 WHERE b.healed_by IS NOT NULL
	   AND (x.id IS NULL OR x.external_id <> b.transaction_id OR x.provider IS DISTINCT FROM b.provider
	        OR x.kind NOT IN ('rollback', 'win', 'deposit') OR p.external_id IS DISTINCT FROM b.player
	        OR last.event = 'healed' AND CASE x.kind WHEN 'rollback' THEN x.amount <> -b.amount OR b.kind NOT IN ('missing_there', 'status')
	                                                ELSE x.amount <> b.amount OR b.kind <> 'missing_here' END)`},
	{Name: "every healing in the ledger has its break", SQL: `
	SELECT x.id::text, x.comment FROM transactions x
	  LEFT JOIN breaks b ON b.id::text = substr(x.comment, 7)
	 WHERE x.provider IS NOT NULL AND x.kind IN ('rollback', 'win') AND x.comment ~ '^break [0-9a-f-]{36}$'
	   AND (b.id IS NULL OR b.provider <> x.provider OR b.transaction_id <> x.external_id)`},
	{Name: "a break stands where its history left it", SQL: `
	SELECT b.id::text, format('%s after %s, owner %s', b.state, coalesce(last.event, 'nothing'), coalesce(b.owner, 'nobody'))
	  FROM breaks b
	  LEFT JOIN LATERAL (SELECT e.event, e.operator, e.at FROM break_events e WHERE e.break_id = b.id ORDER BY e.id DESC LIMIT 1) last ON true
	 WHERE last.event IS NULL
	    OR last.event IN ('opened', 'not healed') AND b.state <> 'open'
	    OR last.event = 'healing' AND b.state <> 'healing'
	    OR last.event IN ('agreed', 'healed', 'resolved') AND b.state <> 'resolved'
	    OR last.event = 'ignored' AND b.state <> 'ignored'
	    OR last.event IN ('resolved', 'ignored') AND (b.owner IS NULL OR b.owner IS DISTINCT FROM last.operator)
	    OR last.event = 'healed' AND b.action IN ('post', 'rollback') AND b.healed_by IS NULL AND b.provider <> 'cashier'
	    OR b.state = 'healing' AND last.at < ` + ledger.Now + ` - interval '2 days'`},
	{Name: "a break's amount is that of the side that it was found on", SQL: `
	SELECT b.id::text, format('%s %s of %s: %s, the side says %s', b.provider, b.kind, b.transaction_id, b.amount, coalesce(b.ours, b.theirs) ->> 'amount')
	  FROM breaks b
	 WHERE abs(b.amount) <> abs((coalesce(b.ours, b.theirs) ->> 'amount')::numeric * 10000)
	       -- What is listed and has moved nothing there counts nothing.
	   AND NOT (b.amount = 0 AND b.ours IS NULL AND (b.theirs ->> 'status' <> 'ok' OR b.theirs ->> 'rolled_back' = 'true'))`},
	{Name: "a break's history is a break's, and in order", SQL: `
	SELECT e.break_id::text, format('%s at %s', e.event, e.at)
	  FROM (SELECT *, lag(at) OVER (PARTITION BY break_id ORDER BY id) AS before, row_number() OVER (PARTITION BY break_id ORDER BY id) AS n
	          FROM break_events) e
	  LEFT JOIN breaks b ON b.id = e.break_id
	 WHERE b.id IS NULL OR e.before > e.at OR e.n = 1 AND e.event <> 'opened'
	    OR e.event IN ('resolved', 'ignored') AND (coalesce(e.comment, '') = '' OR coalesce(e.operator, '') = '')`},
	{Name: "a break was seen in a statement of its provider, at a time that can be", SQL: `
	SELECT b.id::text, format('%s %s, seen from %s to %s, %s times', b.provider, b.transaction_id, b.first_seen, b.last_seen, b.sightings)
	  FROM breaks b LEFT JOIN statements s ON s.id = b.statement_id
	 WHERE b.last_seen < b.first_seen OR b.sightings < 0 OR b.later_at > b.last_seen
	    OR b.statement_id <> '00000000-0000-0000-0000-000000000000' AND (s.id IS NULL OR s.provider <> b.provider)`},
	{Name: "a statement has its lines and pages, and they add up", SQL: `
	SELECT s.id::text, format('%s: %s lines of %s there, %s unreadable of %s, %s pages of %s, total %s of %s', s.provider,
	                          coalesce(l.n, 0), s.lines, coalesce(u.n, 0), s.unreadable, coalesce(g.n, 0), s.pages, coalesce(l.total, 0), s.total)
	  FROM statements s
	  LEFT JOIN (SELECT statement_id, count(*) AS n, sum(amount) AS total, max(page) AS pages FROM statement_lines GROUP BY 1) l ON l.statement_id = s.id
	  LEFT JOIN (SELECT statement_id, count(*) AS n FROM unreadable_lines GROUP BY 1) u ON u.statement_id = s.id
	  LEFT JOIN (SELECT statement_id, count(*) AS n, min(page) AS first, max(page) AS last FROM statement_pages GROUP BY 1) g ON g.statement_id = s.id
	 WHERE s.pruned_at IS NULL AND s.pruning_since IS NULL
	       AND (coalesce(u.n, 0) <> s.unreadable OR coalesce(l.n, 0) <> s.lines OR s.total IS NOT NULL AND coalesce(l.total, 0) <> s.total
	            OR coalesce(l.pages, 0) > s.pages
	            OR s.source = 'api' AND (coalesce(g.n, 0) <> s.pages OR g.first <> 1 OR g.last <> g.n) OR s.source = 'file' AND g.n > 0)
	    -- While its content is being removed there is some of it; of a release before this one, unreadable lines stay.
	    OR l.n > s.lines OR u.n > s.unreadable OR g.n > s.pages OR s.pruned_at < s.pruning_since
	    OR s.pruned_at IS NOT NULL AND (l.n > 0 OR g.n > 0 OR u.n > 0 AND s.pruning_since IS NOT NULL)`},
	{Name: "a line, a page, a line left aside is of a statement", SQL: `
	SELECT x.statement_id::text, x.what
	  FROM (SELECT DISTINCT statement_id, 'lines' AS what FROM statement_lines
	        UNION ALL SELECT DISTINCT statement_id, 'pages' FROM statement_pages
	        UNION ALL SELECT DISTINCT statement_id, 'unreadable lines' FROM unreadable_lines) x
	  LEFT JOIN statements s ON s.id = x.statement_id WHERE s.id IS NULL`},
	{Name: "a statement's state fits what is written of it", SQL: `
	SELECT id::text, format('%s %s: ours %s, matched %s, ended %s, error %s', provider, state, ours, matched, ended_at, error)
	  FROM statements
	 WHERE (state IN ('matched', 'failed')) <> (ended_at IS NOT NULL) OR ended_at < started_at OR window_to < window_from
	    OR state = 'matched' AND (error IS NOT NULL OR ours IS NULL OR matched IS NULL OR matched > ours OR matched < 0)
	    OR state = 'failed' AND error IS NULL OR state = 'loaded' AND cursor <> '' OR lines < 0 OR total < 0`},
	{Name: "a watermark is the end of a whole run", SQL: `
	SELECT w.provider, w.until::text FROM watermarks w
	 WHERE NOT EXISTS (SELECT FROM statements s
	                    WHERE s.provider = w.provider AND s.source = 'api' AND s.state = 'matched' AND s.window_to = w.until)`},
}
