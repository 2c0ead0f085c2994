package settlement_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"

	"evens/coupon"
	"evens/money"
	"evens/settlement"
)

func (s *shop) listen(allow ...string) string {
	s.t.Helper()
	cfg := settlement.ReceiverConfig{Now: s.clock.Now, Log: slog.New(slog.DiscardHandler)}
	for _, prefix := range allow {
		cfg.Allow = append(cfg.Allow, netip.MustParsePrefix(prefix))
	}
	server := httptest.NewServer(settlement.NewReceiver(s.inbox, cfg))
	s.t.Cleanup(server.Close)
	return server.URL
}

// postAs is post with headers.
func postAs(t testing.TB, url string, body []byte, header http.Header) (status int, code string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header = header
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var problem struct{ Code string }
	if err := json.NewDecoder(response.Body).Decode(&problem); err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, problem.Code
}

func zipped(t *testing.T, text string) []byte {
	t.Helper()
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return packed.Bytes()
}

// A push is read in each of the ways in which it may come, and in no other.
func TestReceiverReadsPatiently(t *testing.T) {
	t.Parallel()
	s := open(t, settlement.Guard{})
	p, url := s.player("1000.00"), s.listen()
	for _, test := range []struct {
		name, mediaType, encoding string
		body                      func(push string) []byte
		status                    int
		code                      string
	}{
		{"as JSON", "application/json", "", nil, 200, ""},
		{"as JSON in other letters", "Application/JSON;Charset=UTF-8", "", nil, 200, ""},
		{"as text", "text/plain", "", nil, 200, ""},
		{"in Latin-1", "application/json; charset=iso-8859-1", "", nil, 415, "unsupported_media_type"},
		{"packed", "application/json", "gzip", func(push string) []byte { return zipped(t, push) }, 200, ""},
		{"not packed as it says", "application/json", "gzip", nil, 400, "unreadable_body"},
		{"packed in another way", "application/json", "br", nil, 400, "unreadable_body"},
		{"a bomb", "application/json", "gzip", func(string) []byte { return zipped(t, strings.Repeat(" ", 17<<20)) }, 413, "body_too_large"},
		{"with a mark", "", "", func(push string) []byte { return []byte("\xef\xbb\xbf" + push) }, 200, ""},
		{"commas too many", "", "", func(push string) []byte { return []byte(strings.ReplaceAll(push, "}", ",}")) }, 200, ""},
	} {
		c := s.place(p, "10.00", "2.50")
		body := []byte(pushBody(c.BetCode, 1))
		if test.body != nil {
			body = test.body(string(body))
		}
		header := http.Header{}
		if test.mediaType != "" {
			header.Set("Content-Type", test.mediaType)
		}
		if test.encoding != "" {
			header.Set("Content-Encoding", test.encoding)
		}
		status, code := postAs(t, url, body, header)
		if status != test.status || code != test.code {
			t.Errorf("%s: %d %s", test.name, status, code)
		}
		s.work()
		want := coupon.Accepted
		if test.status == http.StatusOK {
			want = coupon.Won
		}
		if got := s.read(c.ID).Status; got != want {
			t.Errorf("%s: the coupon is %s", test.name, got)
		}
	}
}

// A Head that says something twice waits; its neighbours count, and so does what it says when it says it plainly.
func TestReceiverParksWhatIsSaidTwice(t *testing.T) {
	t.Parallel()
	s := open(t, settlement.Guard{})
	p := s.player("100.00")
	twice, plain := s.place(p, "10.00", "2.50"), s.place(p, "10.00", "2.50")
	head := `{"KeyHead":{"BarCode":%q},"Status":2,"ExtStatus":0,%s"AmountOut":25.00,"DateRecive":"1780000060"}`
	body := `{"Heads":[` + fmt.Sprintf(head, twice.BetCode, `"amountout":1,`) + `,` + fmt.Sprintf(head, plain.BetCode, "") + `]}`
	url := s.listen()
	if status, answer := post(t, url, strings.NewReader(body)); status != http.StatusOK {
		t.Fatalf("answer = %d %s", status, answer)
	}
	s.work()
	s.is(twice, coupon.Accepted, "0.00", "105.00")
	s.is(plain, coupon.Won, "25.00", "105.00")
	if status, answer := post(t, url, strings.NewReader(pushBody(twice.BetCode, 2))); status != http.StatusOK {
		t.Fatalf("answer = %d %s", status, answer)
	}
	s.work()
	s.is(twice, coupon.Won, "25.00", "130.00")
}

