package betao

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"evens/casino"
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
		Secret string
		Cases  []struct {
			Body      string
			Signature string `json:"x_signature"`
			Valid     bool
		}
	}
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatal(err)
	}
	for i, c := range v.Cases {
		if got := authentic(v.Secret, []byte(c.Body), c.Signature); got != c.Valid {
			t.Errorf("case %d: authentic = %t, want %t", i, got, c.Valid)
		}
		if c.Valid && signature(v.Secret, []byte(c.Body)) != c.Signature {
			t.Errorf("case %d: our signature is another", i)
		}
	}
}

const secret = "secret"

type partner struct {
	t        *testing.T
	hall     *casinotest.Hall
	notices  *casino.Notices
	rung     *[]casino.Notice
	platform *Platform
	url      string
}

type bell struct{ rung *[]casino.Notice }

func (b bell) RingNotice(n casino.Notice) { *b.rung = append(*b.rung, n) }

func open(t *testing.T) partner {
	t.Helper()
	hall := casinotest.Open(t, testbed.Database(t))
	rung := &[]casino.Notice{}
	notices := casino.NewNotices(hall.DB, bell{rung}, hall.Now, slog.New(slog.DiscardHandler))
	platform, err := New(Config{URL: "http://127.0.0.1:1", APIKey: "key", SecretKey: secret}, hall.Floor, notices)
	if err != nil {
		t.Fatal(err)
	}
	return partner{t, hall, notices, rung, platform, hall.Serve(t, platform) + "/casino/betao"}
}

func (p partner) call(route, body string) casinotest.Answer {
	p.t.Helper()
	return casinotest.Post(p.t, p.url+route, map[string]string{headerSignature: signature(secret, []byte(body))}, []byte(body))
}

func debit(amount, id string) string {
	return fmt.Sprintf(`{"player_id":"ana","amount":%s,"currency":"USD","transaction_id":%q,"round_id":"r-%s"}`, amount, id, id)
}

