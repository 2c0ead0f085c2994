package betao

import (
	"fmt"
	"strings"
	"testing"

	"evens/casino/casinotest"
	"evens/money"
)

// message is one of theirs, to a wallet route.
type message struct{ route, body string }

func move(route, id, round, amount string) message {
	return message{route, fmt.Sprintf(`{"player_id":"ana","amount":%s,"currency":"USD","transaction_id":%q,"round_id":%q}`, amount, id, round)}
}

func back(id string) message {
	return message{"rollback", fmt.Sprintf(`{"original_transaction_id":%q}`, id)}
}

func (p partner) say(m message) casinotest.Answer { return p.call("/api/v3/wallet/"+m.route, m.body) }

// breaks lists the open breaks as kind and id.
func (p partner) breaks() []string {
	p.t.Helper()
	return p.hall.OpenBreaks(p.t, Provider)
}

// A debit that is rolled back takes with it what its round has won, in whatever order they come; where
// the round is known too late, a person sees it.
func TestAWinGoesWithItsDebit(t *testing.T) {
	t.Parallel()
	bet, win, undo := move("debit", "d", "r", "100"), move("credit", "c", "r", "500"), back("d")
	for _, test := range []struct {
		name   string
		order  []message
		cash   string
		breaks string
	}{
		{"win, then rollback", []message{bet, win, undo}, "100", ""},
		{"rollback, then win", []message{bet, undo, win}, "100", ""},
		{"win told again", []message{bet, win, undo, win, undo}, "100", ""},
		{"win rolled back too", []message{bet, win, undo, back("c")}, "100", ""},
		{"win rolled back before", []message{bet, win, back("c"), undo}, "100", ""},
		{"a debit that comes late", []message{undo, bet, win}, "100", ""},
		{"a debit that comes last", []message{undo, win, bet}, "600", "status d"},
		{"a win before its debit", []message{win, bet, undo}, "100", ""},
		{"two wins", []message{bet, win, move("credit", "c2", "r", "7"), undo}, "100", ""},
		{"a lost round", []message{bet, move("credit", "c", "r", "0"), undo}, "100", ""},
		{"a bet that stands keeps the win", []message{bet, move("debit", "d2", "r", "0"), win, undo}, "600", ""},
		{"until it goes too", []message{bet, move("debit", "d2", "r", "0"), win, undo, back("d2")}, "100", ""},
		{"another round's win stays", []message{bet, move("credit", "c", "r2", "5"), undo}, "105", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			p := open(t)
			ana := p.hall.Player(t, "ana", money.MustParse("100"))
			for _, m := range test.order {
				p.say(m)
			}
			if cash := p.hall.Cash(t, ana); cash != money.MustParse(test.cash) {
				t.Errorf("cash = %s, want %s", cash, test.cash)
			}
			if got := strings.Join(p.breaks(), ", "); got != test.breaks {
				t.Errorf("breaks: %q, want %q", got, test.breaks)
			}
		})
	}
}

// What went with its debit comes back to the unit from where it went: the bonus that paid the stake.
func TestAWinOfABonusGoesWithItsDebit(t *testing.T) {
	t.Parallel()
	p := open(t)
	ana := p.hall.Player(t, "ana", money.MustParse("5"))
	p.hall.Grant(t, ana, money.MustParse("50"), 40*money.One, nil)
	for _, m := range []message{move("debit", "d", "r", "10"), move("credit", "c", "r", "30"), back("d")} {
		if answer := p.say(m); answer.Status != 200 {
			t.Errorf("%s: %s", m.body, answer.Body)
		}
	}
	if b := p.hall.Bonus(t, ana); b.Balance.String() != "50.00" || b.Wagered != 0 {
		t.Errorf("the bonus has %s, wagered %s", b.Balance, b.Wagered)
	}
	if cash := p.hall.Cash(t, ana); cash.String() != "5.00" {
		t.Errorf("cash %s", cash)
	}
}
