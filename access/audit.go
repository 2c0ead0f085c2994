package access

import "evens/ledger"

// AuditChecks are the audit's rules about decisions that take two persons.
var AuditChecks = []ledger.Check{
	{Name: "a decision of two persons is of two, and in the activity log", SQL: `
	SELECT a.id::text, format('%s %s by %s, decided by %s at %s', a.operation, a.subject, a.operator, coalesce(a.decided_by, 'nobody'), a.decided_at)
	  FROM approvals a
	 WHERE num_nonnulls(a.decided_at, a.decided_by) = 1 OR a.decided_at < a.created_at OR a.decided_by = a.operator OR a.operator = ''
	    OR NOT EXISTS (SELECT FROM activity_log l
	                    WHERE l.event = '` + EventApprovalProposed + `' AND l.operator = a.operator AND l.at = a.created_at
	                      AND (l.detail ->> 'operation', l.detail ->> 'subject', l.detail ->> 'terms') = (a.operation, a.subject, a.terms))
	    OR a.decided_at IS NOT NULL
	       AND NOT EXISTS (SELECT FROM activity_log l
	                        WHERE l.event = '` + EventApprovalGiven + `' AND l.operator = a.decided_by AND l.at = a.decided_at
	                          AND (l.detail ->> 'operation', l.detail ->> 'subject', l.detail ->> 'terms') = (a.operation, a.subject, a.terms))
	UNION ALL
	SELECT 'activity log ' || l.id, format('%s decided on %s, which nobody else did', l.operator, l.detail ->> 'subject')
	  FROM activity_log l
	 WHERE l.event = '` + EventApprovalGiven + `'
	   AND NOT EXISTS (SELECT FROM approvals a WHERE a.decided_by = l.operator AND a.decided_at = l.at AND a.subject = l.detail ->> 'subject')`},
}
