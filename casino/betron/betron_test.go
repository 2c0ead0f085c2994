package betron

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"evens/casino/casinotest"
	"evens/internal/testbed"
	"evens/money"
	"evens/wallet"
)

func TestMain(m *testing.M) { testbed.Main(m) }

func TestVectors(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var v struct {
		AgentToken    string `json:"agent_token"`
		SecretKey     string `json:"agent_secret_key"`
		Authorization string `json:"authorization"`
	}
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatal(err)
	}
	if got := authorization(v.AgentToken, v.SecretKey); got != v.Authorization {
		t.Errorf("authorization = %s, want %s", got, v.Authorization)
	}
}

func open(t *testing.T, cfg Config) (*casinotest.Hall, string) {
	t.Helper()
	hall := casinotest.Open(t, testbed.Database(t))
	cfg.URL, cfg.AgentCode, cfg.AgentToken, cfg.SecretKey = "http://127.0.0.1:1", "code", "token", "secret"
	platform, err := New(cfg, hall.Floor, hall.Players)
	if err != nil {
		t.Fatal(err)
	}
	return hall, hall.Serve(t, platform)
}

func says(method, user, amount, id string) string {
	return fmt.Sprintf(`{"method":%q,"user_id":%q,"amount":%q,"transaction_id":%q,"game_id":"SLOT_001"}`, method, user, amount, id)
}

// A conversation, byte for byte.
func TestConversation(t *testing.T) {
	t.Parallel()
	hall, url := open(t, Config{})
	ana := hall.Player(t, "12345", money.MustParse("100.50"))
	for i, step := range []struct{ says, want string }{
		{`{"method":"account_details","user_id":"12345"}`, `{"user_id":"12345","email":"ana@example.com","name_jogador":"Ana"}`},
		{`{"method":"user_balance","user_id":"12345"}`, `{"status":1,"balance":"100.50"}`},
		{`{"method":"user_balance","user_id":12345}`, `{"status":1,"balance":"100.50"}`},
		{says("transaction_bet", "12345", "10.00", "T1"), `{"status":1,"balance":"90.50"}`},
		{says("transaction_bet", "12345", "10.00", "T1"), `{"status":1,"balance":"90.50"}`},
		{says("transaction_win", "12345", "50.00", "T1"), `{"status":1,"balance":"140.50"}`}, // a win may share its bet's id
		{says("transaction_win", "12345", "50.00", "T1"), `{"status":1,"balance":"140.50"}`},
		{says("transaction_win", "12345", "51.00", "T1"), `{"status":0,"msg":"INVALID_PARAMETER","balance":"140.50"}`},
		{`{"method":"refund","user_id":"12345","amount":"9.00","transaction_id":"T1"}`, `{"status":0,"msg":"INVALID_PARAMETER","balance":"140.50"}`},
		{`{"method":"refund","user_id":"12345","amount":"10.00","transaction_id":"T1"}`, `{"status":1,"balance":"150.50"}`},
		{`{"method":"refund","user_id":"12345","amount":"10.00","transaction_id":"T1"}`, `{"status":1,"balance":"150.50"}`},
		{`{"method":"refund","user_id":"12345","amount":"10.00","transaction_id":"T2"}`, `{"status":1,"balance":"150.50"}`},
		{says("transaction_bet", "12345", "10.00", "T2"), `{"status":0,"msg":"INVALID_PARAMETER","balance":"150.50"}`},
		{says("transaction_bet", "12345", "150.51", "T3"), `{"status":0,"msg":"INSUFFICIENT_USER_FUNDS","balance":"150.50"}`},
		{says("transaction_bet", "nobody", "1", "T4"), `{"status":0,"msg":"INVALID_USER","balance":"0.00"}`},
		{says("transaction_bet", "12345", "-1", "T4"), `{"status":0,"msg":"INVALID_PARAMETER","balance":"0.00"}`},
		{says("transaction_bet", "12345", "x", "T4"), `{"status":0,"msg":"INVALID_PARAMETER","balance":"0.00"}`},
		{says("transaction_bet", "12345", "1", ""), `{"status":0,"msg":"INVALID_PARAMETER","balance":"0.00"}`},
		{`{"method":"dance","user_id":"12345"}`, `{"status":0,"msg":"INVALID_PARAMETER","balance":"0.00"}`},
		{`{"method":"account_details","user_id":"nobody"}`, `{"status":0,"msg":"INVALID_USER","balance":"0.00"}`},
		{`not JSON`, `{"status":0,"msg":"INVALID_PARAMETER","balance":"0.00"}`},
	} {
		answer := casinotest.Post(t, url+"/casino/betron", nil, []byte(step.says))
		if answer.Status != 200 || answer.Body != step.want {
			t.Errorf("step %d, %s:\n got %d %s\nwant 200 %s", i, step.says, answer.Status, answer.Body, step.want)
		}
	}
	if err := hall.Players.SetStatus(t.Context(), ana.ID, wallet.Blocked, "test", "test"); err != nil {
		t.Fatal(err)
	}
	answer := casinotest.Post(t, url+"/casino/betron", nil, []byte(`{"method":"user_balance","user_id":"12345"}`))
	if want := `{"status":0,"msg":"INVALID_USER","balance":"150.50"}`; answer.Body != want {
		t.Errorf("a blocked player: %s", answer.Body)
	}
}

