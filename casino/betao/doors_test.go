package betao

import (
	"strings"
	"testing"

	"evens/money"
)

// Ids are taken as numbers too, and are the same as those texts; what two readers could take for different
// things is refused by its name, and kept as it came.
func TestIDsAsTheyCome(t *testing.T) {
	t.Parallel()
	p := open(t)
	ana := p.hall.Player(t, "12345", money.MustParse("100"))
	debit := `{"player_id":12345,"amount":10,"currency":"USD","transaction_id":77,"round_id":1,"game_code":9}`
	for range 2 {
		if answer := p.call("/api/v3/wallet/debit", debit); answer.Status != 200 || !strings.Contains(answer.Body, `"transaction_id":"77"`) {
			t.Errorf("numbers: %d %s", answer.Status, answer.Body)
		}
	}
	if answer := p.call("/api/v3/wallet/rollback", `{"original_transaction_id":"77"}`); answer.Status != 200 {
		t.Errorf("its rollback: %d %s", answer.Status, answer.Body)
	}
	for body, says := range map[string]string{
		strings.Replace(debit, "77", `"a\ud83d"`, 1):                      "the body is not Unicode text",
		strings.Replace(debit, "77", `"a\u200bb"`, 1):                     "transaction_id has characters that are not allowed",
		strings.Replace(debit, ":1,", `:"r ",`, 1):                        "round_id begins or ends with a blank",
		strings.Replace(debit, "77", `78,"transaction_id":7`, 1):          "transaction_id stands twice",
		strings.Replace(debit, "77", `78,"tranſaction_id":7`, 1):          "transaction_id is spelt in other letters",
		strings.Replace(debit, "77", `"`+strings.Repeat("x", 256)+`"`, 1): "transaction_id is too long",
	} {
		answer := p.call("/api/v3/wallet/debit", body)
		if answer.Status != 422 || !strings.Contains(answer.Body, says) && !strings.Contains(answer.Body, "is not Unicode text") {
			t.Errorf("%s: %d %s, want %q", body, answer.Status, answer.Body, says)
		}
		record := p.hall.Record(t, answer.Callback)
		if string(record.Body) != body || record.Code != "unreadable" {
			t.Errorf("kept is %q, %s", record.Body, record.Code)
		}
	}
	if cash := p.hall.Cash(t, ana); cash != money.MustParse("100") {
		t.Errorf("cash = %s", cash)
	}
}
