package betao

import (
	"strings"
	"testing"

	"evens/money"
)

// What was rolled back, a debit or a credit, is refused when it comes again; what stands is answered as
// at first.
func TestWhatWasRolledBackIsNotDone(t *testing.T) {
	t.Parallel()
	p := open(t)
	p.hall.Player(t, "ana", money.MustParse("100"))
	credit := strings.Replace(debit("25", "c1"), "r-c1", "r-d1", 1)
	gone := `{"status":"error","code":"rolled_back","message":"it was rolled back"}`
	for i, step := range []struct {
		route, says string
		status      int
		want        string
	}{
		{"debit", debit("10", "d1"), 200, `{"status":"ok","transaction_id":"d1","balance":90.00,"currency":"USD"}`},
		{"credit", credit, 200, `{"status":"ok","transaction_id":"c1","balance":115.00,"currency":"USD"}`},
		{"credit", credit, 200, `{"status":"ok","transaction_id":"c1","balance":115.00,"currency":"USD"}`},
		{"rollback", `{"original_transaction_id":"c1"}`, 200, `{"status":"ok","transaction_id":"c1","balance":90.00,"currency":"USD"}`},
		{"credit", credit, 409, gone},
		{"debit", debit("10", "d1"), 200, `{"status":"ok","transaction_id":"d1","balance":90.00,"currency":"USD"}`},
		{"rollback", `{"original_transaction_id":"d1"}`, 200, `{"status":"ok","transaction_id":"d1","balance":100.00,"currency":"USD"}`},
		{"debit", debit("10", "d1"), 409, gone},
		{"rollback", `{"original_transaction_id":"d1"}`, 200, `{"status":"ok","transaction_id":"d1","balance":100.00,"currency":"USD"}`},
	} {
		if answer := p.call("/api/v3/wallet/"+step.route, step.says); answer.Status != step.status || answer.Body != step.want {
			t.Errorf("step %d, %s %s:\n got %d %s\nwant %d %s", i, step.route, step.says, answer.Status, answer.Body, step.status, step.want)
		}
	}
}
