package reconcile_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"evens/casino"
	"evens/coupon"
	"evens/money"
	"evens/reconcile"
	"evens/settlement"
	"evens/sim/betsim"
)

// What was undone there and never came here is no difference; what was undone under another id is one.
func TestWhatWasUndoneThereAndNeverCame(t *testing.T) {
	t.Parallel()
	o := open(t, nil)
	before := o.Cash(t, o.who)
	report := o.run(header+o.line("credit", "credit", "50", "ok")+o.line("credit", "rollback", "50", "ok")+
		o.line("debit", "debit", "40", "ok")+o.line("debit", "rollback", "40", "ok")+o.line("failed", "credit", "30", "failed")+
		o.line("stands", "credit", "20", "ok")+o.line("other", "rollback", "20", "ok"), nil)
	same(t, found(report), map[string]string{"missing_here stands": "resolved post", "missing_here other": "open person"})
	if have := o.Cash(t, o.who); have != before+money.MustParse("20") || report.CancelledOut != 3 {
		t.Errorf("cash = %s, want %s and 20; %d ids are cancelled out, want 3", have, before, report.CancelledOut)
	}
}

// A break that a person ignores stays so and moves nothing, though the policy would heal it by now.
func TestAnIgnoredBreakSeenAgain(t *testing.T) {
	t.Parallel()
	o := open(t, nil)
	o.bet("failed", "6")
	healing := o.Reconciler
	policy, err := reconcile.ReadPolicy(strings.NewReader(`heal_limit: "0"`), reconcile.Providers(platforms))
	fatal(t, err)
	o.config.Policy = policy
	o.Reconciler = reconcile.New(o.config)
	csv := header + o.line("failed", "debit", "6", "failed") + o.line("win", "credit", "7", "ok") + o.line("kept", "credit", "8", "ok")
	first := o.run(csv, nil)
	same(t, found(first), map[string]string{"status failed": "open person", "missing_here win": "open person", "missing_here kept": "open person"})
	for _, b := range first.Breaks {
		if b.TransactionID != "kept" {
			fatal(t, o.End(t.Context(), *b.ID, reconcile.StateIgnored, "eva", "agreed by phone"))
		}
	}
	before := o.Cash(t, o.who)
	o.Reconciler = healing
	same(t, found(o.run(csv, nil)), map[string]string{
		"status failed": "ignored rollback", "missing_here win": "ignored post", "missing_here kept": "resolved post",
	})
	same(t, found(o.run(csv, nil)), map[string]string{"status failed": "ignored rollback", "missing_here win": "ignored post"})
	if have := o.Cash(t, o.who); have != before+money.MustParse("8") {
		t.Errorf("cash = %s, want %s and 8", have, before)
	}
	for _, b := range first.Breaks {
		now, events, err := o.Break(t.Context(), *b.ID)
		fatal(t, err)
		steps := ""
		for _, event := range events {
			steps += event.Event + " "
		}
		if b.TransactionID != "kept" && (now.State != reconcile.StateIgnored || now.HealedBy != nil || steps != "opened ignored ") {
			t.Errorf("%s: %s, %s", b.TransactionID, now.State, steps)
		}
	}
}

// A person who ignores a break while a run is about to heal it is heard: nothing moves.
func TestABreakIsIgnoredJustBeforeItHeals(t *testing.T) {
	t.Parallel()
	o := open(t, nil)
	_, err := o.DB.Pool.Exec(t.Context(), `
		CREATE FUNCTION eva_ignores() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
		    UPDATE breaks SET state = 'ignored', owner = 'eva' WHERE id = NEW.break_id AND transaction_id = 'ignored';
		    IF FOUND THEN
		        INSERT INTO break_events (break_id, at, event, operator, comment) VALUES (NEW.break_id, NEW.at, 'ignored', 'eva', 'by phone');
		    END IF;
		    RETURN NULL;
		END $$;
		CREATE TRIGGER eva AFTER INSERT ON break_events FOR EACH ROW WHEN (NEW.event = 'opened') EXECUTE FUNCTION eva_ignores()`)
	fatal(t, err)
	before := o.Cash(t, o.who)
	report := o.run(header+o.line("ignored", "credit", "7", "ok")+o.line("healed", "credit", "8", "ok"), nil)
	if have := o.Cash(t, o.who); have != before+money.MustParse("8") || found(report)["missing_here healed"] != "resolved post" {
		t.Errorf("cash = %s, want %s and 8; %v", have, before, found(report))
	}
	breaks, err := o.Breaks(t.Context(), reconcile.Filter{Provider: provider, States: []reconcile.State{reconcile.StateIgnored}})
	fatal(t, err)
	if len(breaks) != 1 || breaks[0].TransactionID != "ignored" || breaks[0].HealedBy != nil {
		t.Errorf("ignored are %+v", breaks)
	}
}

