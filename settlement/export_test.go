package settlement

import "evens/ledger"

// Rules are the audit's rules about coupons and results.
func Rules() []ledger.Check { return AuditChecks() }
