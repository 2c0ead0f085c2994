package naga

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"evens/casino/casinotest"
	"evens/internal/testbed"
	"evens/money"
)

func TestMain(m *testing.M) { testbed.Main(m) }

type vectors struct {
	Keys []struct {
		ID        string
		PublicPEM string `json:"public_pem"`
	}
	Cases []struct {
		Key        string
		SignedOver string `json:"signed_over"`
		Valid      bool
		Why        string
		Body       string
		Signature  string `json:"x_signature"`
	}
	DocHashes []struct{ Data, DataHash string } `json:"doc_hashes"`
}

func readVectors(t testing.TB) (v vectors, keys map[string]*rsa.PublicKey) {
	t.Helper()
	text, err := os.ReadFile("testdata/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatal(err)
	}
	keys = make(map[string]*rsa.PublicKey)
	for _, key := range v.Keys {
		if keys[key.ID], err = ParsePublicKey(key.PublicPEM); err != nil {
			t.Fatal(err)
		}
		if inOneLine, err := ParsePublicKey(strings.ReplaceAll(key.PublicPEM, "\n", `\n`)); err != nil || !inOneLine.Equal(keys[key.ID]) {
			t.Errorf("the key in one line: %v", err)
		}
	}
	return v, keys
}

// Calls that another implementation signed.
func TestVectors(t *testing.T) {
	t.Parallel()
	v, keys := readVectors(t)
	for i, c := range v.Cases {
		text, err := seal{keys[c.Key], c.SignedOver}.open([]byte(c.Body), c.Signature)
		if (err == nil) != c.Valid {
			t.Errorf("case %d (%s): %v, valid %t", i, c.Why, err, c.Valid)
		}
		if err == nil {
			if _, err := readData(text); err != nil {
				t.Errorf("case %d: %v", i, err)
			}
			other := map[string]string{OverData: OverDataHash, OverDataHash: OverData}[c.SignedOver]
			if _, err := (seal{keys[c.Key], other}).open([]byte(c.Body), c.Signature); err == nil {
				t.Errorf("case %d: what is signed over %s was taken as over %s", i, c.SignedOver, other)
			}
		}
	}
	for _, c := range v.DocHashes {
		if sum := sha256.Sum256([]byte(c.Data)); hex.EncodeToString(sum[:]) != c.DataHash {
			t.Errorf("the hash of their own sample %s is %x", c.Data, sum)
		}
	}
	for _, text := range []string{"", "abc", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"} {
		if _, err := ParsePublicKey(text); err == nil {
			t.Errorf("ParsePublicKey(%q) was taken", text)
		}
	}
}

type partner struct {
	t     *testing.T
	hall  *casinotest.Hall
	key   *rsa.PrivateKey
	url   string
	token string
}

func open(t *testing.T, cash string) partner {
	t.Helper()
	hall := casinotest.Open(t, testbed.Database(t))
	key, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	platform, err := New(Config{URL: "http://127.0.0.1:1", GroupCode: "gc01", BrandCode: "bc01", PublicKey: &key.PublicKey}, hall.Floor, hall.Sessions)
	if err != nil {
		t.Fatal(err)
	}
	ana := hall.Player(t, "ana", money.MustParse(cash))
	_, token, err := hall.Sessions.Open(t.Context(), Provider, ana, "fortune-naga", false)
	if err != nil {
		t.Fatal(err)
	}
	return partner{t, hall, key, hall.Serve(t, platform) + "/casino/naga/", token}
}

func (p partner) sign(data string) (body, signature string) {
	p.t.Helper()
	sum := sha256.Sum256([]byte(data))
	raw, err := rsa.SignPKCS1v15(nil, p.key, crypto.SHA256, sum[:])
	if err != nil {
		p.t.Fatal(err)
	}
	return fmt.Sprintf(`{"data":%s,"dataHash":"%x"}`, data, sum), base64.StdEncoding.EncodeToString(raw)
}

func (p partner) call(route, data string) casinotest.Answer {
	p.t.Helper()
	body, signature := p.sign(data)
	return casinotest.Post(p.t, p.url+route, map[string]string{"x-signature": signature}, []byte(body))
}

// bet is the data of a place-bet or a payout, in their order of fields.
func (p partner) bet(betID, transaction, amount, more string) string {
	return fmt.Sprintf(`{"betId":%q,"currency":"USD","gameCode":"fortune-naga","playerToken":%q,"groupCode":"gc01","transactionId":%q,"amount":%s,%s"brandCode":"bc01"}`,
		betID, p.token, transaction, amount, more)
}

func failed(status int, message string) string {
	return fmt.Sprintf(`{"data":null,"error":{"statusCode":%d,"message":%q}}`, status, message)
}