// A conversation, byte for byte.
func TestConversation(t *testing.T) {
	t.Parallel()
	p := open(t)
	p.hall.Player(t, "ana", money.MustParse("100"))
	credit := strings.Replace(debit("25.00", "c1"), "r-c1", "r-d1", 1)
	for i, step := range []struct {
		route, says string
		status      int
		want        string
	}{
		{"balance", `{"player_id":"ana","currency":"USD"}`, 200, `{"status":"ok","balance":100.00,"currency":"USD"}`},
		{"debit", debit("10.00", "d1"), 200, `{"status":"ok","transaction_id":"d1","balance":90.00,"currency":"USD"}`},
		{"debit", debit("10.00", "d1"), 200, `{"status":"ok","transaction_id":"d1","balance":90.00,"currency":"USD"}`},
		{"debit", debit(`"10"`, "d1"), 200, `{"status":"ok","transaction_id":"d1","balance":90.00,"currency":"USD"}`},
		{"debit", debit("10.01", "d1"), 409, `{"status":"error","code":"transaction_conflict","message":"the transaction_id was used before with other content"}`},
		{"credit", debit("10.00", "d1"), 409, `{"status":"error","code":"transaction_conflict","message":"the transaction_id was used before with other content"}`},
		{"credit", credit, 200, `{"status":"ok","transaction_id":"c1","balance":115.00,"currency":"USD"}`},
		{"credit", credit, 200, `{"status":"ok","transaction_id":"c1","balance":115.00,"currency":"USD"}`},
		{"debit", debit("115.01", "d2"), 402, `{"status":"error","code":"insufficient_funds","message":"the player's balance does not cover it"}`},
		{"rollback", `{"original_transaction_id":"c1"}`, 200, `{"status":"ok","transaction_id":"c1","balance":90.00,"currency":"USD"}`},
		{"rollback", `{"original_transaction_id":"d1"}`, 200, `{"status":"ok","transaction_id":"d1","balance":100.00,"currency":"USD"}`},
		{"rollback", `{"original_transaction_id":"d1"}`, 200, `{"status":"ok","transaction_id":"d1","balance":100.00,"currency":"USD"}`},
		{"credit", strings.Replace(debit("1.00", "c2"), "r-c2", "r-d1", 1), 409, `{"status":"error","code":"rolled_back","message":"it was rolled back"}`},
		{"rollback", `{"original_transaction_id":"d9"}`, 200, `{"status":"ok","transaction_id":"d9","balance":0.00}`},
		{"debit", debit("1.00", "d9"), 409, `{"status":"error","code":"rolled_back","message":"it was rolled back"}`},
		{"credit", debit("1.00", "c9"), 200, `{"status":"ok","transaction_id":"c9","balance":101.00,"currency":"USD"}`},
		{"debit", strings.Replace(debit("1", "x"), "ana", "nobody", 1), 404, `{"status":"error","code":"player_not_found","message":"there is no such player"}`},
		{"debit", strings.Replace(debit("1", "x"), "USD", "EUR", 1), 422, `{"status":"error","code":"currency_mismatch","message":"the player's wallet is in another currency"}`},
		{"debit", debit("-1", "x"), 422, `{"status":"error","code":"validation_failed","message":"amount is below zero"}`},
		{"debit", debit(`"ten"`, "x"), 422, `{"status":"error","code":"validation_failed","message":"amount not a decimal number"}`},
		{"debit", `{"player_id":"ana","amount":1,"currency":"USD","transaction_id":"x"}`, 422, `{"status":"error","code":"validation_failed","message":"round_id is missing"}`},
		{"debit", `{"player_id":[7]}`, 422, `{"status":"error","code":"validation_failed","message":"player_id is of another type"}`},
		{"debit", `nonsense`, 422, `{"status":"error","code":"validation_failed","message":"cannot be read: the body is not JSON"}`},
	} {
		answer := p.call("/api/v3/wallet/"+step.route, step.says)
		if answer.Status != step.status || answer.Body != step.want {
			t.Errorf("step %d, %s %s:\n got %d %s\nwant %d %s", i, step.route, step.says, answer.Status, answer.Body, step.status, step.want)
		}
	}
}

func TestBadSignatureChangesNothing(t *testing.T) {
	t.Parallel()
	p := open(t)
	ana := p.hall.Player(t, "ana", money.MustParse("100"))
	body := debit("10", "d1")
	for _, given := range []string{"", "0", signature("other", []byte(body)), strings.ToUpper(signature(secret, []byte(body))), signature(secret, []byte(body+" "))} {
		for _, route := range []string{"/api/v3/wallet/debit", "/callback"} {
			answer := casinotest.Post(t, p.url+route, map[string]string{headerSignature: given}, []byte(body))
			if answer.Status != 403 || strings.Contains(answer.Body, "expected") {
				t.Errorf("%s with %q: %d %s", route, given, answer.Status, answer.Body)
			}
		}
	}
	if cash := p.hall.Cash(t, ana); cash != money.MustParse("100") || len(*p.rung) != 0 {
		t.Errorf("cash = %s, %d notices", cash, len(*p.rung))
	}
}

