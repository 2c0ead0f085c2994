package tg

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"evens/casino"
	"evens/casino/casinotest"
	"evens/internal/testbed"
	"evens/money"
)

func TestMain(m *testing.M) { testbed.Main(m) }

type vectors struct {
	KeyHex    string `json:"key_hex"`
	KeyBase64 string `json:"key_base64"`
	Valid     []struct{ Plaintext, Body string }
	Invalid   []struct{ Why, Body string }
}

func readVectors(t testing.TB) vectors {
	t.Helper()
	text, err := os.ReadFile("testdata/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var v vectors
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func (v vectors) key(t testing.TB) []byte {
	t.Helper()
	key, err := hex.DecodeString(v.KeyHex)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// Bodies that another implementation made open to what it put in.
func TestVectors(t *testing.T) {
	t.Parallel()
	v := readVectors(t)
	for _, text := range []string{v.KeyHex, v.KeyBase64} {
		key, err := ParseKey(text)
		if err != nil {
			t.Fatal(err)
		}
		box, err := newBox(key)
		if err != nil {
			t.Fatal(err)
		}
		for i, c := range v.Valid {
			plain, err := box.open([]byte(c.Body))
			if err != nil || string(plain) != c.Plaintext {
				t.Errorf("valid %d: %s, %v", i, plain, err)
			}
			if _, err := read(plain); err != nil {
				t.Errorf("valid %d: %v", i, err)
			}
		}
		for _, c := range v.Invalid {
			plain, err := box.open([]byte(c.Body))
			if err == nil {
				_, err = read(plain)
			}
			if err == nil {
				t.Errorf("%s: taken", c.Why)
			}
		}
	}
	for _, text := range []string{"", "abc", v.KeyHex[1:], v.KeyBase64[4:], strings.Repeat("z", 64)} {
		if _, err := ParseKey(text); err == nil || text != "" && strings.Contains(err.Error(), text) {
			t.Errorf("ParseKey(%q) = %v", text, err)
		}
	}
}

// partner is TG as a test plays it.
type partner struct {
	t    *testing.T
	hall *casinotest.Hall
	box  box
	url  string
}

var noon = time.Date(2026, 6, 1, 12, 0, 0, 7_000_000, time.UTC)

func open(t *testing.T, change ...func(*Config)) partner {
	t.Helper()
	hall := casinotest.Open(t, testbed.Database(t))
	hall.SetClock(noon)
	key := readVectors(t).key(t)
	cfg := Config{URL: "http://127.0.0.1:1", AgentID: "agent", Key: key}
	for _, f := range change {
		f(&cfg)
	}
	platform, err := New(cfg, hall.Floor)
	if err != nil {
		t.Fatal(err)
	}
	box, err := newBox(key)
	if err != nil {
		t.Fatal(err)
	}
	return partner{t, hall, box, hall.Serve(t, platform) + "/casino/tg"}
}

func (p partner) call(plain string) casinotest.Answer {
	p.t.Helper()
	body, err := p.box.seal([]byte(plain))
	if err != nil {
		p.t.Fatal(err)
	}
	return casinotest.Post(p.t, p.url, map[string]string{"X-Agentid": "agent"}, body)
}

func spin(action, bet, stake, win string) string {
	return fmt.Sprintf(`{"action":%q,"uid":"ana","roundId":"r-%s","betId":%q,"currency":"USD","gameCode":"VP_1","actualBetAmt":%s,"winAmt":%s,"jackpotWin":0,"gameInfo":"{}"}`,
		action, bet, bet, stake, win)
}

func rollback(bet string) string {
	return fmt.Sprintf(`{"action":"rollback","uid":"ana","roundId":"r-%s","transferId":"t","betId":%q,"brand":"VP","gameCode":"VP_1"}`, bet, bet)
}

func says(status, errText, balance string) string {
	return fmt.Sprintf(`{"status":%q,"errText":%q,"balance":%s,"responseTime":"2026-06-01T12:00:00.007Z"}`, status, errText, balance)
}

// A conversation, byte for byte.
func TestConversation(t *testing.T) {
	t.Parallel()
	p := open(t)
	p.hall.Player(t, "ana", money.MustParse("100"))
	for i, step := range []struct{ says, want string }{
		{`{"action":"balance","uid":"ana","currency":"USD","brand":"VP"}`, says("0000", "", "100.00")},
		{spin("betNSettle", "b1", "10.5", "0.1234"), says("0000", "", "89.6234")},
		{spin("betNSettle", "b1", "10.5", "0.1234"), says("2001", "", "89.6234")},
		{spin("retryBet", "b1", "10.5", "0.1234"), says("2001", "", "89.6234")},
		{spin("betNSettle", "b1", "10.5", "99"), says("1006", "id_conflict", "89.6234")},
		{spin("betNSettle", "b2", "89.6235", "500"), says("1006", "insufficient_funds", "89.6234")},
		{rollback("b2"), says("2001", "", "89.6234")},
		{rollback("b1"), says("0000", "", "100.00")},
		{rollback("b1"), says("2001", "", "100.00")},
		{rollback("b3"), says("0000", "", "100.00")},
		{spin("betNSettle", "b3", "1", "0"), says("9999", "rolled_back", "100.00")},
		{spin("retryBet", "item", "0", "7.5"), says("0000", "", "107.50")},
		{`{"action":"balance","uid":"nobody","currency":"USD"}`, says("9999", "unknown_player", "0.00")},
		{`{"action":"balance","uid":"ana","currency":"EUR"}`, says("9999", "wrong_currency", "0.00")},
		{`{"action":"betNSettle","uid":"ana","roundId":"r","betId":"x","currency":"USD","actualBetAmt":-1,"winAmt":0}`, says("9999", "unreadable", "0.00")},
		{`{"action":"betNSettle","uid":"ana","roundId":"r","betId":"x","currency":"USD","actualBetAmt":"1","winAmt":"abc"}`, says("9999", "unreadable", "0.00")},
		{`{"action":"betNSettle","uid":"ana","betId":"x","actualBetAmt":1,"winAmt":0}`, says("9999", "unreadable", "0.00")},
		{`{"action":"dance","uid":"ana"}`, says("9999", "unreadable", "0.00")},
		{`[]`, says("9999", "unreadable", "0.00")},
	} {
		answer := p.call(step.says)
		if answer.Status != 200 || answer.Body != step.want {
			t.Errorf("step %d, %s:\n got %d %s\nwant 200 %s", i, step.says, answer.Status, answer.Body, step.want)
		}
	}
}

func TestWhatCannotBeOpenedChangesNothing(t *testing.T) {
	t.Parallel()
	p := open(t)
	ana := p.hall.Player(t, "ana", money.MustParse("100"))
	sealedBody, err := p.box.seal([]byte(spin("betNSettle", "b", "10", "0")))
	if err != nil {
		t.Fatal(err)
	}
	other, err := newBox(make([]byte, keySize))
	if err != nil {
		t.Fatal(err)
	}
	foreign, err := other.seal([]byte(spin("betNSettle", "b", "10", "0")))
	if err != nil {
		t.Fatal(err)
	}
	for _, body := range [][]byte{nil, []byte("{}"), []byte("nonsense"), foreign, sealedBody[:len(sealedBody)-9], []byte(spin("betNSettle", "b", "10", "0"))} {
		answer := casinotest.Post(t, p.url, nil, body)
		if want := says("9999", "unauthentic", "0.00"); answer.Status != 200 || answer.Body != want {
			t.Errorf("%.40s: %d %s", body, answer.Status, answer.Body)
		}
	}
	large := casinotest.Post(t, p.url, nil, make([]byte, casino.LargestCall+1))
	if want := says("9999", "unreadable", "0.00"); large.Body != want {
		t.Errorf("a large body: %s", large.Body)
	}
	if cash := p.hall.Cash(t, ana); cash != money.MustParse("100") {
		t.Errorf("cash = %s", cash)
	}
	// The same ciphertext again is the same bet again.
	for range 3 {
		casinotest.Post(t, p.url, nil, sealedBody)
	}
	if cash := p.hall.Cash(t, ana); cash != money.MustParse("90") {
		t.Errorf("cash after a replay = %s", cash)
	}
}

// Support sees what came, decrypted, what was answered and what it moved.
func TestRecord(t *testing.T) {
	t.Parallel()
	p := open(t)
	ana := p.hall.Player(t, "ana", money.MustParse("100"))
	said := spin("betNSettle", "b1", "10", "0")
	answer := p.call(said)
	record := p.hall.Record(t, answer.Callback)
	if string(record.Plain) != said || string(record.Answer) != answer.Body || record.Code != "ok" || record.Status != 200 ||
		record.Headers["X-Agentid"] != "agent" || record.Player.UUID != ana.ID || !record.Transaction.Valid || record.Path != "/casino/tg" {
		t.Errorf("record = %+v", record)
	}
	var kind string
	if err := p.hall.DB.Pool.QueryRow(t.Context(), `SELECT kind FROM transactions WHERE id = $1`, record.Transaction).Scan(&kind); err != nil || kind != "bet_win" {
		t.Errorf("its transaction: %s, %v", kind, err)
	}
	refusal := p.hall.Record(t, p.call(`{"action":"balance","uid":"nobody"}`).Callback)
	if refusal.Code != "unknown_player" || refusal.Transaction.Valid {
		t.Errorf("record of a refusal = %+v", refusal)
	}
}

func FuzzOpen(f *testing.F) {
	v := readVectors(f)
	for _, c := range v.Valid {
		f.Add([]byte(c.Body))
	}
	for _, c := range v.Invalid {
		f.Add([]byte(c.Body))
	}
	box, err := newBox(v.key(f))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		plain, err := box.open(body)
		if err != nil {
			return
		}
		again, err := box.seal(plain)
		if err != nil {
			t.Fatal(err)
		}
		if opened, err := box.open(again); err != nil || string(opened) != string(plain) {
			t.Fatalf("sealed and opened: %q, %v", opened, err)
		}
	})
}

func FuzzRead(f *testing.F) {
	for _, c := range readVectors(f).Valid {
		f.Add([]byte(c.Plaintext))
	}
	f.Add([]byte(`{"action":"betNSettle","uid":"a","roundId":"r","betId":"b","actualBetAmt":1e3,"winAmt":"-0"}`))
	f.Fuzz(func(t *testing.T, plain []byte) {
		r, err := read(plain)
		if err != nil {
			return
		}
		if r.UID == "" || r.Action != actionBalance && r.id() == "" {
			t.Fatalf("taken without what it needs: %+v", r)
		}
		if sums, err := r.amounts(); err == nil && (sums.bet < 0 || sums.win < 0 || sums.jackpot < 0) {
			t.Fatalf("amounts below zero: %+v", sums)
		}
	})
}

func TestLimitAndBonus(t *testing.T) {
	t.Parallel()
	p := open(t)
	ana := p.hall.Player(t, "ana", money.MustParse("5"))
	p.hall.Limit(t, ana, money.MustParse("10"))
	p.hall.Grant(t, ana, money.MustParse("50"), 40*money.One, nil)
	if answer := p.call(spin("betNSettle", "over", "10.01", "0")); !strings.Contains(answer.Body, `"1006"`) {
		t.Errorf("over the limit: %s", answer.Body)
	}
	// 5 of cash, 5 of the bonus: the win of 30 is half and half.
	if answer := p.call(spin("betNSettle", "within", "10", "30")); !strings.Contains(answer.Body, `"balance":75`) {
		t.Errorf("within the limit: %s", answer.Body)
	}
	if cash := p.hall.Cash(t, ana); cash.String() != "15.00" {
		t.Errorf("cash %s", cash)
	}
	if answer := p.call(spin("rollback", "within", "10", "30")); !strings.Contains(answer.Body, `"balance":55`) {
		t.Errorf("rolled back: %s", answer.Body)
	}
	if b := p.hall.Bonus(t, ana); b.Balance.String() != "50.00" || b.Wagered != 0 {
		t.Errorf("the bonus has %s, wagered %s", b.Balance, b.Wagered)
	}
}
