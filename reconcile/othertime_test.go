package reconcile_test

import (
	"testing"
	"time"

	"evens/reconcile"
)

// A bet that failed there, or was undone, is looked for here at any time: the clocks may be far apart.
func TestFailuresOfAnotherTime(t *testing.T) {
	t.Parallel()
	o := open(t, nil)
	o.bet("failed", "3")
	o.bet("undone", "4")
	o.SetClock(o.Now().Add(3 * time.Hour))
	list := header + o.line("failed", "debit", "3", "failed") + o.line("undone", "debit", "4", "ok") + o.line("undone", "rollback", "4", "ok") +
		o.line("never-here", "debit", "5", "failed")
	before := o.Cash(t, o.who)
	report := o.run(list, func(q *reconcile.Request) { q.From, q.To = o.Now().Add(-time.Hour), o.Now().Add(time.Hour) })
	same(t, found(report), map[string]string{"status failed": "resolved rollback", "status undone": "resolved rollback"})
	if got := o.Cash(t, o.who) - before; got != 70_000 {
		t.Errorf("given back %s, want 7.00", got)
	}
	if report.CancelledOut != 1 {
		t.Errorf("%d ids are cancelled out, want that of the bet that never came", report.CancelledOut)
	}
}
