package player

import "evens/ledger"

// DecisionChecks are the audit's rules about who decided on adjustments.
var DecisionChecks = []ledger.Check{
	{Name: "an adjustment has who made it and who decided on it, and moved by their word", SQL: `
	SELECT a.id::text, format('%s by %s, decided by %s at %s; moved by %s', a.status, a.operator, a.decided_by, a.decided_at, x.operator)
	  FROM adjustments a LEFT JOIN transactions x ON x.source = 'adjustment' AND x.external_id = a.reference
	 WHERE (a.status = 'pending') <> (a.decided_at IS NULL)
	    OR a.status = 'pending' AND a.decided_by IS NOT NULL
	    OR a.status = 'refused' AND (a.decided_by IS NULL OR a.decision IS NULL)
	    OR a.decided_at < a.created_at
	    OR x.id IS NOT NULL AND (x.operator IS DISTINCT FROM a.operator OR x.comment IS DISTINCT FROM a.comment)`},
	{Name: "what was decided on an adjustment is in the activity log", SQL: `
	SELECT a.id::text, format('%s: no line of it', a.status)
	  FROM adjustments a
	 WHERE a.status <> 'pending'
	   AND NOT EXISTS (SELECT FROM activity_log l
	                    WHERE l.player_id = a.player_id AND l.detail ->> 'adjustment' = a.id::text
	                      AND l.event = CASE WHEN a.decided_by IS NULL THEN 'adjustment' WHEN a.status = 'posted' THEN 'adjustment_approved' ELSE 'adjustment_refused' END
	                      AND l.operator = coalesce(a.decided_by, a.operator))`},
}
