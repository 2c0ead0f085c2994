package betao

import (
	"fmt"
	"strings"
	"testing"

	"evens/money"
)

func told(kind, id, round, amount, player string) string {
	return fmt.Sprintf(`{"type":%q,"player_id":%q,"amount":%s,"currency":"USD","transaction_id":%q,"round_id":%q}`, kind, player, amount, id, round)
}

// tell sends callbacks, each of which is answered with 200 and nothing, and works them off.
func (p partner) tell(bodies ...string) {
	p.t.Helper()
	for _, body := range bodies {
		if answer := p.call("/callback", body); answer.Status != 200 || answer.Body != "" {
			p.t.Errorf("%s: %d %q", body, answer.Status, answer.Body)
		}
		for _, notice := range *p.rung {
			if err := p.notices.Work(p.t.Context(), notice.ID); err != nil {
				p.t.Errorf("work notice %d: %v", notice.ID, err)
			}
		}
	}
}

// A transaction_id that has been told of stands for what was told: another kind of message, or another
// content, is another message. Whatever cannot be done waits for a person although it was answered as
// done.
func TestCallbacksOfOneID(t *testing.T) {
	t.Parallel()
	bet, win := told("debit", "d1", "r", "10", "ana"), told("credit", "c1", "r", "4", "ana")
	for _, test := range []struct {
		name   string
		told   []string
		cash   string
		breaks string
	}{
		{"a rollback under its debit's id", []string{bet, `{"type":"rollback","transaction_id":"d1","original_transaction_id":"d1"}`}, "100", ""},
		{"and without the original's", []string{bet, `{"type":"rollback","transaction_id":"d1"}`}, "100", ""},
		{"twice", []string{bet, `{"type":"rollback","transaction_id":"d1"}`, `{"type":"rollback","transaction_id":"d1"}`}, "100", ""},
		{"of a credit", []string{bet, win, `{"type":"rollback","transaction_id":"c1"}`}, "90", ""},
		{"a rollback of an id of its own", []string{bet, `{"type":"rollback","transaction_id":"x9"}`}, "90", "status x9"},
		{"which is told of at last", []string{`{"type":"rollback","transaction_id":"d1"}`, bet, `{"type":"rollback","transaction_id":"d1"}`}, "100", ""},
		{"the same again", []string{bet, bet, win, win}, "94", ""},
		{"the same in other letters", []string{bet, strings.Replace(bet, "10,", `"10.00",`, 1), strings.Replace(bet, `"debit"`, `"BET"`, 1)}, "90", ""},
		{"another amount", []string{bet, win, told("credit", "c1", "r", "5", "ana")}, "94", "duplicate c1"},
		{"another round", []string{bet, told("debit", "d1", "r2", "10", "ana")}, "90", "duplicate d1"},
		{"another kind", []string{bet, told("credit", "d1", "r", "10", "ana")}, "90", "duplicate d1"},
		{"another player", []string{bet, told("debit", "d1", "r", "10", "bob")}, "90", "duplicate d1"},
		{"nobody's", []string{told("credit", "c1", "r", "4", "nobody")}, "100", "player c1"},
		{"too much", []string{told("debit", "d1", "r", "400", "ana")}, "100", "missing_here d1"},
		{"a win of what was rolled back", []string{bet, `{"original_transaction_id":"d1"}`, win}, "100", "status c1"},
		{"nonsense", []string{`{"type":"dance","transaction_id":"x"}`}, "100", "unreadable x"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			p := open(t)
			ana := p.hall.Player(t, "ana", money.MustParse("100"))
			bob := p.hall.Player(t, "bob", 0)
			p.tell(test.told...)
			if cash := p.hall.Cash(t, ana); cash != money.MustParse(test.cash) {
				t.Errorf("cash = %s, want %s", cash, test.cash)
			}
			if cash := p.hall.Cash(t, bob); cash != 0 {
				t.Errorf("another player's cash = %s", cash)
			}
			if got := strings.Join(p.hall.OpenBreaks(t, Provider), ", "); got != test.breaks {
				t.Errorf("breaks: %q, want %q", got, test.breaks)
			}
		})
	}
}

// What was refused is tried again when it is told again, and a person has nothing left to look at.
func TestARefusedCallbackIsTriedAgain(t *testing.T) {
	t.Parallel()
	p := open(t)
	win := told("credit", "c1", "r", "4", "carol")
	p.tell(win, win)
	if got := strings.Join(p.hall.OpenBreaks(t, Provider), ", "); got != "player c1" {
		t.Errorf("breaks: %q", got)
	}
	carol := p.hall.Player(t, "carol", 0)
	p.tell(win, win)
	if cash := p.hall.Cash(t, carol); cash != money.MustParse("4") {
		t.Errorf("cash = %s, want 4.00", cash)
	}
	if got := strings.Join(p.hall.OpenBreaks(t, Provider), ", "); got != "" {
		t.Errorf("breaks: %q", got)
	}
}
