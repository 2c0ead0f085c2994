package casino_test

import (
	"fmt"
	"testing"

	"evens/casino/betao"
	"evens/casino/naga"
	"evens/casino/tg"
	"evens/reconcile/statement"
)

// A word proves what its platform's table says, to the letter; one that is not in it proves nothing.
func TestWordsOfLists(t *testing.T) {
	t.Parallel()
	rows := map[string]func(word string) ([]statement.Line, error){
		"tg": func(word string) ([]statement.Line, error) {
			return tg.Lines(fmt.Appendf(nil, `{"betId":"b","username":"a","txTime":"2026-11-25T12:00:00Z","betStatus":%s,"actualBetAmt":"10.000000","winAmt":"0.000000"}`, word))
		},
		"naga": func(word string) ([]statement.Line, error) {
			return naga.Lines(fmt.Appendf(nil, `{"id":"b","created":"2026-11-25T12:00:00Z","amount":10.00,"earn":0.0000,"betStatus":%q}`, word))
		},
		"betao": func(word string) ([]statement.Line, error) {
			return betao.Lines(fmt.Appendf(nil, `{"transaction_id":"b","type":"debit","timestamp":"2026-11-25T12:00:00Z","amount":10.00,"status":%q}`, word))
		},
	}
	for platform, words := range map[string]map[string]string{
		"tg": {"2": "debit ok", `"2"`: "debit ok", "0": "debit pending", "1": "debit pending", "3": "debit pending", "20": "debit pending", "null": "debit pending"},
		"naga": {
			"RESOLVED": "debit ok", "resolved": "debit pending", "PENDING": "debit open", "CANCELED": "debit failed", "CANCELLED": "debit pending",
			"PENDING_CANCELED": "debit pending", "PAYOUT_CHECK_FAIL": "debit ok credit pending", "PAYOUT_OPERATOR_ERROR": "debit ok credit pending",
			"OPERATOR_UNKNOWN_ERROR": "debit pending", "PLACEBET_OPERATOR_ERROR": "debit failed", "FAILED": "debit pending", "": "debit pending",
		},
		"betao": {
			"": "debit ok", "OK": "debit ok", "failed": "debit failed", "error": "debit pending", "pending": "debit pending", "processing": "debit pending",
			"rolled back": "debit ok rollback ok", "rolling back": "debit pending", "rollback_failed": "debit pending", "returned": "debit pending",
		},
	} {
		for word, want := range words {
			lines, err := rows[platform](word)
			got := ""
			for i, line := range lines {
				if i > 0 {
					got += " "
				}
				got += string(line.Type) + " " + string(line.Status)
			}
			if err != nil || got != want {
				t.Errorf("%s %q: %q, want %q; %v", platform, word, got, want, err)
			}
		}
	}
}
