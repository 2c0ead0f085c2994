package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"evens/internal/testbed"
	"evens/money"
	"evens/wallet"
)

// largeDeed is a decision that takes two, and what it leaves in the activity log.
type largeDeed struct {
	name  string
	args  []string
	event string
}

// largeDeeds leaves what each decision that takes two can be made about.
func (i *installation) largeDeeds(t *testing.T) []largeDeed {
	t.Helper()
	u := i.unanswered(t, "5000")
	adopted, cancelled := u.place("900"), u.place("900")
	u.told(fmt.Sprintf(`{"KeyHead":{"BarCode":"theirs"},"Status":2,"AmountOut":1800,"DateRecive":%d}`, time.Now().Unix()))
	bonus, err := wallet.GiveBonus(t.Context(), u.poster, wallet.Grant{
		Player: u.who.ID, Amount: money.MustParse("800"), Currency: "USD", Wagering: money.One * 10, Campaign: "welcome", At: time.Now(), ExpiresAt: time.Now().Add(time.Hour),
	}, wallet.Request{})
	u.check(err)
	cash := wallet.Cash{Player: u.who.ID, Amount: money.MustParse("700"), Currency: "USD", Method: "pix", At: time.Now()}
	for _, id := range []string{"hers", "nobodys"} {
		cash.TransactionID = id
		u.check(wallet.Suspend(t.Context(), i.db, cash, wallet.DepositSucceeded, "bea", wallet.UnknownPlayer))
	}
	waiting, err := wallet.Suspense(t.Context(), i.db)
	u.check(err)
	return []largeDeed{
		{"adopt", []string{"coupon", "adopt", adopted, "--bet-code", "theirs"}, "coupon_adopted"},
		{"cancel", []string{"coupon", "cancel", cancelled}, "coupon_cancelled"},
		{"forfeit", []string{"bonus", "forfeit", "ana", bonus.ID.String()}, "bonus_forfeited"},
		{"assign", []string{"suspense", "assign", waiting[0].ID.String(), "--player", "ana"}, wallet.EventSuspenseAssigned},
		{"close", []string{"suspense", "close", waiting[1].ID.String(), "--as", "adjusted"}, wallet.EventSuspenseClosed},
	}
}

// A deed that fails leaves the first person's word as it was; one that is done has used it up; and without one
// nothing moves, whatever the decision is about.
func TestALargeDeedAndItsApprovalAreOne(t *testing.T) {
	t.Parallel()
	i := install(t, testbed.EmptyDatabase(t), testbed.Redis(t))
	i.employ(t)
	run := func(sql string) {
		t.Helper()
		if _, err := i.db.Pool.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	const moved = `SELECT count(*) FROM transfers`
	for _, deed := range i.largeDeeds(t) {
		does := func(role string) (code int, out string) {
			code, out, errors := i.told(t, operatorPassword+"\n", append(deed.args, "--comment", "agreed", "--operator", role+"@example.com")...)
			return code, out + errors
		}
		before := i.count(t, moved)
		for _, role := range []string{"finance", "finance"} {
			if code, out := does(role); code != 1 || !strings.Contains(out, "another operator must give the same command") {
				t.Errorf("%s by one person: %d %s", deed.name, code, out)
			}
		}
		run(`CREATE FUNCTION fails() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'the disk is full'; END $$;
			CREATE TRIGGER fails BEFORE INSERT ON activity_log FOR EACH ROW WHEN (NEW.event = '` + deed.event + `') EXECUTE FUNCTION fails()`)
		if code, out := does("admin"); code != 1 || !strings.Contains(out, "the disk is full") {
			t.Errorf("%s that fails: %d %s", deed.name, code, out)
		}
		run(`DROP TRIGGER fails ON activity_log; DROP FUNCTION fails`)
		if n := i.count(t, moved); n != before {
			t.Errorf("%s: %d transfers by a deed that was not done", deed.name, n-before)
		}
		if code, out := does("admin"); code != 0 {
			t.Errorf("%s, tried again: %d %s", deed.name, code, out)
		}
		if code, out := does("admin"); code == 0 {
			t.Errorf("%s twice: %s", deed.name, out)
		}
		if waiting := i.count(t, `SELECT count(*) FROM approvals WHERE decided_at IS NULL`); waiting != 0 {
			t.Errorf("%s: %d approvals wait", deed.name, waiting)
		}
	}
	if n := i.count(t, `SELECT count(*) FROM activity_log WHERE event = 'approval.given' AND operator = 'admin@example.com' AND detail->>'proposed_by' = 'finance@example.com'`); n != 5 {
		t.Errorf("%d approvals are in the activity log, want 5", n)
	}
	i.clean(t)
}