// post sends a body, and returns the status and the problem's code, or the body when it is none.
func post(t testing.TB, url string, body io.Reader) (status int, code string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, body)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	var problem struct{ Code string }
	if json.Unmarshal(answer, &problem) == nil && problem.Code != "" {
		return response.StatusCode, problem.Code
	}
	return response.StatusCode, string(answer)
}

func pushBody(code string, minute int) string {
	return fmt.Sprintf(`{"remote_host":"http://us","Heads":[{"KeyHead":{"Id":"1","BarCode":%q},"Status":2,"ExtStatus":0,"AmountOut":25.00,"DateRecive":"%d"}]}`,
		code, 1_780_000_000+60*minute)
}

func TestReceiverStoresBeforeItAnswers(t *testing.T) {
	t.Parallel()
	s := open(t, settlement.Guard{})
	c := s.place(s.player("100.00"), "10.00", "2.50")
	body := pushBody(c.BetCode, 1)
	status, answer := post(t, s.listen(), strings.NewReader(body))
	if status != http.StatusOK || answer != `{"status":"ok"}` {
		t.Fatalf("answer = %d %s", status, answer)
	}
	var kept []byte
	if err := s.db.Pool.QueryRow(t.Context(), `SELECT c.body FROM callbacks c JOIN results r ON r.callback_id = c.id`).Scan(&kept); err != nil {
		t.Fatal(err)
	}
	if string(kept) != body {
		t.Errorf("the body was kept as %s", kept)
	}
	s.work()
	s.is(c, coupon.Won, "25.00", "115.00")
}