// A list that lacks its end looks cut off by its own lines, whatever an older list had; and what another provider's
// lists lacked says nothing of this one's.
func TestAListCutOffBesideOthers(t *testing.T) {
	t.Parallel()
	l, other := &list{}, &list{pages: []reconcile.Page{{}}}
	o := open(t, map[string]reconcile.Source{provider: l, "tg": other})
	start := time.Now().UTC()
	o.SetClock(start)
	o.past(48)
	cut := o.lines(0, 48)
	o.SetClock(start.Add(time.Minute))
	o.bet("b48", "1")
	o.bet("b49", "1")
	for i := range 25 {
		call := casino.Call{Provider: "tg", ID: fmt.Sprint("t", i), Player: o.who, At: o.Now(), Round: casino.Round{ID: fmt.Sprint("rt", i)}}
		_, err := o.Floor.Bet(t.Context(), casino.Bet{Call: call, Stake: 1})
		fatal(t, err)
	}
	o.SetClock(start.Add(2 * time.Minute))
	window := func(provider string) reconcile.Request {
		return reconcile.Request{Provider: provider, From: start.Add(-time.Hour), To: start.Add(time.Hour)}
	}
	l.pages = []reconcile.Page{{Lines: o.lines(0, 50)}}
	report, err := o.Run(t.Context(), window(provider))
	if err != nil || len(report.Breaks) != 0 {
		t.Fatalf("the whole list: %+v, %v", report, err)
	}
	for i := range 2 {
		o.SetClock(start.Add(time.Duration(3+i) * time.Minute))
		if _, err := o.Run(t.Context(), window("tg")); !errors.Is(err, reconcile.ErrCut) {
			t.Fatalf("the other's list: %v", err)
		}
	}
	l.pages = []reconcile.Page{{Lines: cut}}
	before := o.Cash(t, o.who)
	if _, err := o.Run(t.Context(), window(provider)); !errors.Is(err, reconcile.ErrCut) || o.Cash(t, o.who) != before {
		t.Errorf("a list without its end: %v, cash %s of %s", err, o.Cash(t, o.who), before)
	}
	if breaks, err := o.Breaks(t.Context(), reconcile.Filter{Provider: provider}); err != nil || len(breaks) != 0 {
		t.Errorf("%+v, %v", breaks, err)
	}
}

// A run that was cut off goes on within an hour. After two it is begun anew, with a window of its own; another
// provider's run begins its own at once.
func TestAnUnfinishedRunGetsOld(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		after time.Duration
		goes  string // the cursor that is asked for first
	}{{59 * time.Minute, "1"}, {2 * time.Hour, ""}} {
		t.Run(test.after.String(), func(t *testing.T) {
			t.Parallel()
			l, other := &list{stop: 1}, &list{pages: []reconcile.Page{{}}}
			o := open(t, map[string]reconcile.Source{provider: l, "tg": other})
			o.past(30)
			l.pages = []reconcile.Page{{Lines: o.lines(0, 10)}, {Lines: o.lines(10, 20)}, {Lines: o.lines(20, 30)}}
			begun := o.Now().Add(reconcile.Lag + reconcile.Skew + time.Minute)
			o.SetClock(begun)
			ctx, cancel := context.WithCancel(t.Context())
			l.kill = cancel
			if _, err := o.Run(ctx, reconcile.Request{Provider: provider}); err == nil {
				t.Fatal("a killed run went well")
			}
			l.kill, l.asked = nil, nil
			if _, err := o.Run(t.Context(), reconcile.Request{Provider: "tg"}); err != nil || len(other.asked) != 1 || other.asked[0] != "" {
				t.Errorf("another provider's run: %q, %v", other.asked, err)
			}
			o.SetClock(begun.Add(test.after))
			report, err := o.Run(t.Context(), reconcile.Request{Provider: provider})
			if err != nil || len(report.Breaks) != 0 || report.Lines != 30 {
				t.Fatalf("report = %+v, %v", report, err)
			}
			if l.asked[0] != test.goes || (test.goes == "") != report.To.After(begun) {
				t.Errorf("it went on at %q, to %s", l.asked, report.To)
			}
		})
	}
}

