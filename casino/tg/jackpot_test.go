package tg

import (
	"strings"
	"testing"

	"evens/money"
)

// Where TG's winAmt does not include jackpotWin, both are paid: a bet of 1.00 that wins 10.00 and a jackpot of 5.00
// leaves the player 14.00 richer. By default it is part of the win: 9.00.
func TestAJackpotApart(t *testing.T) {
	t.Parallel()
	won := func(id, jackpot string) string {
		return strings.Replace(spin("betNSettle", id, "1", "10"), `"jackpotWin":0`, `"jackpotWin":`+jackpot, 1)
	}
	for _, apart := range []bool{true, false} {
		p := open(t, func(c *Config) { c.JackpotApart = apart })
		ana, bob := p.hall.Player(t, "ana", money.MustParse("100")), p.hall.Player(t, "bob", money.MustParse("100"))
		cash := map[bool][]string{true: {"114", "114", "123", "109"}, false: {"109", "109", "118", "109"}}[apart]
		for i, says := range []string{won("one", "5"), won("one", "5"), won("none", "0"), rollback("one")} {
			answer := p.call(says)
			if got := p.hall.Cash(t, ana); got != money.MustParse(cash[i]) {
				t.Errorf("apart %t, step %d: %s, cash %s, want %s", apart, i, answer.Body, got, cash[i])
			}
		}
		if got := p.hall.Cash(t, bob); got != money.MustParse("100") {
			t.Errorf("the neighbour has %s", got)
		}
	}
}
