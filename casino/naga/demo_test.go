package naga

import (
	"fmt"
	"strings"
	"testing"

	"evens/money"
)

// The token of a game that was opened for fun bets no money, not even a free spin; what the same
// player bets with a token for money goes on.
func TestADemosTokenBetsNothing(t *testing.T) {
	t.Parallel()
	p := open(t, "100")
	ana, err := p.hall.Floor.Player(t.Context(), "ana")
	if err != nil {
		t.Fatal(err)
	}
	_, demo, err := p.hall.Sessions.Open(t.Context(), Provider, ana, "fortune-naga", true)
	if err != nil {
		t.Fatal(err)
	}
	paid := p.bet("b1", "t1", "10", "")
	if answer := p.call("place-bet", paid); answer.Status != 200 {
		t.Fatalf("a bet for money: %s", answer.Body)
	}
	for _, amount := range []string{"40", "0"} {
		data := strings.ReplaceAll(p.bet("b2", "t2", amount, ""), p.token, demo)
		if answer := p.call("place-bet", data); answer.Status != 400 || answer.Body != failed(400, "Player token is invalid or expired") {
			t.Errorf("a demo's bet of %s: %d %s", amount, answer.Status, answer.Body)
		}
		if answer := p.call("payout", strings.ReplaceAll(p.bet("b2", "p2", "500", ""), p.token, demo)); answer.Status != 400 {
			t.Errorf("its payout: %d %s", answer.Status, answer.Body)
		}
	}
	if answer := p.call("payout", p.bet("b1", "p1", "5", "")); answer.Status != 200 {
		t.Errorf("the payout of a bet for money: %s", answer.Body)
	}
	if cash := p.hall.Cash(t, ana); cash != money.MustParse("95") {
		t.Errorf("cash = %s, want 95.00", cash)
	}
	if answer := p.call("authorize", fmt.Sprintf(`{"playerToken":%q,"gameCode":"g","brandCode":"bc01","groupCode":"gc01"}`, demo)); answer.Status != 200 {
		t.Errorf("the demo's own sign-on: %s", answer.Body)
	}
}

// A bet that was canceled is refused when it comes again; one that stands is answered as at first.
func TestACanceledBetIsNotDone(t *testing.T) {
	t.Parallel()
	p := open(t, "100")
	balance := func(amount string) string { return `{"data":{"currency":"USD","balance":` + amount + `},"error":null}` }
	canceled := `{"data":{"betId":"b1","status":"CANCELED"},"error":null}`
	for i, step := range []struct {
		route, says string
		status      int
		want        string
	}{
		{"place-bet", p.bet("b1", "t1", "10.00", ""), 200, balance("90.00")},
		{"place-bet", p.bet("b1", "t1", "10.00", ""), 200, balance("90.00")},
		{"cancel-bet", `{"betId":"b1"}`, 200, canceled},
		{"place-bet", p.bet("b1", "t1", "10.00", ""), 400, failed(400, "Bet was canceled")},
		{"cancel-bet", `{"betId":"b1"}`, 200, canceled},
		{"payout", p.bet("b1", "p1", "5", ""), 400, failed(400, "Bet was canceled")},
		{"place-bet", p.bet("b2", "t2", "0", ""), 200, balance("100.00")}, // a free spin
		{"cancel-bet", `{"betId":"b2"}`, 200, strings.Replace(canceled, "b1", "b2", 1)},
		{"place-bet", p.bet("b2", "t2", "0", ""), 400, failed(400, "Bet was canceled")},
	} {
		if answer := p.call(step.route, step.says); answer.Status != step.status || answer.Body != step.want {
			t.Errorf("step %d, %s:\n got %d %s\nwant %d %s", i, step.route, answer.Status, answer.Body, step.status, step.want)
		}
	}
}