// A conversation, byte for byte.
func TestConversation(t *testing.T) {
	t.Parallel()
	p := open(t, "100")
	balance := func(amount string) string { return `{"data":{"currency":"USD","balance":` + amount + `},"error":null}` }
	who := func(amount string) string {
		return `{"data":{"nativeId":"ana","currency":"USD","balance":` + amount + `},"error":null}`
	}
	for i, step := range []struct {
		route, says string
		status      int
		want        string
	}{
		{"authorize", fmt.Sprintf(`{"playerToken":%q,"gameCode":"g","brandCode":"bc01","groupCode":"gc01"}`, p.token), 200, who("100.00")},
		{"authorize", `{"playerToken":"x","gameCode":"g","brandCode":"bc01","groupCode":"gc01"}`, 400, failed(400, "Player token is invalid or expired")},
		{"balance", `{"playerToken":"x"}`, 404, failed(404, "Player token is invalid or expired")},
		{"balance", fmt.Sprintf(`{"playerToken":%q}`, p.token), 200, who("100.00")},
		{"place-bet", p.bet("b1", "t1", "10.00", ""), 200, balance("90.00")},
		{"place-bet", p.bet("b1", "t1", "10.00", ""), 200, balance("90.00")},
		{"place-bet", p.bet("b1", "t1", "11.00", ""), 400, failed(400, "The id was used before with other data")},
		{"place-bet", p.bet("b1", "t2", "10.00", ""), 400, failed(400, "The id was used before with other data")},
		{"bet-status", `{"betId":"b1"}`, 200, `{"data":{"betId":"b1","transactionPlaceBetId":"t1","transactionPayoutId":null,"status":"PENDING"},"error":null}`},
		{"payout", p.bet("b1", "p1", "25.5", ""), 200, balance("115.50")},
		{"payout", p.bet("b1", "p1", "25.5", ""), 200, balance("115.50")},
		{"payout", p.bet("b1", "p2", "25.5", ""), 400, failed(400, "Bet was already resolved")},
		{"bet-status", `{"betId":"b1"}`, 200, `{"data":{"betId":"b1","transactionPlaceBetId":"t1","transactionPayoutId":"p1","status":"RESOLVED"},"error":null}`},
		{"cancel-bet", `{"betId":"b1"}`, 400, failed(400, "Bet was already resolved")},
		{"place-bet", p.bet("b2", "t3", "115.51", ""), 400, failed(400, "Insufficient balance")},
		{"bet-status", `{"betId":"b2"}`, 200, `{"data":{"betId":"b2","transactionPlaceBetId":null,"transactionPayoutId":null,"status":"FAILED"},"error":null}`},
		{"place-bet", p.bet("b3", "t4", "15.5", `"parentBetId":null,`), 200, balance("100.00")},
		{"cancel-bet", fmt.Sprintf(`{"betId":"b3","playerToken":%q}`, p.token), 200, `{"data":{"betId":"b3","status":"CANCELED"},"error":null}`},
		{"cancel-bet", `{"betId":"b3"}`, 200, `{"data":{"betId":"b3","status":"CANCELED"},"error":null}`},
		{"payout", p.bet("b3", "p3", "99", ""), 400, failed(400, "Bet was canceled")},
		{"bet-status", `{"betId":"b3"}`, 200, `{"data":{"betId":"b3","transactionPlaceBetId":"t4","transactionPayoutId":null,"status":"CANCELED"},"error":null}`},
		{"cancel-bet", `{"betId":"b4"}`, 200, `{"data":{"betId":"b4","status":"CANCELED"},"error":null}`},
		{"place-bet", p.bet("b4", "t5", "1", ""), 400, failed(400, "Bet was canceled")},
		{"bet-status", `{"betId":"b4"}`, 200, `{"data":{"betId":"b4","transactionPlaceBetId":null,"transactionPayoutId":null,"status":"CANCELED"},"error":null}`},
		{"bet-status", `{"betId":"b5"}`, 400, failed(400, "Bet not found")},
		{"payout", p.bet("b5", "p5", "1", ""), 400, failed(400, "Bet not found")},
		{"place-bet", strings.Replace(p.bet("b6", "t6", "1", ""), "USD", "THB", 1), 400, failed(400, "Currency is not the player's")},
		{"place-bet", p.bet("b6", "t6", "-1", ""), 400, failed(400, "amount: is below zero")},
		{"place-bet", p.bet("", "t6", "1", ""), 400, failed(400, "betId is missing")},
		{"payout", p.bet("b1", "", "1", ""), 400, failed(400, "transactionId is missing")},
		{"place-bet", `[]`, 400, failed(400, "the body is of another type")},
		{"balance", fmt.Sprintf(`{"playerToken":%q}`, p.token), 200, who("115.50")},
	} {
		answer := p.call(step.route, step.says)
		if answer.Status != step.status || answer.Body != step.want {
			t.Errorf("step %d, %s %s:\n got %d %s\nwant %d %s", i, step.route, step.says, answer.Status, answer.Body, step.status, step.want)
		}
	}
}