// A callback is stored and answered at once, and worked off later, once.
func TestCallbacks(t *testing.T) {
	t.Parallel()
	p := open(t)
	ana := p.hall.Player(t, "ana", money.MustParse("100"))
	for _, said := range []string{
		strings.Replace(debit("10", "d1"), "{", `{"type":"debit",`, 1),
		strings.Replace(debit("10", "d1"), "{", `{"type":"debit",`, 1),
		strings.Replace(debit("4", "c1"), "{", `{"type":"win",`, 1),
		`{"original_transaction_id":"c1"}`,
		strings.Replace(debit("500", "d2"), "{", `{"type":"debit",`, 1), // refused: too little money
		`{"transaction_id":"d3","type":"dance"}`,                        // refused: nobody knows what it is
	} {
		answer := p.call("/callback", said)
		if answer.Status != 200 || answer.Body != "" {
			t.Errorf("%s: %d %q", said, answer.Status, answer.Body)
		}
	}
	if answer := p.call("/callback", `{"type":"debit"}`); answer.Status != 422 {
		t.Errorf("a callback without an id: %d %s", answer.Status, answer.Body)
	}
	if cash := p.hall.Cash(t, ana); cash != money.MustParse("100") {
		t.Errorf("cash before the job = %s", cash)
	}
	if len(*p.rung) != 5 {
		t.Errorf("%d notices, want 5", len(*p.rung))
	}
	for range 2 {
		for _, notice := range *p.rung {
			if err := p.notices.Work(t.Context(), notice.ID); err != nil {
				t.Errorf("work notice %d: %v", notice.ID, err)
			}
		}
	}
	if cash := p.hall.Cash(t, ana); cash != money.MustParse("90") {
		t.Errorf("cash after the job = %s, want 90.00", cash)
	}
	rows := map[string]int{}
	for _, state := range []string{"pending", "done", "refused"} {
		var n int
		if err := p.hall.DB.Pool.QueryRow(t.Context(), `SELECT count(*) FROM notices WHERE state = $1`, state).Scan(&n); err != nil {
			t.Fatal(err)
		}
		rows[state] = n
	}
	if rows["pending"] != 0 || rows["done"] != 3 || rows["refused"] != 2 {
		t.Errorf("notices = %v", rows)
	}
}

