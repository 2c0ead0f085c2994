package cashier

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"evens/internal/callbacks"
	"evens/internal/postgres"
	"evens/internal/testbed"
	"evens/money"
	"evens/player"
	"evens/settlement/booktest"
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
		Now    int64
		Cases  []struct {
			Body      string
			Signature string `json:"x_signature"`
			Valid     bool
		}
	}
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatal(err)
	}
	now := time.Unix(v.Now, 0)
	for i, c := range v.Cases {
		if err := Verify(v.Secret, c.Signature, []byte(c.Body), now); (err == nil) != c.Valid {
			t.Errorf("case %d: %v, valid %t", i, err, c.Valid)
		}
		if _, _, err := parse([]byte(c.Body)); err != nil {
			t.Errorf("case %d: %v", i, err)
		}
	}
}

func TestVerify(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_700_000_000, 0)
	body := []byte("{}")
	good := Sign("key", body, now)
	for header, want := range map[string]bool{
		good:                                  true,
		good + ",v1=00":                       true, // two keys while one is changed
		"v1=00," + good:                       true,
		Sign("other", body, now):              false,
		Sign("key", []byte("{} "), now):       false,
		Sign("key", body, now.Add(Tolerance)): true,
		Sign("key", body, now.Add(Tolerance+time.Second)):  false,
		Sign("key", body, now.Add(-Tolerance-time.Second)): false,
		"": false, "t=,v1=": false, "t=1700000000": false, "v1=" + good[strings.Index(good, "v1=")+3:]: false,
		strings.Replace(good, "t=1700000000", "t=1700000001", 1): false, // the time is signed too
		"t=1700000000,v1=1,v1=2,v1=3,v1=4,v1=5":                  false,
	} {
		if err := Verify("key", header, body, now); (err == nil) != want {
			t.Errorf("%q: %v, want valid %t", header, err, want)
		}
	}
}

// desk is the gateway's end, as a test plays it.
type desk struct {
	t   *testing.T
	db  *postgres.DB
	url string
	who player.Player
	reg *player.Registry
}

const secret = "s3cret"

func open(t *testing.T) desk {
	t.Helper()
	db := booktest.Open(t, testbed.Database(t))
	t.Cleanup(func() { booktest.Clean(t, db) })
	log := slog.New(slog.DiscardHandler)
	poster := wallet.NewPoster(wallet.NewBooks(db, nil, log), wallet.PosterConfig{})
	t.Cleanup(poster.Close)
	recorder := callbacks.NewRecorder(db, log)
	t.Cleanup(recorder.Close)
	server := httptest.NewServer(&Receiver{Secret: secret, DB: db, Poster: poster, Players: player.NewDirectory(db), Recorder: recorder, Now: time.Now, Log: log})
	t.Cleanup(server.Close)
	reg := player.New(db, time.Now)
	who, _, err := reg.Create(t.Context(), player.Registration{ExternalID: "p-1", Name: "Ana", Email: "ana@example.com", Currency: "BRL"})
	if err != nil {
		t.Fatal(err)
	}
	return desk{t, db, server.URL, who, reg}
}

func (d desk) call(body, signature string) (int, string) {
	d.t.Helper()
	request, err := http.NewRequestWithContext(d.t.Context(), http.MethodPost, d.url, strings.NewReader(body))
	if err != nil {
		d.t.Fatal(err)
	}
	request.Header.Set("X-Signature", signature)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		d.t.Fatal(err)
	}
	defer response.Body.Close()
	var answer struct{ State, Code string }
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		d.t.Fatal(err)
	}
	return response.StatusCode, answer.State + answer.Code
}

func says(kind, id, amount, status string) string {
	return fmt.Sprintf(`{"transaction_id":%q,"player_id":"p-1","type":%q,"method":"pix","amount":%q,"currency":"BRL","status":%q}`, id, kind, amount, status)
}

func (d desk) cash() string {
	d.t.Helper()
	balance, err := d.reg.Balance(d.t.Context(), d.who.ID)
	if err != nil {
		d.t.Fatal(err)
	}
	return balance.Cash.String()
}

