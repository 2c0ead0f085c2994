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

// A win may have the id of a bet without being that bet's, and nothing else tells: a refund beside it is
// done, and a person sees it, whichever came first.
func TestARefundBesideAWinOfItsID(t *testing.T) {
	t.Parallel()
	bet, win := says("transaction_bet", "12345", "10.00", "T1"), says("transaction_win", "12345", "50.00", "T1")
	refund := `{"method":"refund","user_id":"12345","amount":"10.00","transaction_id":"T1"}`
	for name, order := range map[string][]string{"won first": {bet, win, refund, refund}, "refunded first": {bet, refund, win, win}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			hall, url := open(t, Config{})
			ana := hall.Player(t, "12345", money.MustParse("100"))
			for _, body := range order {
				if answer := casinotest.Post(t, url+"/casino/betron", nil, []byte(body)); !strings.Contains(answer.Body, `"status":1`) {
					t.Errorf("%s: %s", body, answer.Body)
				}
			}
			if cash := hall.Cash(t, ana); cash != money.MustParse("150") {
				t.Errorf("cash = %s, want 150.00", cash)
			}
			if got := strings.Join(hall.OpenBreaks(t, Provider), ", "); got != "status T1" {
				t.Errorf("breaks: %q", got)
			}
		})
	}
	hall, url := open(t, Config{})
	hall.Player(t, "12345", money.MustParse("100"))
	for _, body := range []string{bet, win, says("transaction_win", "12345", "1.00", "W2")} {
		casinotest.Post(t, url+"/casino/betron", nil, []byte(body))
	}
	if got := hall.OpenBreaks(t, Provider); len(got) != 0 {
		t.Errorf("a bet and its win raised %v", got)
	}
}