// A spin wins free spins: they cost nothing, name it, and the last closes it.
func TestFreeSpins(t *testing.T) {
	t.Parallel()
	p := open(t, "100")
	steps := []struct{ route, data string }{
		{"place-bet", p.bet("spin", "t0", "10", `"parentBetId":"spin","betType":"NORMAL",`)},
		{"payout", p.bet("spin", "p0", "0", `"parentBetId":"spin","betType":"NORMAL",`)},
		{"place-bet", p.bet("free1", "t1", "0", `"parentBetId":"spin","betType":"WIN_FREESPIN","isLastFreeSpins":false,`)},
		{"payout", p.bet("free1", "p1", "3", `"parentBetId":"spin","betType":"WIN_FREESPIN","isLastFreeSpins":false,`)},
		{"place-bet", p.bet("free2", "t2", "0", `"parentBetId":"spin","betType":"WIN_FREESPIN","isLastFreeSpins":true,`)},
		{"payout", p.bet("free2", "p2", "4.5", `"parentBetId":"spin","betType":"WIN_FREESPIN","isLastFreeSpins":true,`)},
		{"place-bet", p.bet("jack", "t3", "0", `"parentBetId":null,"betType":"JACKPOT",`)},
		{"payout", p.bet("jack", "p3", "1000", `"parentBetId":null,"betType":"JACKPOT",`)},
	}
	closed := func(id string) bool {
		t.Helper()
		var at *time.Time
		if err := p.hall.DB.Pool.QueryRow(t.Context(), `SELECT closed_at FROM rounds WHERE provider = 'naga' AND round_id = $1`, id).Scan(&at); err != nil {
			t.Fatal(err)
		}
		return at != nil
	}
	for i, step := range steps {
		if answer := p.call(step.route, step.data); answer.Status != 200 {
			t.Fatalf("step %d: %d %s", i, answer.Status, answer.Body)
		}
		if i == 4 && closed("spin") {
			t.Error("the chain is closed before its last spin")
		}
	}
	if !closed("spin") || !closed("free1") || !closed("free2") || !closed("jack") {
		t.Error("a round is open at the end")
	}
	var parent string
	if err := p.hall.DB.Pool.QueryRow(t.Context(), `SELECT parent_id FROM rounds WHERE round_id = 'free2'`).Scan(&parent); err != nil || parent != "spin" {
		t.Errorf("parent = %q, %v", parent, err)
	}
	if answer := p.call("balance", fmt.Sprintf(`{"playerToken":%q}`, p.token)); !strings.Contains(answer.Body, `"balance":1097.50`) {
		t.Errorf("balance: %s", answer.Body)
	}
}

// Who has logged out bets no more, and is paid all the same.
func TestEndedToken(t *testing.T) {
	t.Parallel()
	p := open(t, "100")
	if answer := p.call("place-bet", p.bet("b1", "t1", "10", "")); answer.Status != 200 {
		t.Fatal(answer)
	}
	session, err := p.hall.Sessions.Find(t.Context(), Provider, p.token)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.hall.Sessions.EndAll(t.Context(), session.Player.ID); err != nil {
		t.Fatal(err)
	}
	for route, data := range map[string]string{
		"place-bet": p.bet("b2", "t2", "10", ""), "authorize": fmt.Sprintf(`{"playerToken":%q}`, p.token),
	} {
		if answer := p.call(route, data); answer.Status != 400 || answer.Body != failed(400, "Player token is invalid or expired") {
			t.Errorf("%s: %d %s", route, answer.Status, answer.Body)
		}
	}
	p.token = "a token that nobody knows any more"
	if answer := p.call("payout", p.bet("b1", "p1", "7", "")); answer.Status != 200 || !strings.Contains(answer.Body, "97.00") {
		t.Errorf("payout: %d %s", answer.Status, answer.Body)
	}
}