func TestPayments(t *testing.T) {
	t.Parallel()
	d := open(t)
	for i, step := range []struct {
		says   string
		status int
		tells  string
		cash   string
	}{
		{says("deposit", "d1", "50.00", "pending"), 200, "noted", "0.00"},
		{says("deposit", "d1", "50.00", "succeeded"), 200, "booked", "50.00"},
		{says("deposit", "d1", "50.00", "succeeded"), 200, "booked", "50.00"},
		{says("deposit", "d1", "51.00", "succeeded"), 409, "transaction_conflict", "50.00"},
		{says("deposit", "d2", "1.00", "failed"), 200, "noted", "50.00"},
		{says("withdrawal", "w1", "20.00", "requested"), 200, "reserved", "30.00"},
		{says("withdrawal", "w1", "20.00", "requested"), 200, "reserved", "30.00"},
		{says("withdrawal", "w1", "20.00", "paid"), 200, "paid", "30.00"},
		{says("withdrawal", "w1", "20.00", "paid"), 200, "paid", "30.00"},
		{says("withdrawal", "w1", "20.00", "failed"), 200, "paid", "30.00"}, // against its own word: a person's
		{says("withdrawal", "w2", "10.00", "requested"), 200, "reserved", "20.00"},
		{says("withdrawal", "w2", "11.00", "paid"), 409, "transaction_conflict", "20.00"},
		{says("withdrawal", "w2", "10.00", "returned"), 200, "returned", "30.00"},
		{says("withdrawal", "w2", "10.00", "returned"), 200, "returned", "30.00"},
		{says("withdrawal", "w2", "10.00", "paid"), 200, "returned", "30.00"}, // paid before it came back
		{says("withdrawal", "w3", "30.01", "requested"), 402, "insufficient_funds", "30.00"},
		{says("withdrawal", "w4", "5.00", "paid"), 200, "paid", "25.00"}, // asked for at the gateway itself
		{says("withdrawal", "w5", "5.00", "failed"), 200, "noted", "25.00"},
		{says("withdrawal", "w6", "4.00", "requested"), 200, "reserved", "21.00"}, // left open: the audit counts it
		{strings.Replace(says("deposit", "x", "1.00", "ok"), "p-1", "p-2", 1), 200, "suspense", "21.00"},
		{strings.Replace(says("deposit", "y", "1.00", "ok"), "BRL", "USD", 1), 200, "suspense", "21.00"},
		{strings.Replace(says("withdrawal", "x", "1.00", "requested"), "p-1", "p-2", 1), 404, "player_not_found", "21.00"},
		{strings.Replace(says("withdrawal", "y", "1.00", "requested"), "BRL", "USD", 1), 422, "currency_mismatch", "21.00"},
		{says("deposit", "x", "-1.00", "ok"), 422, "validation_failed", "21.00"},
		{says("deposit", "x", "ten", "ok"), 422, "validation_failed", "21.00"},
		{says("deposit", "x", "1.00", "sideways"), 422, "validation_failed", "21.00"},
		{says("gift", "x", "1.00", "ok"), 422, "validation_failed", "21.00"},
		{says("deposit", "", "1.00", "ok"), 422, "validation_failed", "21.00"},
		{`[]`, 400, "invalid_body", "21.00"},
	} {
		status, tells := d.call(step.says, Sign(secret, []byte(step.says), time.Now()))
		if status != step.status || tells != step.tells || d.cash() != step.cash {
			t.Errorf("step %d, %s: %d %s, cash %s; want %d %s, %s", i, step.says, status, tells, d.cash(), step.status, step.tells, step.cash)
		}
	}
}

func TestForgedAndReplayed(t *testing.T) {
	t.Parallel()
	d := open(t)
	body := says("deposit", "d1", "50.00", "succeeded")
	old := Sign(secret, []byte(body), time.Now().Add(-Tolerance-time.Minute))
	for _, signature := range []string{"", "t=1,v1=2", Sign("other", []byte(body), time.Now()), old} {
		if status, tells := d.call(body, signature); status != 403 || tells != "invalid_signature" {
			t.Errorf("%q: %d %s", signature, status, tells)
		}
	}
	if cash := d.cash(); cash != "0.00" {
		t.Errorf("cash = %s", cash)
	}
}

// A withdrawal of the API and its gateway's word about it are one.
func TestWithdrawalOfTheAPI(t *testing.T) {
	t.Parallel()
	d := open(t)
	deposit := says("deposit", "d1", "50.00", "succeeded")
	d.call(deposit, Sign(secret, []byte(deposit), time.Now()))
	log := slog.New(slog.DiscardHandler)
	poster := wallet.NewPoster(wallet.NewBooks(d.db, nil, log), wallet.PosterConfig{})
	defer poster.Close()
	_, err := wallet.Reserve(t.Context(), poster, wallet.Cash{
		Player: d.who.ID, Amount: money.MustParse("20"), Currency: "BRL", Method: "bank", TransactionID: "w1", At: time.Now(),
	})
	if err != nil {
		t.Fatal(err)
	}
	returned := says("withdrawal", "w1", "20.00", "rejected")
	if status, tells := d.call(returned, Sign(secret, []byte(returned), time.Now())); status != 200 || tells != "returned" || d.cash() != "50.00" {
		t.Errorf("%d %s, cash %s", status, tells, d.cash())
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(says("deposit", "d", "1.00", "ok")))
	f.Add([]byte(`{"amount":1e3,"status":null}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		n, what, err := parse(body)
		if err == nil && (n.amount <= 0 || n.TransactionID == "" || n.PlayerID == "" || what == 0) {
			t.Fatalf("taken: %+v, %d", n, what)
		}
	})
}

func FuzzVerify(f *testing.F) {
	now := time.Unix(1_700_000_000, 0)
	f.Add(Sign("key", []byte("{}"), now), []byte("{}"))
	f.Add("t=1700000000,v1=,v1=0", []byte(""))
	good := Sign("key", []byte("{}"), now)
	f.Fuzz(func(t *testing.T, header string, body []byte) {
		if err := Verify("key", header, body, now); err == nil && !strings.Contains(header, good[strings.Index(good, "v1="):]) {
			t.Fatalf("a forgery was taken: %q %q", header, body)
		}
	})
}
