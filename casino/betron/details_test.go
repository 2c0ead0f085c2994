package betron

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"evens/casino"
	"evens/casino/casinotest"
	"evens/internal/testbed"
	"evens/money"
)

// Balances have two decimals, never more than there is, with refusals too.
func TestTwoDecimals(t *testing.T) {
	t.Parallel()
	hall, url := open(t, Config{})
	hall.Player(t, "12345", money.MustParse("100.0099"))
	for _, step := range []struct{ says, want string }{
		{`{"method":"user_balance","user_id":"12345"}`, `{"status":1,"balance":"100.00"}`},
		{says("transaction_bet", "12345", "0.0001", "T1"), `{"status":1,"balance":"100.00"}`},
		{says("transaction_win", "12345", "0.0902", "W1"), `{"status":1,"balance":"100.10"}`},
		{says("transaction_bet", "12345", "100.1001", "T2"), `{"status":0,"msg":"INSUFFICIENT_USER_FUNDS","balance":"100.10"}`},
		{says("transaction_bet", "12345", "100.10", "T3"), `{"status":1,"balance":"0.00"}`},
	} {
		if answer := casinotest.Post(t, url+"/casino/betron", nil, []byte(step.says)); answer.Body != step.want {
			t.Errorf("%s: %s, want %s", step.says, answer.Body, step.want)
		}
	}
}

// The two languages they know have their words; others are left to them.
func TestLaunchLanguage(t *testing.T) {
	t.Parallel()
	asked := make(chan string, 1)
	theirs := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == pathAuth {
			_, _ = w.Write([]byte(`{"access_token":"t","token_type":"Bearer","expires_in":3600}`))
			return
		}
		asked <- r.URL.Query().Get("lang")
		_, _ = w.Write([]byte(`{"status":true,"game_url":"https://game.example.com"}`))
	}))
	t.Cleanup(theirs.Close)
	hall := casinotest.Open(t, testbed.Database(t))
	platform, err := New(Config{URL: theirs.URL, AgentCode: "c", AgentToken: "t", SecretKey: "s"}, hall.Floor, hall.Players)
	if err != nil {
		t.Fatal(err)
	}
	for lang, want := range map[string]string{
		"pt": "pt_BR", "tr": "tr_TR", "pt_BR": "pt_BR", "tr-TR": "tr_TR", "PT-br": "pt_BR", "en": "", "": "", "de_DE": "",
	} {
		if _, err := platform.Launch(t.Context(), casino.Launch{Lang: lang}); err != nil {
			t.Fatal(err)
		}
		if got := <-asked; got != want {
			t.Errorf("%q: lang=%q, want %q", lang, got, want)
		}
	}
}
