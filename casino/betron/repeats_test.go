package betron

import (
	"strings"
	"testing"

	"evens/casino/casinotest"
	"evens/money"
)

// A bet that was refunded is refused when it comes again; one that stands is answered as at first.
func TestARefundedBetIsNotDone(t *testing.T) {
	t.Parallel()
	hall, url := open(t, Config{})
	hall.Player(t, "12345", money.MustParse("100"))
	refund := `{"method":"refund","user_id":"12345","amount":"10.00","transaction_id":"T1"}`
	for i, step := range []struct{ says, want string }{
		{says("transaction_bet", "12345", "10.00", "T1"), `{"status":1,"balance":"90.00"}`},
		{says("transaction_bet", "12345", "10.00", "T1"), `{"status":1,"balance":"90.00"}`},
		{refund, `{"status":1,"balance":"100.00"}`},
		{says("transaction_bet", "12345", "10.00", "T1"), `{"status":0,"msg":"INVALID_PARAMETER","balance":"100.00"}`},
		{refund, `{"status":1,"balance":"100.00"}`},
	} {
		if answer := casinotest.Post(t, url+"/casino/betron", nil, []byte(step.says)); answer.Body != step.want {
			t.Errorf("step %d, %s:\n got %s\nwant %s", i, step.says, answer.Body, step.want)
		}
	}
}

// A win of a bet's id that was paid before the bet is refunded is left to a person; one that comes after the
// refund is refused, and a person sees that too.
func TestARefundBesideAWinOfItsID(t *testing.T) {
	t.Parallel()
	bet, win := says("transaction_bet", "12345", "10.00", "T1"), says("transaction_win", "12345", "50.00", "T1")
	refund := `{"method":"refund","user_id":"12345","amount":"10.00","transaction_id":"T1"}`
	dear := says("transaction_bet", "12345", "500.00", "T1")
	for name, c := range map[string]struct {
		order        []string
		cash, breaks string
		refused      int
	}{
		"won first":      {[]string{bet, win, refund, refund, win}, "150", "status T1", 0},
		"refunded first": {[]string{bet, refund, win, win}, "100", "status T1", 2},
		"never came":     {[]string{refund, win, bet}, "100", "status T1", 2},
		"refused":        {[]string{dear, win}, "100", "status T1", 2},
		"stands":         {[]string{bet, win, says("transaction_win", "12345", "1.00", "W2")}, "141", "", 0},
		"not its own":    {[]string{bet, refund, says("transaction_win", "12345", "50.00", "W2")}, "100", "status W2", 1},
		"no bet at all":  {[]string{says("transaction_win", "12345", "50.00", "W2")}, "150", "", 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			hall, url := open(t, Config{})
			ana := hall.Player(t, "12345", money.MustParse("100"))
			refused := 0
			for _, body := range c.order {
				if answer := casinotest.Post(t, url+"/casino/betron", nil, []byte(body)); !strings.Contains(answer.Body, `"status":1`) {
					refused++
				}
			}
			if cash := hall.Cash(t, ana); cash != money.MustParse(c.cash) || refused != c.refused {
				t.Errorf("cash = %s, want %s; %d refused, want %d", cash, c.cash, refused, c.refused)
			}
			if got := strings.Join(hall.OpenBreaks(t, Provider), ", "); got != c.breaks {
				t.Errorf("breaks: %q, want %q", got, c.breaks)
			}
		})
	}
}

// A win follows the latest bet that stands, into the pockets that paid it: one that was refunded pays
// nothing any more, whether it was cash or bonus.
func TestAWinFollowsABetThatStands(t *testing.T) {
	t.Parallel()
	refund := `{"method":"refund","user_id":"12345","amount":"10.00","transaction_id":"B2"}`
	for name, c := range map[string]struct {
		cashFirst   bool
		cash, bonus string
	}{"cash stands": {true, "300", "20"}, "bonus stands": {false, "10", "310"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			hall, url := open(t, Config{})
			ana := hall.Player(t, "12345", 0)
			said := func(body string) {
				t.Helper()
				if answer := casinotest.Post(t, url+"/casino/betron", nil, []byte(body)); !strings.Contains(answer.Body, `"status":1`) {
					t.Errorf("%s: %s", body, answer.Body)
				}
			}
			first, second := says("transaction_bet", "12345", "10.00", "B1"), says("transaction_bet", "12345", "10.00", "B2")
			if c.cashFirst {
				hall.Deposit(t, ana.ID, money.MustParse("10"))
				said(first)
				hall.Grant(t, ana, money.MustParse("20"), 40*money.One, nil)
			} else {
				hall.Grant(t, ana, money.MustParse("20"), 40*money.One, nil)
				said(first)
				hall.Deposit(t, ana.ID, money.MustParse("10"))
			}
			said(second)
			said(refund)
			said(says("transaction_win", "12345", "300.00", "W"))
			balance, err := hall.Players.Balance(t.Context(), ana.ID)
			if err != nil || balance.Cash != money.MustParse(c.cash) || balance.Bonus != money.MustParse(c.bonus) {
				t.Errorf("cash %s, bonus %s, want %s and %s (%v)", balance.Cash, balance.Bonus, c.cash, c.bonus, err)
			}
		})
	}
}
