package tg

import (
	"fmt"
	"strings"
	"testing"

	"evens/money"
)

// named is a call about one bet by the names that are given; "" leaves a name out.
func named(action, betID, transferID, stake, win string) string {
	text := fmt.Sprintf(`{"action":%q,"uid":"ana","roundId":"r1","brand":"VP","currency":"USD","gameCode":"VP_1"`, action)
	for _, name := range [][2]string{{"betId", betID}, {"transferId", transferID}} {
		if name[1] != "" {
			text += fmt.Sprintf(`,%q:%q`, name[0], name[1])
		}
	}
	if action != "rollback" {
		text += fmt.Sprintf(`,"actualBetAmt":%s,"winAmt":%s`, stake, win)
	}
	return text + "}"
}

// A bet has two names, and each of them, or both, stands for it: whichever comes, it is paid once, undone
// by either, and refused under either once it is undone.
func TestABetIsKnownByBothOfItsNames(t *testing.T) {
	t.Parallel()
	forms := [][2]string{{"b", "t"}, {"b", ""}, {"", "t"}}
	for _, first := range forms {
		for _, second := range forms {
			if first != forms[0] && second != forms[0] && first != second {
				continue // nothing has tied the names together
			}
			for _, third := range forms {
				t.Run(fmt.Sprint(first, second, third), func(t *testing.T) {
					t.Parallel()
					bet := func(names [2]string) string { return named("betNSettle", names[0], names[1], "10", "4") }
					retry := func(names [2]string) string { return named("retryBet", names[0], names[1], "10", "4") }
					back := func(names [2]string) string { return named("rollback", names[0], names[1], "", "") }
					tied := third == forms[0] || first == forms[0] || second == forms[0] || third == first
					if !tied {
						return
					}
					p := open(t)
					ana := p.hall.Player(t, "ana", money.MustParse("100"))
					for i, step := range []struct{ says, status, cash string }{
						{bet(first), "0000", "94"}, {retry(second), "2001", "94"}, {retry(third), "2001", "94"},
						{back(third), "0000", "100"}, {back(second), "2001", "100"}, {back(first), "2001", "100"},
						{bet(first), "9999", "100"}, {retry(second), "9999", "100"}, {bet(third), "9999", "100"},
					} {
						answer := p.call(step.says)
						if cash := p.hall.Cash(t, ana); !strings.Contains(answer.Body, step.status) || cash != money.MustParse(step.cash) {
							t.Errorf("step %d, %s: %s, cash %s, want %s, %s", i, step.says, answer.Body, cash, step.status, step.cash)
						}
					}
					if n := len(p.hall.Kinds(t, Provider)); n != 2 {
						t.Errorf("%v", p.hall.Kinds(t, Provider))
					}
				})
			}
		}
	}
}

// Cancelled before it came, by either name, a bet is refused under both.
func TestABetThatWasCancelledBeforeItCame(t *testing.T) {
	t.Parallel()
	forms := [][2]string{{"b", "t"}, {"b", ""}, {"", "t"}}
	for _, cancelled := range forms {
		for _, comes := range forms {
			if cancelled != forms[0] && comes != forms[0] && cancelled != comes {
				continue
			}
			t.Run(fmt.Sprint(cancelled, comes), func(t *testing.T) {
				t.Parallel()
				p := open(t)
				ana := p.hall.Player(t, "ana", money.MustParse("100"))
				for i, step := range []struct{ says, status string }{
					{named("rollback", cancelled[0], cancelled[1], "", ""), "0000"},
					{named("betNSettle", comes[0], comes[1], "10", "40"), "9999"},
					{named("retryBet", comes[0], comes[1], "10", "40"), "9999"},
					{named("rollback", comes[0], comes[1], "", ""), "2001"},
				} {
					if answer := p.call(step.says); !strings.Contains(answer.Body, step.status) {
						t.Errorf("step %d, %s: %s", i, step.says, answer.Body)
					}
				}
				if cash := p.hall.Cash(t, ana); cash != money.MustParse("100") {
					t.Errorf("cash = %s", cash)
				}
			})
		}
	}
}

// The id of one bet may be the other name of another, and a transferId that is used for two bets names the
// first of them.
func TestNamesOfOtherBets(t *testing.T) {
	t.Parallel()
	p := open(t)
	ana := p.hall.Player(t, "ana", money.MustParse("100"))
	other := func(call string) string { return strings.Replace(call, `"r1"`, `"r2"`, 1) }
	for i, step := range []struct{ says, status, cash string }{
		{named("betNSettle", "1", "2", "10", "0"), "0000", "90"},
		{other(named("betNSettle", "2", "3", "20", "0")), "0000", "70"},
		{other(named("betNSettle", "4", "2", "20", "0")), "1006", "70"},
		{other(named("rollback", "5", "2", "", "")), "0000", "70"},
		{named("rollback", "", "2", "", ""), "0000", "80"},
		{other(named("rollback", "", "3", "", "")), "0000", "100"},
		{named("retryBet", "6", "7", "200", "0"), "1006", "100"},
		{named("retryBet", "", "7", "200", "0"), "1006", "100"},
		{named("retryBet", "", "7", "1", "0"), "1006", "100"},
	} {
		answer := p.call(step.says)
		if cash := p.hall.Cash(t, ana); !strings.Contains(answer.Body, step.status) || cash != money.MustParse(step.cash) {
			t.Errorf("step %d, %s: %s, cash %s, want %s, %s", i, step.says, answer.Body, cash, step.status, step.cash)
		}
	}
}
