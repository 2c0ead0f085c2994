package tg

import (
	"strings"
	"testing"
	"time"

	"evens/explain"
	"evens/ledger"
	"evens/money"
	"evens/player"
)

// What TG says of a bet besides its money is kept with it, moves nothing, and is told to the player's
// history and to whoever asks for an explanation.
func TestWhatABetSaysBesidesItsMoney(t *testing.T) {
	t.Parallel()
	p := open(t)
	ana := p.hall.Player(t, "ana", money.MustParse("100"))
	with := func(id, valid, jackpot string) string {
		said := strings.Replace(spin("betNSettle", id, "10", "60"), `"jackpotWin":0`, `"jackpotWin":`+jackpot, 1)
		return strings.Replace(said, `"gameInfo"`, `"validBetAmt":`+valid+`,"gameInfo"`, 1)
	}
	for i, step := range []struct{ says, want string }{
		{with("plain", "10", "0"), says("0000", "", "150.00")},
		{with("jackpot", "8.5", "50"), says("0000", "", "200.00")}, // winAmt includes it
		{with("jackpot", "8.5", "50"), says("2001", "", "200.00")},
		{with("nothing told", "null", "0"), says("0000", "", "250.00")},
		{with("free", "0", "0"), says("0000", "", "300.00")},
		{with("bad", "-1", "0"), says("9999", "unreadable", "0.00")},
		{rollback("free"), says("0000", "", "250.00")},
	} {
		if answer := p.call(step.says); answer.Body != step.want {
			t.Errorf("step %d:\n got %s\nwant %s", i, answer.Body, step.want)
		}
	}
	movements, err := player.NewHistory(p.hall.DB).Page(t.Context(), ana.ID, player.HistoryFilter{Types: []string{string(ledger.BetWin)}}, 10)
	if err != nil {
		t.Fatal(err)
	}
	shown := map[string]string{}
	for _, m := range movements {
		text := ""
		if m.ValidStake != nil {
			text += m.ValidStake.String()
		}
		if m.JackpotWin != nil {
			text += " " + m.JackpotWin.String()
		}
		shown[m.TransactionID] = text
	}
	for id, want := range map[string]string{"plain": "", "jackpot": "8.50 50.00", "nothing told": "", "free": "0.00 0.00"} {
		if got, has := shown[id]; !has || got != want {
			t.Errorf("%s is shown with %q, want %q", id, got, want)
		}
	}
	steps, err := explain.Player(t.Context(), p.hall.DB, "ana", p.hall.Now().Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	var told []string
	for _, step := range steps {
		if strings.Contains(step.Why, "jackpot") || strings.Contains(step.Why, "turnover") {
			told = append(told, step.Why)
		}
	}
	want := []string{"50.00 of the win was paid by a jackpot", "8.50 of the stake counts as turnover there", "0.00 of the stake counts as turnover there"}
	if text := strings.Join(told, "; "); len(told) != 2 || !strings.Contains(text, want[0]) || !strings.Contains(text, want[1]) || !strings.Contains(text, want[2]) {
		t.Errorf("the explanation says %q", told)
	}
}
