package naga

import (
	"strings"
	"testing"

	"evens/money"
)

// What an outsider did who had the bytes of one signed call: sent them to every other route.
func TestASignedCallIsOfNoUseOnAnotherRoute(t *testing.T) {
	t.Parallel()
	p := open(t, "100")
	ana, err := p.hall.Floor.Player(t.Context(), "ana")
	if err != nil {
		t.Fatal(err)
	}
	bet, payout := p.bet("b1", "t1", "60", ""), p.bet("b1", "p1", "600", "")
	if answer := p.call("place-bet", bet); answer.Status != 200 {
		t.Fatalf("a bet: %s", answer.Body)
	}
	for _, route := range []string{"payout", "cancel-bet", "bet-status", "authorize", "balance"} {
		if answer := p.call(route, bet); answer.Status == 200 {
			t.Errorf("a place-bet sent to %s: %d %s", route, answer.Status, answer.Body)
		}
	}
	if cash := p.hall.Cash(t, ana); cash != money.MustParse("40") {
		t.Fatalf("cash = %s after replays of the bet", cash)
	}
	if answer := p.call("payout", payout); answer.Status != 200 {
		t.Fatalf("the true payout: %s", answer.Body)
	}
	refused := p.bet("b2", "t2", "5000", "")
	p.call("place-bet", refused)
	for route, data := range map[string]string{
		"place-bet": payout, "cancel-bet": payout, "bet-status": payout, "authorize": payout, "balance": payout,
		"payout": refused,
	} {
		if answer := p.call(route, data); answer.Status == 200 {
			t.Errorf("%s sent to %s: %d %s", data, route, answer.Status, answer.Body)
		}
	}
	for _, data := range []string{
		`{"betId":"b1","amount":0}`, `{"betId":"b1","transactionId":""}`, `{"betId":"b1","Amount":1}`, `{"transactionId":"t1","betId":"b1"}`,
	} {
		if answer := p.call("cancel-bet", data); answer.Status != 400 || !strings.Contains(answer.Body, "does not belong") {
			t.Errorf("cancel-bet %s: %d %s", data, answer.Status, answer.Body)
		}
	}
	if cash := p.hall.Cash(t, ana); cash != money.MustParse("640") {
		t.Errorf("cash = %s, want 640.00", cash)
	}
	if answer := p.call("place-bet", p.bet("b3", "t3", "1", "")); answer.Status != 200 {
		t.Errorf("the next bet: %s", answer.Body)
	}
	if answer := p.call("cancel-bet", `{"betId":"b3","playerToken":"`+p.token+`","groupCode":"gc01","amount":null}`); answer.Status != 200 {
		t.Errorf("a straight cancel: %s", answer.Body)
	}
	var stored int
	p.hall.Recorder.Close()
	if err := p.hall.DB.Pool.QueryRow(t.Context(), `SELECT count(*) FROM callbacks WHERE headers IS NOT NULL`).Scan(&stored); err != nil || stored != 0 {
		t.Errorf("%d calls are stored with headers, %v", stored, err)
	}
}