// A notice whose job was lost is rung for again; one that cannot be decided now stays.
func TestNoticesOutliveTheirJobs(t *testing.T) {
	t.Parallel()
	p := open(t)
	ana := p.hall.Player(t, "ana", money.MustParse("100"))
	start := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	p.hall.SetClock(start)
	p.call("/callback", strings.Replace(debit("10", "d1"), "{", `{"type":"debit",`, 1))
	if n, err := p.notices.Sweep(t.Context()); err != nil || n != 0 {
		t.Errorf("a sweep at once rang for %d, %v", n, err)
	}
	p.hall.SetClock(start.Add(time.Minute))
	if _, err := p.hall.DB.Pool.Exec(t.Context(), `UPDATE notices SET rung_at = rung_at - interval '1 minute'`); err != nil {
		t.Fatal(err)
	}
	if n, err := p.notices.Sweep(t.Context()); err != nil || n != 1 {
		t.Errorf("a sweep later rang for %d, %v", n, err)
	}
	last := (*p.rung)[len(*p.rung)-1]
	if last.Rung != 2 {
		t.Errorf("rung = %d, want 2", last.Rung)
	}
	if err := p.notices.Work(t.Context(), last.ID+1000); !errors.Is(err, casino.ErrUnknownNotice) {
		t.Errorf("a notice that is not there: %v, want ErrUnknownNotice", err)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if err := p.notices.Work(gone, last.ID); err == nil {
		t.Error("a notice was worked off without a database")
	}
	if err := p.notices.Work(t.Context(), last.ID); err != nil {
		t.Fatal(err)
	}
	if cash := p.hall.Cash(t, ana); cash != money.MustParse("90") {
		t.Errorf("cash = %s, want 90.00", cash)
	}
	if n, err := p.notices.Sweep(t.Context()); err != nil || n != 0 {
		t.Errorf("a sweep after the work rang for %d, %v", n, err)
	}
}

func TestBlockedPlayer(t *testing.T) {
	t.Parallel()
	p := open(t)
	ana := p.hall.Player(t, "ana", money.MustParse("100"))
	if err := p.hall.Players.SetStatus(t.Context(), ana.ID, wallet.Blocked, "test", "test"); err != nil {
		t.Fatal(err)
	}
	if answer := p.call("/api/v3/wallet/debit", debit("1", "d")); answer.Status != 403 || !strings.Contains(answer.Body, `"player_blocked"`) {
		t.Errorf("debit: %d %s", answer.Status, answer.Body)
	}
	if answer := p.call("/api/v3/wallet/credit", debit("1", "c")); answer.Status != 200 {
		t.Errorf("credit: %d %s", answer.Status, answer.Body)
	}
}

func TestCSV(t *testing.T) {
	t.Parallel()
	rows, err := readCSV(strings.NewReader("\ufefftimestamp,transaction_id,type,amount,balance\n2026-06-01T12:00:00Z,d1,debit,10.00,90.00\n"))
	if err != nil || len(rows) != 1 || rows[0].TransactionID != "d1" || rows[0].Amount != "10.00" || rows[0].Balance != "90.00" {
		t.Errorf("rows = %+v, %v", rows, err)
	}
	for text, want := range map[string]string{
		"":    "no header",
		"a,b": "no column transaction_id",
		"timestamp,transaction_id,type,amount\nyesterday,d1,debit,1\n":                   "line 2",
		"timestamp,transaction_id,type,amount\n2026-06-01T12:00:00Z,d1,debit,1.0.0\n":    "line 2: amount",
		"timestamp,transaction_id,type,amount\n2026-06-01T12:00:00Z,d1,debit,1\nx,y\n":   "line 3",
		"timestamp,transaction_id,type,amount\n2026-06-01T12:00:00Z,\"d1,debit,1\nx,y,z": "line 2",
	} {
		if _, err := readCSV(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(debit("10.00", "d1")))
	f.Add([]byte(`{"original_transaction_id":"tx-1"}`))
	f.Add([]byte(`{"type":"WIN","amount":"1e3"}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		b, err := parse(text)
		if err != nil {
			return
		}
		if amount, err := b.amount(); err == nil && amount < 0 {
			t.Fatalf("amount below zero: %s", amount)
		}
		if kind, err := b.kind(); err == nil && b.require(kind) == nil && kind == typeRollback && b.Original == "" {
			t.Fatal("a rollback of nothing")
		}
	})
}

func FuzzReadCSV(f *testing.F) {
	f.Add([]byte("timestamp,transaction_id,type,amount\n2026-06-01T12:00:00Z,d1,debit,1\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		rows, err := readCSV(strings.NewReader(string(text)))
		if err != nil {
			return
		}
		for _, row := range rows {
			if _, err := row.Amount.Amount(); err != nil {
				t.Fatalf("taken: %+v", row)
			}
		}
	})
}

// A stake over the player's limit is refused in their words for good, and leaves its line in the
// activity log; the balance they are shown is what may be staked on that game.
func TestLimitAndBonus(t *testing.T) {
	t.Parallel()
	p := open(t)
	ana := p.hall.Player(t, "ana", money.MustParse("100"))
	p.hall.Limit(t, ana, money.MustParse("10"))
	for range 2 {
		if answer := p.call("/api/v3/wallet/debit", debit("10.01", "over")); answer.Status != 403 || !strings.Contains(answer.Body, `"limit_exceeded"`) {
			t.Errorf("over the limit: %d %s", answer.Status, answer.Body)
		}
	}
	if answer := p.call("/api/v3/wallet/debit", debit("10", "within")); answer.Status != 200 {
		t.Errorf("within the limit: %d %s", answer.Status, answer.Body)
	}
	if n := p.hall.LimitEvents(t, ana); n != 1 {
		t.Errorf("%d lines in the activity log", n)
	}
	p.hall.Catalogue(t, Provider, map[string]string{"gates": "Slots", "bj": "Blackjack"})
	p.hall.Grant(t, ana, money.MustParse("50"), 40*money.One, &wallet.Terms{Games: map[string]wallet.Rate{"slots": wallet.Whole}})
	for game, want := range map[string]string{"gates": "140.00", "bj": "90.00"} {
		body := fmt.Sprintf(`{"player_id":"ana","currency":"USD","game_code":%q}`, game)
		if answer := p.call("/api/v3/wallet/balance", body); !strings.Contains(answer.Body, `"balance":`+want) {
			t.Errorf("the balance for %s: %s, want %s", game, answer.Body, want)
		}
	}
}
