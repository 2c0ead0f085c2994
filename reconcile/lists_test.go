package reconcile_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"evens/money"
	"evens/reconcile"
	"evens/sim/casinosim"
)

// A file that was filtered undoes nothing and closes nothing; one that is called whole and looks cut
// neither. One that is whole counts as a list does.
func TestFilesAndAbsence(t *testing.T) {
	t.Parallel()
	o := open(t, nil)
	o.past(30)
	o.win("gift", "5")
	before := o.Cash(t, o.who)
	all := header
	for i := range 29 {
		all += o.line(fmt.Sprint("b", i), "debit", "1", "ok")
	}
	same(t, found(o.run(all, nil)), map[string]string{"missing_there gift": "open person", "missing_there b29": "open person"})
	from, to := o.Now().Add(-time.Hour), o.Now().Add(6*time.Hour)
	part := func(q *reconcile.Request) { q.From, q.To = from, to }
	whole := func(q *reconcile.Request) { q.From, q.To, q.Complete = from, to, true }
	for _, change := range []func(*reconcile.Request){part, whole} {
		for range 3 {
			report := o.run(header+o.line("b7", "debit", "1", "ok"), change)
			if len(report.Breaks) != 30 || report.Closed != 0 || !report.Cut || report.Matched != 1 {
				t.Fatalf("one line of 31: %d breaks, %d closed", len(report.Breaks), report.Closed)
			}
			for _, b := range report.Breaks {
				if b.Action != reconcile.ActPerson || b.State != reconcile.StateOpen {
					t.Errorf("%s %s: %s %s", b.Kind, b.TransactionID, b.State, b.Action)
				}
			}
			o.SetClock(o.Now().Add(31 * time.Minute))
		}
	}
	if have := o.Cash(t, o.who); have != before {
		t.Errorf("cash = %s, want %s", have, before)
	}
	o.run(all, part) // those that it shows agree
	all += o.line("later", "debit", "1", "failed")
	same(t, found(o.run(all, whole)), map[string]string{"missing_there gift": "open person", "missing_there b29": "open wait"})
	o.SetClock(o.Now().Add(31 * time.Minute))
	same(t, found(o.run(all, whole)), map[string]string{"missing_there gift": "open person", "missing_there b29": "resolved rollback"})
	if have := o.Cash(t, o.who); have != before+money.MustParse("1") {
		t.Errorf("cash = %s, want %s and 1", have, before)
	}
}

// A list of few lines that looks cut off keeps its suspects for a person; a longer one fails, but not
// for ever.
func TestListsThatLookCutOff(t *testing.T) {
	t.Parallel()
	l := &list{}
	o := open(t, map[string]reconcile.Source{provider: l})
	o.past(4)
	l.pages = []reconcile.Page{{Lines: o.lines(0, 1)}}
	window := reconcile.Request{Provider: provider, From: o.Now().Add(-time.Hour), To: o.Now().Add(time.Hour)}
	report, err := o.Run(t.Context(), window)
	fatal(t, err)
	same(t, found(report), map[string]string{"missing_there b1": "open person", "missing_there b2": "open person", "missing_there b3": "open person"})
	if !report.Cut || report.Matched != 1 || o.watermark().IsZero() {
		t.Errorf("report %+v, watermark %s", report.Cut, o.watermark())
	}
	before := o.Cash(t, o.who)
	for i := 4; i < 60; i++ {
		o.bet(fmt.Sprint("b", i), "1")
	}
	l.pages = []reconcile.Page{{Lines: o.lines(0, 60)}}
	if report, err = o.Run(t.Context(), window); err != nil || report.Closed != 3 {
		t.Fatalf("the whole list: %d closed, %v", report.Closed, err)
	}
	l.pages = []reconcile.Page{{Lines: o.lines(0, 1)}}
	for try := range 3 {
		o.SetClock(time.Now().Add(time.Duration(try+1) * time.Minute))
		report, err = o.Run(t.Context(), window)
		if (err != nil) != (try < 2) {
			t.Fatalf("try %d: %v", try, err)
		}
	}
	if len(report.Breaks) != 59 || !report.Cut {
		t.Errorf("%d breaks", len(report.Breaks))
	}
	if have := o.Cash(t, o.who); have != before-money.MustParse("56") {
		t.Errorf("cash = %s", have)
	}
	l.pages = []reconcile.Page{{Lines: o.lines(0, 60)}}
	if report, err = o.Run(t.Context(), window); err != nil || len(report.Breaks) != 0 || report.Closed != 59 {
		t.Errorf("the whole list: %d breaks, %d closed, %v", len(report.Breaks), report.Closed, err)
	}
}

