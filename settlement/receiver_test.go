package settlement_test

import (
	"bytes"
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

	"evens/coupon"
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

// badBodies are answered with a problem and leave nothing behind.
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
		{"missing field", url, strings.NewReader(`{"Heads":[{"KeyHead":{},"Status":4,"DateRecive":"1"}]}`), http.StatusUnprocessableEntity, "validation_failed"},
		{"absurd amount", url, strings.NewReader(`{"Heads":[{"KeyHead":{"BarCode":"x"},"Status":2,"AmountOut":1e29,"DateRecive":"1"}]}`), http.StatusUnprocessableEntity, "validation_failed"},
		{"one good, one bad", url, strings.NewReader(`{"Heads":[{"KeyHead":{"BarCode":"x"},"Status":4,"DateRecive":"1"},{}]}`), http.StatusUnprocessableEntity, "validation_failed"},
		{"50 MiB", url, io.MultiReader(strings.NewReader(`{"Heads":"`), bytes.NewReader(bytes.Repeat([]byte("x"), 50<<20))), http.StatusRequestEntityTooLarge, "body_too_large"},
		{"from elsewhere", closed, strings.NewReader(pushBody("x", 1)), http.StatusForbidden, "source_not_allowed"},
	} {
		if status, code := post(t, test.url, test.body); status != test.status || code != test.code {
			t.Errorf("%s: %d %s, want %d %s", test.name, status, code, test.status, test.code)
		}
	}
	for _, table := range []string{"results", "callbacks", "result_chunks"} {
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
