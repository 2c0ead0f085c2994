package betron

import (
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
