package betao

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"evens/money"
	"evens/wallet"
)

func inRound(amount, id, round, game string) string {
	return fmt.Sprintf(`{"player_id":"ana","amount":%s,"currency":"USD","transaction_id":%q,"round_id":%q,"game_code":%q}`, amount, id, round, game)
}

// A round id that is used again, on another day or for another game, is another round: what it wins goes
// where its own stake came from. Within a round a win goes where all of its stakes came from.
func TestARoundIDUsedAgain(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		later       time.Duration
		game        string
		cash, bonus string
	}{
		"another day":          {24 * time.Hour, "g", "305", "0"},
		"another game":         {time.Minute, "h", "305", "0"},
		"the same round":       {time.Minute, "g", "202.50", "0"},
		"the round, in hours":  {3 * time.Hour, "g", "202.50", "0"},
		"the round, no game":   {time.Minute, "", "202.50", "0"},
		"a day later, no game": {24 * time.Hour, "", "305", "0"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := open(t)
			at := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
			p.hall.SetClock(at)
			ana := p.hall.Player(t, "ana", 0)
			p.hall.Grant(t, ana, money.MustParse("100"), 40*money.One, nil)
			said := func(kind, body string) {
				t.Helper()
				if answer := p.call("/api/v3/wallet/"+kind, body); answer.Status != 200 {
					t.Fatalf("%s %s: %d %s", kind, body, answer.Status, answer.Body)
				}
			}
			said("debit", inRound("100", "d1", "r", "g"))
			if err := wallet.ForfeitBonus(t.Context(), p.hall.Poster, wallet.Forfeiture{
				Player: ana.ID, Bonus: p.hall.Bonus(t, ana).ID, Operator: "ana", Comment: "asked for it", At: at,
			}); err != nil {
				t.Fatal(err)
			}
			p.hall.Deposit(t, ana.ID, money.MustParse("200"))
			p.hall.SetClock(at.Add(c.later))
			said("debit", inRound("100", "d2", "r", c.game))
			said("credit", inRound("205", "c2", "r", c.game))
			said("credit", inRound("205", "c2", "r", c.game))
			balance, err := p.hall.Players.Balance(t.Context(), ana.ID)
			want := money.MustParse(c.cash) // half of one round was the ended bonus's
			if err != nil || balance.Cash != want || balance.Bonus != money.MustParse(c.bonus) {
				t.Errorf("cash %s, bonus %s, want %s, %s (%v)", balance.Cash, balance.Bonus, want, c.bonus, err)
			}
			said("rollback", `{"original_transaction_id":"d2"}`)
			said("rollback", `{"original_transaction_id":"d1"}`)
			if cash := p.hall.Cash(t, ana); cash != money.MustParse("200") {
				t.Errorf("all undone leaves %s", cash)
			}
		})
	}
}

// A rollback that states what was not debited, or in another currency, is refused; one that states what
// was, or nothing, is done.
func TestARollbackOfAnotherSum(t *testing.T) {
	t.Parallel()
	p := open(t)
	ana := p.hall.Player(t, "ana", money.MustParse("100"))
	p.call("/api/v3/wallet/debit", inRound("10", "d", "r", "g"))
	p.call("/api/v3/wallet/debit", inRound("20", "e", "r", "g"))
	for i, step := range []struct {
		body       string
		status     int
		says, cash string
	}{
		{`{"original_transaction_id":"d","amount":4.00}`, 422, "amount_mismatch", "70"},
		{`{"original_transaction_id":"d","amount":10,"currency":"EUR"}`, 422, "currency_mismatch", "70"},
		{`{"original_transaction_id":"d","currency":"EUR"}`, 422, "currency_mismatch", "70"},
		{`{"original_transaction_id":"d","amount":-10}`, 422, "validation_failed", "70"},
		{`{"original_transaction_id":"d","amount":10.00,"currency":"usd","player_id":"ana"}`, 200, "ok", "80"},
		{`{"original_transaction_id":"d","amount":4.00}`, 422, "amount_mismatch", "80"},
		{`{"original_transaction_id":"d"}`, 200, "ok", "80"},
		{`{"original_transaction_id":"e"}`, 200, "ok", "100"},
	} {
		answer := p.call("/api/v3/wallet/rollback", step.body)
		if cash := p.hall.Cash(t, ana); answer.Status != step.status || !strings.Contains(answer.Body, step.says) || cash != money.MustParse(step.cash) {
			t.Errorf("step %d, %s: %d %s, cash %s", i, step.body, answer.Status, answer.Body, cash)
		}
	}
}