func TestWhatIsNotTheirsChangesNothing(t *testing.T) {
	t.Parallel()
	p := open(t, "100")
	body, signature := p.sign(p.bet("b1", "t1", "10.00", ""))
	for name, call := range map[string]struct{ body, signature string }{
		"no signature":        {body, ""},
		"another body's":      {strings.Replace(body, "10.00", "1.000", 1), signature},
		"another hash":        {strings.Replace(body, `"dataHash":"`, `"dataHash":"0`, 1), signature},
		"no hash":             {body[:strings.Index(body, `,"dataHash"`)] + "}", signature},
		"not base64":          {body, "!" + signature},
		"no JSON":             {"x", signature},
		"nothing":             {"", signature},
		"a null for data":     {`{"data":null,"dataHash":""}`, signature},
		"written another way": {strings.Replace(body, "10.00", "10.0", 1), signature},
	} {
		answer := casinotest.Post(t, p.url+"place-bet", map[string]string{"x-signature": call.signature}, []byte(call.body))
		if answer.Status != 400 || answer.Body != failed(400, "Cannot verify data!") {
			t.Errorf("%s: %d %s", name, answer.Status, answer.Body)
		}
	}
	session, err := p.hall.Sessions.Find(t.Context(), Provider, p.token)
	if err != nil {
		t.Fatal(err)
	}
	if cash := p.hall.Cash(t, session.Player); cash != money.MustParse("100") {
		t.Errorf("cash = %s", cash)
	}
	// The token is a secret of the player's.
	record := p.hall.Record(t, p.call("place-bet", p.bet("b1", "t1", "10.00", "")).Callback)
	if strings.Contains(string(record.Body), p.token) || !record.Transaction.Valid {
		t.Errorf("record = %+v", record)
	}
}

func TestTwoDecimals(t *testing.T) {
	t.Parallel()
	for balance, want := range map[string]string{"10": "10.00", "10.0099": "10.00", "0.0001": "0.00", "-0.0001": "-0.01", "-5": "-5.00", "99999992": "99999992.00"} {
		if got := twoDecimals(money.MustParse(balance)); string(got) != want {
			t.Errorf("%s: %s, want %s", balance, got, want)
		}
	}
}

func FuzzOpen(f *testing.F) {
	v, keys := readVectors(f)
	for _, c := range v.Cases {
		f.Add([]byte(c.Body), c.Signature)
	}
	s := seal{keys["rsa1024"], OverData}
	valid := map[string]bool{}
	for _, c := range v.Cases {
		if c.Valid && c.Key == "rsa1024" && c.SignedOver == OverData {
			text, err := s.open([]byte(c.Body), c.Signature)
			if err != nil {
				f.Fatal(err)
			}
			valid[string(text)] = true
		}
	}
	f.Fuzz(func(t *testing.T, body []byte, signature string) {
		if text, err := s.open(body, signature); err == nil && !valid[string(text)] {
			t.Fatalf("a forgery was taken: %s", text)
		}
	})
}

func FuzzReadData(f *testing.F) {
	f.Add([]byte(`{"betId":"b","amount":1.50,"parentBetId":null,"isLastFreeSpins":true}`))
	f.Add([]byte(`{"amount":"1e3"}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		d, err := readData(text, "betId", "amount")
		if err != nil {
			return
		}
		if amount, err := d.amount(); err == nil && amount < 0 || d.BetID == "" {
			t.Fatalf("taken: %+v", d)
		}
	})
}

func TestLimitAndBonus(t *testing.T) {
	t.Parallel()
	p := open(t, "5")
	ana, err := p.hall.Floor.Player(t.Context(), "ana")
	if err != nil {
		t.Fatal(err)
	}
	p.hall.Limit(t, ana, money.MustParse("10"))
	p.hall.Catalogue(t, Provider, map[string]string{"fortune-naga": "Slot"})
	p.hall.Grant(t, ana, money.MustParse("50"), 40*money.One, nil)
	if answer := p.call("place-bet", p.bet("b1", "t1", "10.01", "")); answer.Body != failed(400, "Player's limit is exceeded") {
		t.Errorf("over the limit: %s", answer.Body)
	}
	// The stake is 5 of cash and 5 of the bonus; the payout of its round follows that.
	for _, step := range []struct{ route, data, want string }{
		{"place-bet", p.bet("b2", "t2", "10", ""), "45.00"},
		{"payout", p.bet("b2", "t3", "30", ""), "75.00"},
	} {
		if answer := p.call(step.route, step.data); answer.Body != `{"data":{"currency":"USD","balance":`+step.want+`},"error":null}` {
			t.Errorf("%s: %s, want %s", step.route, answer.Body, step.want)
		}
	}
	if cash := p.hall.Cash(t, ana); cash.String() != "15.00" {
		t.Errorf("cash %s", cash)
	}
	if b := p.hall.Bonus(t, ana); b.Balance.String() != "60.00" || b.Wagered.String() != "10.00" {
		t.Errorf("the bonus has %s, wagered %s", b.Balance, b.Wagered)
	}
}
