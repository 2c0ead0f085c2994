package betron

import (
	"strings"
	"testing"

	"evens/casino/casinotest"
	"evens/money"
	"evens/wallet"
)

// A stake that is larger than the bonus lets one be is no want of money.
func TestAStakeOverTheBonussLargest(t *testing.T) {
	t.Parallel()
	hall, url := open(t, Config{})
	ana := hall.Player(t, "12345", 0)
	terms := wallet.OpenTerms()
	terms.MaxStake = money.MustParse("5")
	hall.Grant(t, ana, money.MustParse("50"), 40*money.One, terms)
	for _, step := range []struct{ amount, want string }{
		{"5.01", `{"status":0,"msg":"INVALID_PARAMETER","balance":"50.00"}`},
		{"50.01", `{"status":0,"msg":"INSUFFICIENT_USER_FUNDS","balance":"50.00"}`},
		{"5.00", `{"status":1,"balance":"45.00"}`},
	} {
		answer := casinotest.Post(t, url+"/casino/betron", nil, []byte(says("transaction_bet", "12345", step.amount, "b"+strings.TrimSuffix(step.amount, ".00"))))
		if answer.Body != step.want {
			t.Errorf("%s: %s, want %s", step.amount, answer.Body, step.want)
		}
	}
}