// A day that is closed again counts what it counted, whatever has come since, and leaves the day after it alone.
func TestADayClosedAgain(t *testing.T) {
	t.Parallel()
	o := open(t, nil)
	o.bet("b", "10")
	today := time.Now().UTC().Truncate(24 * time.Hour)
	tomorrow := today.Add(24 * time.Hour)
	o.SetClock(tomorrow.Add(25 * time.Hour))
	o.Sealable(t)
	figure := func(day time.Time) (text string) {
		t.Helper()
		lines, err := o.Closing(t.Context(), day)
		fatal(t, err)
		for _, line := range lines {
			if line.Item == "betao/stakes" || line.Item == "cash" {
				text += line.Item + " " + line.Ours.String()
				if line.Theirs != nil {
					text += " / " + line.Theirs.String()
				}
				text += "; "
			}
		}
		return text
	}
	for _, day := range []time.Time{today, tomorrow} {
		_, err := o.Close(t.Context(), day)
		fatal(t, err)
	}
	was := figure(tomorrow)
	const cash = "cash 10057.00; "
	if got := figure(today); got != "betao/stakes 10.00; "+cash || was != cash {
		t.Errorf("closed: %s, then %s", got, was)
	}
	o.bet("late", "5")
	o.SetClock(time.Now().UTC())
	o.run(header+o.line("b", "debit", "10", "ok")+o.line("late", "debit", "5", "ok"), nil)
	o.SetClock(tomorrow.Add(25 * time.Hour))
	o.Sealable(t)
	for range 2 {
		_, err := o.Close(t.Context(), today)
		fatal(t, err)
	}
	if got := figure(today); got != "betao/stakes 10.00 / 15.00; "+cash {
		t.Errorf("closed again: %s", got)
	}
	var versions string
	fatal(t, o.DB.Pool.QueryRow(t.Context(), `
		SELECT string_agg(n::text, ' ' ORDER BY day) FROM (SELECT day, max(version) AS n FROM closings GROUP BY day) c`).Scan(&versions))
	if got := figure(tomorrow); got != was || versions != "2 1" {
		t.Errorf("the day after: %s, want %s; versions %s", got, was, versions)
	}
}

// Placements that were refused and results that wait, or that a person refused, are failures of their time and
// provider; what went well is none.
func TestFailuresOfABookmaker(t *testing.T) {
	t.Parallel()
	c, chunks := openCounter(t, betsim.Config{Seed: 31}, 0)
	refusing, _ := openCounter(t, betsim.Config{Seed: 32, Reject: 1000}, 0)
	at := fmt.Sprint(time.Now().UTC().Unix())
	placed := c.place("10")
	c.push(chunks, head(placed.BetCode, "2/0", "20.00", at), head("unknown-1", "2/0", "20.00", at), head("unknown-2", "4/0", "0", at))
	var id int64
	fatal(t, c.db.Pool.QueryRow(t.Context(), `SELECT id FROM results WHERE bar_code = 'unknown-2'`).Scan(&id))
	fatal(t, c.settler.Refuse(t.Context(), settlement.Decision{Result: id, Operator: "eva@example.com", Comment: "not ours"}))
	refused := refusing.place("12")
	if refused.Status != coupon.Rejected {
		t.Fatalf("placed: %+v", refused)
	}
	list := func(c counter, provider string, to time.Time) (lines []string) {
		t.Helper()
		filter := reconcile.FailureFilter{From: time.Now().Add(-time.Hour), To: to, Provider: provider}
		for f, err := range c.Failures(t.Context(), filter) {
			fatal(t, err)
			lines = append(lines, fmt.Sprintf("%s %s %s %s %s: %s", f.Provider, f.Code, f.TransactionID, f.PlayerID, f.Amount, f.Done))
		}
		return lines
	}
	soon := time.Now().Add(time.Minute)
	for name, test := range map[string]struct {
		of   counter
		by   string
		to   time.Time
		want []string
	}{
		"results": {c, "bet", soon, []string{
			"bet unknown_bar_code unknown-1  20.0000: waits for a person", "bet refused unknown-2  0.0000: refused by a person",
		}},
		"a placement":      {refusing, "bet", soon, []string{"bet " + refused.ErrorCode + "  ana 12.0000: stake returned"}},
		"another provider": {c, "tg", soon, nil},
		"an earlier time":  {c, "", time.Now().Add(-time.Minute), nil},
	} {
		if got := list(test.of, test.by, test.to); fmt.Sprint(got) != fmt.Sprint(test.want) {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}

// A code that the list gives to another player is not the unconfirmed coupon's, though all else is alike.
func TestABarCodeOfAnotherPlayer(t *testing.T) {
	t.Parallel()
	c, _ := openCounter(t, betsim.Config{Seed: 33, LoseAnswer: 1000}, 0)
	ours, theirs := c.unconfirmed("12.34")
	for _, row := range []string{couponRow(theirs.BetCode, "nora", "12.34", "open"), couponRow(theirs.BetCode, "nora", "24.68", "won")} {
		same(t, found(c.run(header+row)), map[string]string{"missing_here " + theirs.BetCode: "open person"})
		c.stands(ours, coupon.Unconfirmed, "")
	}
	same(t, found(c.run(header+couponRow(theirs.BetCode, "ana", "12.34", "open"))), map[string]string{"missing_here " + theirs.BetCode: "resolved adopt"})
	c.stands(ours, coupon.Accepted, theirs.BetCode)
}