// Ten thousand copies of one result, from eight connections at once: paid once.
func TestTenThousandCopies(t *testing.T) {
	t.Parallel()
	s := open(t, settlement.Guard{})
	c := s.place(s.player("100.00"), "10.00", "2.50")
	url, body := s.listen(), pushBody(c.BetCode, 1)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 10_000 / 8 {
				if status, answer := post(t, url, strings.NewReader(body)); status != http.StatusOK {
					t.Errorf("answer = %d %s", status, answer)
					return
				}
				for _, chunk := range s.bell.take() {
					if err := s.settler.Apply(t.Context(), chunk.ID); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	wg.Wait()
	s.is(c, coupon.Won, "25.00", "115.00")
	if settlements := s.read(c.ID).Settlements; len(settlements) != 1 {
		t.Errorf("settled %d times", len(settlements))
	}
}

// What is refused is answered with a problem and leaves nothing behind but its body, bounded.
func TestReceiverRefuses(t *testing.T) {
	t.Parallel()
	s := open(t, settlement.Guard{})
	url, closed := s.listen(), s.listen("192.0.2.0/24")
	for _, test := range []struct {
		name   string
		url    string
		body   io.Reader
		status int
		code   string
	}{
		{"no JSON", url, strings.NewReader("Heads"), http.StatusBadRequest, "invalid_body"},
		{"cut off", url, strings.NewReader(`{"Heads":[{"KeyHead"`), http.StatusBadRequest, "invalid_body"},
		{"wrong type", url, strings.NewReader(`{"Heads":7}`), http.StatusUnprocessableEntity, "validation_failed"},
		{"50 MiB", url, io.MultiReader(strings.NewReader(`{"Heads":"`), bytes.NewReader(bytes.Repeat([]byte("x"), 50<<20))), http.StatusRequestEntityTooLarge, "body_too_large"},
		{"from elsewhere", closed, strings.NewReader(pushBody("x", 1)), http.StatusForbidden, "source_not_allowed"},
	} {
		if status, code := post(t, test.url, test.body); status != test.status || code != test.code {
			t.Errorf("%s: %d %s, want %d %s", test.name, status, code, test.status, test.code)
		}
	}
	var kept, longest int
	if err := s.db.Pool.QueryRow(t.Context(), `SELECT count(*), max(length(body)) FROM callbacks WHERE status <> 200`).Scan(&kept, &longest); err != nil {
		t.Fatal(err)
	}
	if kept != 4 || longest != 64<<10 {
		t.Errorf("%d bodies are kept, the longest has %d bytes", kept, longest)
	}
	for _, table := range []string{"results", "result_chunks"} {
		var n int
		if err := s.db.Pool.QueryRow(t.Context(), `SELECT count(*) FROM `+table).Scan(&n); err != nil {
			t.Fatal(err)
		}
		if n != 0 {
			t.Errorf("%d rows in %s", n, table)
		}
	}
	if status, answer := post(t, url, strings.NewReader(`{"Heads":[]}`)); status != http.StatusOK {
		t.Errorf("an empty push: %d %s", status, answer)
	}
}

// The readable Heads of a push count; the others wait for a person, with their text. A repeat is none.
func TestUnreadableHeadsAreParked(t *testing.T) {
	t.Parallel()
	s := open(t, settlement.Guard{})
	p := s.player("100.00")
	paid, lame := s.place(p, "10.00", "2.50"), s.place(p, "20.00", "2.50")
	bad := fmt.Sprintf(`{"KeyHead":{"BarCode":%q},"Status":2,"AmountOut":"fifty","DateRecive":"1780000060"}`, lame.BetCode)
	body := fmt.Sprintf(`{"Heads":[{"KeyHead":{"BarCode":%q},"Status":2,"ExtStatus":0,"AmountOut":25,"DateRecive":"1780000060"},%s,{},true]}`, paid.BetCode, bad)
	url := s.listen()
	for range 3 {
		if status, answer := post(t, url, strings.NewReader(body)); status != http.StatusOK {
			t.Fatalf("answer = %d %s", status, answer)
		}
		s.work()
	}
	s.is(paid, coupon.Won, "25.00", "95.00")
	s.is(lame, coupon.Accepted, "0.00", "95.00")
	waiting, err := s.settler.Waiting(t.Context(), 10)
	if err != nil || len(waiting) != 3 {
		t.Fatalf("%d wait, %v", len(waiting), err)
	}
	var id, other int64
	for _, w := range waiting {
		if w.Attention != "unreadable" || w.Reason == "" || len(w.Raw) == 0 || w.Decidable || w.Coupon.Valid {
			t.Errorf("waiting: %+v", w)
		}
		if string(w.Raw) == bad {
			id = w.ID
		} else {
			other = w.ID
		}
	}
	decision := settlement.Decision{Result: id, Operator: "ops@example.com", Comment: "by phone"}
	payout := money.MustParse("50.00")
	for name, change := range map[string]func(*settlement.Decision){
		"without its coupon": func(d *settlement.Decision) { d.Payout = &payout },
		"without the payout": func(d *settlement.Decision) { d.Coupon = uuid.NullUUID{UUID: lame.ID, Valid: true} },
		"of another's coupon": func(d *settlement.Decision) {
			d.Coupon, d.Payout = uuid.NullUUID{UUID: uuid.New(), Valid: true}, &payout
		},
	} {
		d := decision
		if change(&d); mustDecide(s, d) == nil {
			t.Errorf("%s: applied", name)
		}
	}
	decision.Coupon, decision.Payout = uuid.NullUUID{UUID: lame.ID, Valid: true}, &payout
	if err := mustDecide(s, decision); err != nil {
		t.Fatal(err)
	}
	s.is(lame, coupon.Won, "50.00", "145.00")
	if err := s.settler.Refuse(t.Context(), settlement.Decision{Result: other, Operator: "o", Comment: "noise"}); err != nil {
		t.Error(err)
	}
}

func mustDecide(s *shop, d settlement.Decision) error {
	_, err := s.settler.Decide(s.t.Context(), d)
	return err
}
