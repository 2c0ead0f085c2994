package seal

import "evens/ledger"

// Checks are the audit's rules about what reconciliation keeps: statements, breaks, closings, seals.
var Checks = []ledger.Check{
	{Name: "every transaction stands where the seals can see it", SQL: `
	SELECT x.id::text, format('position %s', coalesce(x.position::text, 'none'))
	  FROM transactions x
	 WHERE x.position IS NULL
	   AND EXISTS (SELECT FROM seals WHERE from_position = 0)
	   AND NOT EXISTS (SELECT FROM seals s WHERE x.id > s.after_id AND x.id <= s.until_id)
	UNION ALL
	SELECT x.id::text, format('position %s, which no transaction has had yet', x.position)
	  FROM transactions x
	 WHERE x.position >= greatest(pg_snapshot_xmax(pg_current_snapshot())::text::bigint,
	                              coalesce(pg_current_xact_id_if_assigned()::text::bigint + 1, 0)) + ledger_offset()`},
}