// A line that cannot be read is left aside: it is a break, the rest counts, and the watermark moves. What
// it is about is not missing.
func TestUnreadableLines(t *testing.T) {
	t.Parallel()
	h := openHouse(t)
	for _, platform := range []string{"betao", "naga", "tg"} {
		g := h.guest(platform, platform+"-hal", "100")
		var broken casinosim.Spin
		for i := range 6 {
			s := spin(platform, fmt.Sprint(platform, "read", i), 5_00, 0)
			g.done(g.bet(s))
			casinosim.Enter(g.sim, g.Player, s, h.Now(), platform != "tg")
			if i == 2 {
				broken = s
			}
		}
		casinosim.Show(g.sim, casinosim.Listing{Broken: map[string]bool{broken.Bet: true}})
		for range 3 {
			report := h.list(platform)
			same(t, found(report), map[string]string{"unreadable " + broken.Bet: "open person"})
			if report.Unreadable != 1 || report.Lines != 5 {
				t.Errorf("%s: %d lines, %d unreadable", platform, report.Lines, report.Unreadable)
			}
			h.later(31 * time.Minute)
		}
		var marks int
		fatal(t, h.DB.Pool.QueryRow(t.Context(), `SELECT count(*) FROM watermarks WHERE provider = $1`, platform).Scan(&marks))
		var kept string
		fatal(t, h.DB.Pool.QueryRow(t.Context(), `SELECT theirs->>'line' FROM breaks WHERE provider = $1 AND kind = 'unreadable'`, platform).Scan(&kept))
		if marks != 1 || !strings.Contains(kept, "1.2.3") {
			t.Errorf("%s: %d watermarks, kept %s", platform, marks, kept)
		}
		g.has("70")
		casinosim.Show(g.sim, casinosim.Listing{})
		if report := h.list(platform); len(report.Breaks) != 0 || report.Closed != 1 {
			t.Errorf("%s, mended: %v, %d closed", platform, found(report), report.Closed)
		}
	}
	// Without a readable id it may be any of ours: nothing is called absent by such a list.
	l := &list{}
	h.config.Sources = map[string]reconcile.Source{provider: l}
	r := reconcile.New(h.config)
	who := h.guest("betao", "ida", "50")
	who.done(who.bet(spin("betao", "whose", 5_00, 0)))
	h.SetClock(h.Now().Add(time.Minute))
	line := reconcile.Line{Type: reconcile.Debit, Amount: 1, Status: reconcile.OK, At: h.Now()}
	l.pages = []reconcile.Page{{Lines: []reconcile.Line{line}}}
	window := reconcile.Request{Provider: provider, From: time.Now().Add(-time.Minute), To: h.Now().Add(time.Hour)}
	for range 3 {
		report, err := r.Run(t.Context(), window)
		fatal(t, err)
		if report.Unreadable != 1 {
			t.Fatalf("%d unreadable", report.Unreadable)
		}
		for _, b := range report.Breaks {
			if b.Action == reconcile.ActRollback {
				t.Errorf("undone: %s", b.TransactionID)
			}
		}
		h.later(31 * time.Minute)
	}
}

// Lists that are late, and pages that lag, make no difference that stays.
func TestListsLateAndLagging(t *testing.T) {
	t.Parallel()
	h := openHouse(t)
	g := h.guest("naga", "jo", "1000")
	for i := range 150 {
		s := spin("naga", fmt.Sprint("lag", i), 1_00, 0)
		g.done(g.bet(s))
		casinosim.Enter(g.sim, g.Player, s, h.Now(), true)
	}
	casinosim.Show(g.sim, casinosim.Listing{Lag: 7})
	if report := h.list("naga"); len(report.Breaks) != 0 || report.Lines != 157 {
		t.Errorf("a lagging page: %d lines, %v", report.Lines, found(report))
	}
	casinosim.Show(g.sim, casinosim.Listing{Late: time.Hour})
	if _, err := h.Run(t.Context(), reconcile.Request{Provider: "naga", From: time.Now().Add(-time.Hour), To: time.Now().Add(time.Hour)}); err == nil {
		t.Error("a list that shows nothing yet was believed")
	}
	casinosim.Show(g.sim, casinosim.Listing{})
	if report := h.list("naga"); len(report.Breaks) != 0 {
		t.Errorf("in the end: %v", found(report))
	}
	g.has("850")
}
