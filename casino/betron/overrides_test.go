package betron

import (
	"fmt"
	"testing"

	"evens/casino"
	"evens/casino/casinotest"
	"evens/money"
	"evens/wallet"
)

// Their catalogue has no categories: what a stake counts, and whether the bonus pocket pays for it, is
// said by platform, studio and game.
func TestRatesWithoutCategories(t *testing.T) {
	t.Parallel()
	hall, url := open(t, Config{})
	ana := hall.Player(t, "12345", 0)
	err := hall.Floor.Categories().Keep(t.Context(), []casino.Game{
		{Provider: Provider, Code: "SLOT", Studio: "Pragmatic Play"}, {Provider: Provider, Code: "LIVE", Studio: "Evolution Gaming"},
		{Provider: Provider, Code: "NONE", Studio: "Evolution Gaming"},
	})
	if err != nil {
		t.Fatal(err)
	}
	hall.Grant(t, ana, money.MustParse("100"), 40*money.One, &wallet.Terms{
		Games: map[string]wallet.Rate{"slots": wallet.Whole},
		Overrides: []wallet.Override{
			{Provider: Provider, Rate: wallet.Whole}, {Provider: Provider, Studio: "evolution gaming", Rate: wallet.Whole / 10},
			{Provider: Provider, Game: "NONE", Rate: 0}, {Provider: "tg", Rate: 0},
		},
	})
	for i, step := range []struct{ game, stake, answer, wagered string }{
		{"SLOT", "10.00", `{"status":1,"balance":"90.00"}`, "10.00"},
		{"UNLISTED", "10.00", `{"status":1,"balance":"80.00"}`, "20.00"},
		{"LIVE", "10.00", `{"status":1,"balance":"70.00"}`, "21.00"},
		{"NONE", "10.00", `{"status":0,"msg":"INSUFFICIENT_USER_FUNDS","balance":"0.00"}`, "21.00"},
	} {
		body := fmt.Sprintf(`{"method":"transaction_bet","user_id":"12345","amount":%q,"transaction_id":"T%d","game_id":%q}`, step.stake, i, step.game)
		if answer := casinotest.Post(t, url+"/casino/betron", nil, []byte(body)); answer.Body != step.answer {
			t.Errorf("%s: %s, want %s", step.game, answer.Body, step.answer)
		}
		if b := hall.Bonus(t, ana); b.Wagered.String() != step.wagered {
			t.Errorf("%s: wagered %s, want %s", step.game, b.Wagered, step.wagered)
		}
	}
}
