package settlement_test

import (
	"strings"
	"testing"

	"evens/ledger"
	"evens/settlement"
)

// Broken states that the audit must name: each is planted in a database whose books are even.
func TestTheAuditNamesBrokenCoupons(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ sql, rule string }{
		"cancelled without a person":   {`UPDATE coupons SET status = 'cancelled' WHERE bet_code = 'code000001'`, "cancelled by a person"},
		"a payout of a cancelled one":  {`UPDATE coupons SET payout = payout + 1 WHERE status = 'cancelled'`, "cancelled by a person"},
		"a cancelled one that won":     {`UPDATE coupons SET status = 'won' WHERE status = 'cancelled'`, "cancelled by a person"},
		"usage that is not the target": {`UPDATE coupons SET counted = 0 WHERE status = 'won'`, "counts as staked"},
		"usage of nothing":             {`UPDATE coupons SET counted = stake WHERE status = 'refunded'`, "counts as staked"},
		"a time that no result bears":  {`UPDATE coupons SET decided_at = decided_at + interval '1 day' WHERE status = 'won'`, "time of decision"},
		"a result without its time":    {`UPDATE coupons SET decided_at = NULL WHERE status = 'won'`, "time of decision"},
		"a lost text":                  {`UPDATE results SET raw = NULL WHERE attention = 'unreadable'`, "cannot be read"},
		"an unreadable one forgotten":  {`UPDATE results SET attention = NULL WHERE raw IS NOT NULL`, "go together"},
		"parked without a reason":      {`UPDATE results SET reason = NULL WHERE state = 'parked'`, "go together"},
		"attention after the end":      {`UPDATE results SET attention = 'blast_radius' WHERE state = 'applied'`, "go together"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := open(t, settlement.Guard{})
			p := s.player("100.00")
			kept, refunded, cancelled := s.place(p, "10.00", "2.50"), s.place(p, "10.00", "2.50"), s.place(p, "10.00", "2.50")
			faulty, err := settlement.ParsePush([]byte(`{"Heads":[{}]}`))
			if err != nil {
				t.Fatal(err)
			}
			s.settle(won(kept.BetCode, 1, "25.00"), void(refunded.BetCode, 1, "10.00"), faulty[0])
			if _, err := s.settler.Cancel(t.Context(), settlement.Cancellation{Coupon: cancelled.ID, Operator: "o", Comment: "c"}); err != nil {
				t.Fatal(err)
			}
			s.audit()
			tx, err := s.db.Pool.Begin(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = tx.Rollback(t.Context()) }()
			if tag, err := tx.Exec(t.Context(), test.sql); err != nil || tag.RowsAffected() == 0 {
				t.Fatalf("nothing was broken: %v, %v", tag, err)
			}
			report, err := ledger.Begin(t.Context(), tx, s.clock.Now())
			if err != nil {
				t.Fatal(err)
			}
			found := false
			for _, check := range settlement.Rules() {
				if err := report.Add(t.Context(), tx, check); err != nil {
					t.Fatal(err)
				}
				found = found || strings.Contains(check.Name, test.rule) && report.Checks[len(report.Checks)-1].Total > 0
			}
			if !found {
				t.Error("the audit does not see it")
			}
		})
	}
}
