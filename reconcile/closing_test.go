package reconcile_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"

	"evens/jobs/retention"
	"evens/money"
	"evens/reconcile"
	"evens/wallet"
)

// At the end of a day: everybody's balances and the house's together are nothing, and a provider's
// stakes and payouts stand beside theirs.
func TestClosing(t *testing.T) {
	t.Parallel()
	o := open(t, nil)
	o.bet("b1", "10")
	o.win("w1", "4")
	o.bet("b2", "7")
	o.rollback("b2")
	o.win("w2", "9")
	o.rollback("w2")
	csv := header + o.line("b1", "debit", "10", "ok") + o.line("w1", "credit", "4", "ok") +
		o.line("b2", "debit", "7", "ok") + o.line("b2", "rollback", "7", "ok")
	o.run(csv, nil)
	today := time.Now().UTC()
	if _, err := o.Close(t.Context(), today); err == nil {
		t.Error("a day was closed that is not over")
	}
	o.SetClock(today.Add(25 * time.Hour))
	o.Sealable(t)
	lines, err := o.Close(t.Context(), today)
	if err != nil {
		t.Fatal(err)
	}
	figures := map[string]string{}
	for _, line := range lines {
		text := line.Ours.String()
		if line.Theirs != nil {
			text += " / " + line.Theirs.String()
		}
		figures[line.Item] = text
		if line.Seal != 1 || line.Currency != "USD" {
			t.Errorf("line = %+v", line)
		}
	}
	for item, want := range map[string]string{
		"cash": "10061.00", "casino": "-61.00", "cashier": "-10000.00", "total": "0.00", // the neighbour's 67.00 included
		"betao/stakes": "10.00 / 10.00", "betao/payouts": "4.00 / 4.00", "betao/ggr": "6.00 / 6.00",
	} {
		if figures[item] != want {
			t.Errorf("%s: %s, want %s", item, figures[item], want)
		}
	}
	kept, err := o.Closing(t.Context(), today)
	if err != nil || len(kept) != len(lines) {
		t.Errorf("%d lines are kept of %d, %v", len(kept), len(lines), err)
	}
	var out bytes.Buffer
	if err := reconcile.WriteClosing(&out, kept); err != nil || !strings.Contains(out.String(), "USD,betao/ggr,6.00,6.00,0.00,1\n") {
		t.Errorf("CSV: %s, %v", &out, err)
	}
}

// A closing that is made anew is another version where something differs; what a provider's list said stays when the
// list itself is no longer kept, and no version is written over.
func TestClosingMadeAnew(t *testing.T) {
	t.Parallel()
	o := open(t, nil)
	o.bet("b1", "10")
	o.win("w1", "4")
	today := time.Now().UTC()
	o.SetClock(today.Add(25 * time.Hour))
	o.Sealable(t)
	closed := func(item string) (ours, theirs string, versions int) {
		t.Helper()
		lines, err := o.Close(t.Context(), today)
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range lines {
			if line.Item == item {
				ours = line.Ours.String()
				if line.Theirs != nil {
					theirs = line.Theirs.String()
				}
			}
		}
		if err := o.DB.Pool.QueryRow(t.Context(), `SELECT max(version) FROM closings`).Scan(&versions); err != nil {
			t.Fatal(err)
		}
		return ours, theirs, versions
	}
	want := func(what, theirs string, versions int) {
		t.Helper()
		if _, got, n := closed("betao/ggr"); got != theirs || n != versions {
			t.Errorf("%s: theirs %q in version %d, want %q in %d", what, got, n, theirs, versions)
		}
	}
	want("no list yet", "", 1)
	want("nothing new", "", 1)
	o.SetClock(today)
	o.run(header+o.line("b1", "debit", "10", "ok")+o.line("w1", "credit", "4", "ok"), nil)
	o.SetClock(today.Add(25 * time.Hour))
	want("a list has come", "6.00", 2)
	later := func() time.Time { return today.Add(48 * time.Hour) }
	pruner := retention.New(retention.Config{DB: o.DB, Now: later, Times: retention.Times{Statements: time.Hour}, Log: slog.New(slog.DiscardHandler)})
	if done, err := pruner.Run(t.Context(), "statement_lines"); err != nil || done.Rows == 0 {
		t.Fatalf("%+v, %v", done, err)
	}
	o.look(t) // pruned are lists of every provider
	want("the list is no longer kept", "6.00", 2)
	for _, change := range []string{`UPDATE closings SET theirs = 1`, `DELETE FROM closings`, `UPDATE break_events SET event = 'ignored'`,
		`DELETE FROM break_events`, `UPDATE activity_log SET operator = 'nobody'`, `DELETE FROM activity_log`, `TRUNCATE closings`} {
		if _, err := o.DB.Pool.Exec(t.Context(), change); err == nil || !strings.Contains(err.Error(), "never changed") {
			t.Errorf("%s: %v", change, err)
		}
	}
}

func TestFailures(t *testing.T) {
	t.Parallel()
	o := open(t, nil)
	from := o.Now().Add(-time.Minute)
	o.bet("b1", "10")
	o.rollback("b1")
	o.rollback("never")
	o.win("w-alone", "2")
	if _, err := o.DB.Pool.Exec(t.Context(), `
		INSERT INTO callbacks (id, at, provider, path, source, body, status, code, player_id)
		VALUES (gen_random_uuid(), now(), 'betao', '/', '', '', 402, 'insufficient_funds', $1), (gen_random_uuid(), now(), 'tg', '/', '', '', 200, 'ok', $1)`, o.who.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := o.DB.Pool.Exec(t.Context(), `
		INSERT INTO notices (provider, transaction_id, body, callback_id, state, reason, rung_at, received_at, done_at)
		VALUES ('betao', 'n1', '', gen_random_uuid(), 'refused', 'unreadable', now(), now(), now())`); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	filter := reconcile.FailureFilter{From: from, To: time.Now().Add(time.Minute), Provider: provider}
	if err := reconcile.WriteFailures(&out, o.Failures(t.Context(), filter)); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		",betao,rolled_back,b1,ana,10.0000,USD,undone,", ",betao,rolled_back_before,never,", ",betao,no_bet_known,w-alone,ana,2.0000,USD,\"paid, marked\",", ",betao,insufficient_funds,,ana,,USD,refused,callback ",
		",betao,unreadable,n1,,,,\"acknowledged, not done\",notice ",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no line with %q in\n%s", want, &out)
		}
	}
	if lines := strings.Count(out.String(), "\n"); lines != 6 {
		t.Errorf("%d lines, want a header and 5:\n%s", lines, &out)
	}
}

// The gateway's own list: a deposit that we never got is booked; nothing of ours is undone by itself.
func TestCashierList(t *testing.T) {
	t.Parallel()
	o := open(t, nil)
	if _, err := wallet.Withdraw(t.Context(), o.Poster, wallet.Cash{Player: o.who.ID, Amount: money.MustParse("50"), Currency: "USD", Method: "pix", TransactionID: "w1", At: o.Now()}); err != nil {
		t.Fatal(err)
	}
	csv := header + o.line("deposit-1", "deposit", "10000", "succeeded") + o.line("p1", "deposit", "25", "succeeded") + o.line("p2", "deposit", "9", "failed")
	report := o.run(csv, func(q *reconcile.Request) { q.Provider = wallet.CashSource })
	same(t, found(report), map[string]string{"missing_here p1": "resolved post", "missing_there w1": "open person"})
	if cash := o.Cash(t, o.who); cash != money.MustParse("9975") {
		t.Errorf("cash = %s", cash)
	}
}
