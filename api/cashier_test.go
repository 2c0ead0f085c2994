package api

import (
	"net/http"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
)

type cashAnswer struct {
	TransactionID string `json:"transaction_id"`
	Status        string
	Wallet        walletView
}

func TestDepositAndWithdrawal(t *testing.T) {
	t.Parallel()
	b := setup(t)
	p := b.player(t, "")
	for _, test := range []struct {
		path, amount, cash string
	}{
		{"deposits", "150.00", "150.00"},
		{"withdrawals", "50.25", "99.75"},
		{"deposits", "0.01", "99.76"},
	} {
		body := depositBody(test.amount)
		got := b.call(t, "POST", "/v1/players/"+p.ID+"/"+test.path, body, idempotent(uuid.NewString()))
		var out cashAnswer
		got.into(t, &out)
		want := cashAnswer{TransactionID: body["transaction_id"].(string), Status: "succeeded", Wallet: walletView{
			PlayerID: p.ID, Currency: "USD", Cash: test.cash, Bonus: "0.00", Total: test.cash,
		}}
		if diff := cmp.Diff(want, out); got.status != http.StatusOK || diff != "" {
			t.Errorf("%s of %s: %d (-want +got):\n%s", test.path, test.amount, got.status, diff)
		}
	}
}

func TestTheSameKeyAnswersAsAtFirst(t *testing.T) {
	t.Parallel()
	b := setup(t)
	p := b.player(t, "")
	path := "/v1/players/" + p.ID + "/deposits"
	body := depositBody("10")
	first := b.call(t, "POST", path, body, idempotent("k1"))
	b.call(t, "POST", path, depositBody("5"), idempotent("k2"))
	again := b.call(t, "POST", path, body.with("amount", "10.00"), idempotent("k1"))
	if again.status != http.StatusOK || again.body != first.body {
		t.Errorf("the same key: %d %s, want %s", again.status, again.body, first.body)
	}
	sameTransaction := b.call(t, "POST", path, body, idempotent("k3"))
	if sameTransaction.status != http.StatusOK || sameTransaction.body != first.body {
		t.Errorf("the same transaction under another key: %d %s, want %s", sameTransaction.status, sameTransaction.body, first.body)
	}
	b.call(t, "POST", path, body.with("amount", "11"), idempotent("k1")).check(t, http.StatusConflict, CodeIdempotencyConflict)
	b.call(t, "POST", path, body.with("amount", "11"), idempotent("k4")).check(t, http.StatusConflict, CodeTransactionConflict)
	b.call(t, "POST", "/v1/players/"+p.ID+"/withdrawals", body, idempotent("k5")).check(t, http.StatusConflict, CodeTransactionConflict)
	if got := b.cash(t, p.ID); got != "15.00" {
		t.Errorf("cash = %s, want 15.00", got)
	}
}

func TestARefusedWithdrawalStaysRefused(t *testing.T) {
	t.Parallel()
	b := setup(t)
	p := b.player(t, "10")
	path, body := "/v1/players/"+p.ID+"/withdrawals", depositBody("10.01")
	b.call(t, "POST", path, body, idempotent("k1")).check(t, http.StatusPaymentRequired, CodeInsufficientFunds)
	b.call(t, "POST", "/v1/players/"+p.ID+"/deposits", depositBody("100"), idempotent("k2"))
	b.call(t, "POST", path, body, idempotent("k1")).check(t, http.StatusPaymentRequired, CodeInsufficientFunds)
	if got := b.cash(t, p.ID); got != "110.00" {
		t.Errorf("cash = %s, want 110.00", got)
	}
	if got := b.call(t, "POST", path, body, idempotent("k3")); got.status != http.StatusOK {
		t.Errorf("the withdrawal under a new key: %d %s, want 200", got.status, got.body)
	}
}

func TestOneKeyAtOnceMovesMoneyOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	p := b.player(t, "")
	body := depositBody("10")
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			got := b.call(t, "POST", "/v1/players/"+p.ID+"/deposits", body, idempotent("k1"))
			if got.status != http.StatusOK {
				t.Errorf("deposit: %d %s", got.status, got.body)
			}
		})
	}
	wg.Wait()
	if got := b.cash(t, p.ID); got != "10.00" {
		t.Errorf("cash = %s after sixteen calls with one key, want 10.00", got)
	}
}

func TestOneKeyAtOnceForManyPlayersMovesMoneyOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	var players []string
	for range 8 {
		players = append(players, b.player(t, "").ID)
	}
	for name, option := range map[string]func(i string) (fields, option){
		"one Idempotency-Key": func(string) (fields, option) { return depositBody("10"), idempotent("shared") },
		"one transaction_id": func(i string) (fields, option) {
			return depositBody("10").with("transaction_id", "shared"), idempotent("own " + i)
		},
	} {
		statuses := make([]int, len(players))
		var wg sync.WaitGroup
		for i, id := range players {
			wg.Go(func() {
				body, key := option(id)
				got := b.call(t, "POST", "/v1/players/"+id+"/deposits", body, key)
				if statuses[i] = got.status; got.status != http.StatusOK {
					var p problemBody
					got.into(t, &p)
					if got.status != http.StatusConflict || (p.Code != CodeIdempotencyConflict && p.Code != CodeTransactionConflict) {
						t.Errorf("%s: %d %s, want 409", name, got.status, got.body)
					}
				}
			})
		}
		wg.Wait()
		succeeded := 0
		for _, status := range statuses {
			if status == http.StatusOK {
				succeeded++
			}
		}
		if succeeded != 1 {
			t.Errorf("%s: %d players got the money, want 1", name, succeeded)
		}
	}
}