// Nothing is signed: the path is the secret.
func TestPathSecret(t *testing.T) {
	t.Parallel()
	hall, url := open(t, Config{PathSecret: "s3cret", Currency: "BRL"})
	hall.Player(t, "ana", 0)
	body := []byte(`{"method":"user_balance","user_id":"ana"}`)
	for path, want := range map[string]int{"/casino/betron": 404, "/casino/betron/other": 404, "/casino/betron/s3cret": 200} {
		if answer := casinotest.Post(t, url+path, nil, body); answer.Status != want {
			t.Errorf("%s: %d, want %d", path, answer.Status, want)
		}
	}
	answer := casinotest.Post(t, url+"/casino/betron/s3cret", nil, body)
	if want := `{"status":0,"msg":"INVALID_PARAMETER","balance":"0.00"}`; answer.Body != want {
		t.Errorf("a player in another currency than the agent's: %s", answer.Body)
	}
	if record := hall.Record(t, answer.Callback); strings.Contains(record.Path, "s3cret") {
		t.Errorf("the record shows the secret: %s", record.Path)
	}
	if _, err := New(Config{URL: "u", AgentCode: "c", AgentToken: "t", SecretKey: "s", PathSecret: "a/b"}, hall.Floor, hall.Players); err == nil {
		t.Error("a secret of two segments was taken")
	}
}

// What tells a name or an address is not kept.
func TestPersonalDataIsNotKept(t *testing.T) {
	t.Parallel()
	hall, url := open(t, Config{})
	hall.Player(t, "ana", 0)
	answer := casinotest.Post(t, url+"/casino/betron", nil, []byte(`{"method":"account_details","user_id":"ana"}`))
	if record := hall.Record(t, answer.Callback); strings.Contains(string(record.Answer), "ana@example.com") || !record.Player.Valid {
		t.Errorf("record = %+v", record)
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(says("transaction_bet", "1", "10.00", "T1")))
	f.Add([]byte(`{"method":"refund","user_id":7,"amount":1e2,"transaction_id":8}`))
	f.Add([]byte(`{"method":"user_balance","user_id":null}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		r, amount, err := read(body)
		if err == nil && (r.UserID == "" || amount < 0) {
			t.Fatalf("taken: %+v, %s", r, amount)
		}
	})
}

func TestLimitAndBonus(t *testing.T) {
	t.Parallel()
	hall, url := open(t, Config{})
	ana := hall.Player(t, "12345", money.MustParse("100"))
	hall.Limit(t, ana, money.MustParse("10"))
	hall.Catalogue(t, Provider, map[string]string{"SLOT_001": "slot"})
	hall.Grant(t, ana, money.MustParse("50"), 40*money.One, &wallet.Terms{Games: map[string]wallet.Rate{"slots": wallet.Whole}})
	for _, step := range []struct{ says, want string }{
		{says("transaction_bet", "12345", "10.01", "T1"), `{"status":0,"msg":"INSUFFICIENT_USER_FUNDS","balance":"150.00"}`},
		{says("transaction_bet", "12345", "10.00", "T2"), `{"status":1,"balance":"140.00"}`},
		{`{"method":"user_balance","user_id":"12345","game_id":"SLOT_001"}`, `{"status":1,"balance":"140.00"}`},
		{`{"method":"user_balance","user_id":"12345"}`, `{"status":1,"balance":"90.00"}`}, // no slot, no bonus money
	} {
		if answer := casinotest.Post(t, url+"/casino/betron", nil, []byte(step.says)); answer.Body != step.want {
			t.Errorf("%s: %s, want %s", step.says, answer.Body, step.want)
		}
	}
	if n := hall.LimitEvents(t, ana); n != 1 {
		t.Errorf("%d lines in the activity log", n)
	}
}

// BetronTech names neither a win's bet nor its round: a win of the bet's own id follows that bet, any
// other the player's latest bet on the game.
func TestAWinFollowsItsStakesSplit(t *testing.T) {
	t.Parallel()
	hall, url := open(t, Config{})
	ana := hall.Player(t, "12345", money.MustParse("5"))
	hall.Grant(t, ana, money.MustParse("50"), 40*money.One, nil)
	for _, step := range []struct{ says, cash string }{
		{says("transaction_bet", "12345", "10.00", "T1"), "0.00"}, // half of it bonus money
		{says("transaction_bet", "12345", "10.00", "T2"), "0.00"}, // all of it
		{says("transaction_win", "12345", "30.00", "T1"), "15.00"},
		{says("transaction_win", "12345", "30.00", "W1"), "15.00"},
		{says("transaction_bet", "12345", "15.00", "T3"), "0.00"}, // all cash
		{says("transaction_win", "12345", "7.00", "W2"), "7.00"},
		{`{"method":"transaction_win","user_id":"12345","amount":"1.00","transaction_id":"W3","game_id":"another"}`, "8.00"},
	} {
		answer := casinotest.Post(t, url+"/casino/betron", nil, []byte(step.says))
		if cash := hall.Cash(t, ana).String(); cash != step.cash || !strings.Contains(answer.Body, `"status":1`) {
			t.Errorf("%s: cash %s, want %s; %s", step.says, cash, step.cash, answer.Body)
		}
	}
}
