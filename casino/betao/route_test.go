package betao

import (
	"fmt"
	"strings"
	"testing"

	"evens/money"
)

// Every signed body, sent to every other route: an outsider who has one moves nothing by it.
func TestASignedBodyIsOfNoUseOnAnotherRoute(t *testing.T) {
	t.Parallel()
	p := open(t)
	ana := p.hall.Player(t, "ana", money.MustParse("100"))
	credit := strings.Replace(debit("25.00", "c1"), "r-c1", "r-d1", 1)
	bodies := []struct{ route, body string }{
		{"debit", debit("10.00", "d1")},
		{"credit", credit},
		{"debit", debit("5000.00", "d2")}, // refused: it does not cover it
		{"balance", `{"player_id":"ana","currency":"USD","game_code":"g"}`},
		{"debit", strings.Replace(debit("1.00", "d3"), "{", `{"type":"debit",`, 1)},
		{"rollback", `{"original_transaction_id":"d3"}`},
		{"rollback", `{"original_transaction_id":"d3","player_id":"ana","amount":1.00,"currency":"USD","transaction_id":"r3","round_id":"r-d3"}`},
	}
	for _, b := range bodies {
		p.call("/api/v3/wallet/"+b.route, b.body)
	}
	cash := p.hall.Cash(t, ana)
	if cash != money.MustParse("115") {
		t.Fatalf("cash = %s after the straight calls", cash)
	}
	for _, b := range bodies {
		for _, route := range []string{"balance", "debit", "credit", "rollback"} {
			if route == b.route {
				continue
			}
			answer := p.call("/api/v3/wallet/"+route, b.body)
			if answer.Status == 200 && (route != "balance" || b.route != "rollback") {
				t.Errorf("%s sent to %s: %d %s", b.body, route, answer.Status, answer.Body)
			}
		}
	}
	if now := p.hall.Cash(t, ana); now != cash {
		t.Errorf("cash = %s, was %s", now, cash)
	}
	if answer := p.call("/api/v3/wallet/debit", strings.Replace(debit("1.00", "d4"), "{", `{"type":"BET",`, 1)); answer.Status != 200 {
		t.Errorf("a debit that calls itself a bet: %d %s", answer.Status, answer.Body)
	}
	var stored int
	query := fmt.Sprintf(`SELECT count(*) FROM callbacks WHERE headers::text LIKE '%%%s%%'`, signature(secret, []byte(bodies[0].body)))
	p.hall.Recorder.Close()
	if err := p.hall.DB.Pool.QueryRow(t.Context(), query).Scan(&stored); err != nil || stored != 0 {
		t.Errorf("%d signatures are stored, %v", stored, err)
	}
}
