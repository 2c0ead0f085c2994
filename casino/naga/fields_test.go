package naga

import (
	"strings"
	"testing"

	"evens/money"
)

// A call for another operator's group or brand, or one that lacks what their page requires, moves
// nothing; what their page calls optional may be absent or null.
func TestWhatABetMustSay(t *testing.T) {
	t.Parallel()
	p := open(t, "100")
	ana, err := p.hall.Floor.Player(t.Context(), "ana")
	if err != nil {
		t.Fatal(err)
	}
	if answer := p.call("place-bet", p.bet("paid", "tp", "1", "")); answer.Status != 200 {
		t.Fatalf("a bet: %s", answer.Body)
	}
	for _, route := range []string{"place-bet", "payout"} {
		whole := p.bet("paid", "x1", "1", "")
		for _, field := range []string{"betId", "currency", "gameCode", "playerToken", "groupCode", "transactionId", "amount", "brandCode"} {
			for how, data := range map[string]string{
				"absent": strings.Replace(whole, `"`+field+`"`, `"other"`, 1),
				"null":   null(whole, field),
				"empty":  strings.Replace(null(whole, field), ":null", `:""`, 1),
			} {
				if answer := p.call(route, data); answer.Status != 400 || answer.Body != failed(400, field+" is missing") {
					t.Errorf("%s, %s %s: %d %s", route, field, how, answer.Status, answer.Body)
				}
			}
		}
		for field, data := range map[string]string{
			"groupCode": strings.Replace(whole, "gc01", "gc02", 1), "brandCode": strings.Replace(whole, "bc01", "BC01", 1),
		} {
			if answer := p.call(route, data); answer.Status != 400 || answer.Body != failed(400, field+" is not this operator's") {
				t.Errorf("%s, another's %s: %d %s", route, field, answer.Status, answer.Body)
			}
		}
	}
	for route, data := range map[string]string{
		"authorize": `{"playerToken":"` + p.token + `","gameCode":"g","brandCode":"bc01","groupCode":"gc02"}`,
		"balance":   `{"playerToken":"` + p.token + `","brandCode":"bc02"}`, "cancel-bet": `{"betId":"paid","groupCode":"gc02"}`,
	} {
		if answer := p.call(route, data); answer.Status != 400 || !strings.Contains(answer.Body, "is not this operator's") {
			t.Errorf("%s: %d %s", route, answer.Status, answer.Body)
		}
	}
	if cash := p.hall.Cash(t, ana); cash != money.MustParse("99") {
		t.Errorf("cash = %s", cash)
	}
	for i, more := range []string{"", `"parentBetId":null,"betType":null,"isLastFreeSpins":null,`, `"parentBetId":"","betType":"NORMAL","isLastFreeSpins":false,`} {
		id := string(rune('a' + i))
		for _, route := range []string{"place-bet", "payout"} {
			if answer := p.call(route, p.bet(id, route+id, "1", more)); answer.Status != 200 {
				t.Errorf("%s with %q: %d %s", route, more, answer.Status, answer.Body)
			}
		}
	}
}

// null is data with a field of theirs set to null.
func null(data, field string) string {
	before, after, _ := strings.Cut(data, `"`+field+`":`)
	end := strings.IndexAny(after, ",}")
	return before + `"` + field + `":null` + after[end:]
}

// A payout has a transactionId of its own.
func TestAPayoutUnderItsBetsTransaction(t *testing.T) {
	t.Parallel()
	p := open(t, "100")
	conflict := failed(400, "The id was used before with other data")
	for _, step := range []struct {
		route, data string
		status      int
		want        string
	}{
		{"place-bet", p.bet("b1", "t1", "10", ""), 200, ""},
		{"payout", p.bet("b1", "t1", "25", ""), 400, conflict},
		{"payout", p.bet("b1", "b1", "25", ""), 400, conflict},
		{"payout", p.bet("b1", "p1", "25", ""), 200, ""},
		{"payout", p.bet("b1", "p1", "25", ""), 200, ""},
		{"place-bet", p.bet("b2", "t2", "10", ""), 200, ""},
		{"payout", p.bet("b2", "p1", "25", ""), 400, conflict},
		{"place-bet", p.bet("b1", "t1", "10", ""), 200, ""},
	} {
		if answer := p.call(step.route, step.data); answer.Status != step.status || step.want != "" && answer.Body != step.want {
			t.Errorf("%s %s: %d %s", step.route, step.data, answer.Status, answer.Body)
		}
	}
}
