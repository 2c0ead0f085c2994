package main

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"evens/access"
	"evens/money"
	"evens/player"
	"evens/sim/betsim"
	"evens/wallet"
)

// slowBet is a BeT that thinks: before it takes a coupon, or when it has taken it.
type slowBet struct {
	*betsim.Server
	thinks func() (before, after time.Duration)
}

func (b slowBet) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/bet/place/" {
		b.Server.ServeHTTP(w, r)
		return
	}
	body, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	before, after := b.thinks()
	time.Sleep(before)
	answer := httptest.NewRecorder()
	b.Server.ServeHTTP(answer, r)
	time.Sleep(after)
	for name, values := range answer.Header() {
		w.Header()[name] = values
	}
	w.WriteHeader(answer.Code)
	_, _ = w.Write(answer.Body.Bytes())
}

func thinksFor(before, after time.Duration) func() (time.Duration, time.Duration) {
	return func() (time.Duration, time.Duration) { return before, after }
}

// betting is an installation whose BeT is slow, with a key and players who have money.
type betting struct {
	*installation
	bet     *betsim.Server
	key     string
	players []uuid.UUID
}

func openBetting(t *testing.T, databaseURL, redisURL string, players int, thinks func() (before, after time.Duration)) *betting {
	t.Helper()
	b := &betting{installation: install(t, databaseURL, redisURL), bet: betsim.New(betsim.Config{Seed: 7})}
	var stop func()
	b.betURL, stop = serveSim(slowBet{b.bet, thinks})
	t.Cleanup(stop)
	var err error
	if _, b.key, err = access.NewKeys(b.db, time.Now).Create(t.Context(), "stops", access.Scopes()); err != nil {
		t.Fatal(err)
	}
	registry := player.New(b.db, time.Now)
	poster := wallet.NewPoster(wallet.NewBooks(b.db, nil, nil), wallet.PosterConfig{})
	defer poster.Close()
	for n := range players {
		p, _, err := registry.Create(t.Context(), player.Registration{
			ExternalID: fmt.Sprint("p-", n), Name: "P", Email: "p@example.com", Currency: "USD",
		})
		if err != nil {
			t.Fatal(err)
		}
		_, err = wallet.Deposit(t.Context(), poster, wallet.Cash{
			Player: p.ID, Amount: money.MustParse("1000"), Currency: "USD", Method: "pix", TransactionID: uuid.NewString(), At: time.Now(),
		})
		if err != nil {
			t.Fatal(err)
		}
		b.players = append(b.players, p.ID)
	}
	return b
}

// counter is a running `evens api` with a folder of its own.
type counter struct {
	*process
	b            *betting
	url, dataDir string
}

func (b *betting) serve(t *testing.T, dataDir string, environ ...string) *counter {
	t.Helper()
	address := quietAddress(t)
	c := &counter{b: b, url: "http://" + address, dataDir: dataDir}
	c.process = b.start(t, []string{"api"}, append([]string{"EVENS_LISTEN=" + address, "EVENS_DATA_DIR=" + dataDir}, environ...)...)
	return c
}

// quietAddress is a free loopback address whose port no outgoing connection is given meanwhile.
func quietAddress(t *testing.T) string {
	t.Helper()
	for {
		address := net.JoinHostPort("127.0.0.1", strconv.Itoa(10_000+rand.IntN(20_000)))
		listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", address)
		if err == nil {
			_ = listener.Close()
			return address
		}
	}
}

func (c *counter) opens(t *testing.T) {
	t.Helper()
	eventually(t, time.Minute, "the api listens", func() bool { return answers(c.url+"/v1/openapi.json", http.StatusOK) })
}

// place places a coupon, and answers with HTTP's status, 0 where there is none.
func (c *counter) place(n int) (status int, retryAfter, text string) {
	who := c.b.players[n%len(c.b.players)]
	body := `{"player_id":"` + who.String() + `","selections":["live#` + strconv.Itoa(100+n) + `|17|9|0.5#2.00"],"stake":"1.00","currency":"USD",` +
		`"lang":"en","rate_mode":"accept"}`
	request, err := http.NewRequest(http.MethodPost, c.url+"/v1/coupons", strings.NewReader(body))
	if err != nil {
		return 0, "", err.Error()
	}
	request.Header.Set("Authorization", "Bearer "+c.b.key)
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Idempotency-Key", uuid.NewString())
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, "", err.Error()
	}
	defer response.Body.Close()
	answer, _ := io.ReadAll(response.Body)
	return response.StatusCode, response.Header.Get("Retry-After"), string(answer)
}

// ends waits for the process to exit, and says how long that took.
func (c *counter) ends(t *testing.T, within time.Duration) (code int, took time.Duration) {
	t.Helper()
	began := time.Now()
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = c.Wait()
	}()
	select {
	case <-done:
	case <-time.After(within):
		_ = c.Process.Kill()
		<-done
		t.Errorf("the process did not end within %s:\n%s", within, c.log)
	}
	return c.ProcessState.ExitCode(), time.Since(began)
}

func (c *counter) signal(t *testing.T, sig syscall.Signal) {
	t.Helper()
	if err := c.Process.Signal(sig); err != nil {
		t.Error(err)
	}
}

// spooled counts the lines in a data folder's spool.
func spooled(t *testing.T, dataDir string) (lines int) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dataDir, "spool", "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err == nil && filepath.Ext(name) != ".jsonl" {
			t.Errorf("%s: %s", name, text)
		}
		lines += bytes.Count(text, []byte("\n"))
	}
	return lines
}

// unknown are BeT's codes that are in no table, or in several places.
func (b *betting) unknown(t *testing.T) (codes []string) {
	t.Helper()
	known := make(map[string]int)
	rows, err := b.db.Pool.Query(t.Context(), `SELECT bet_code FROM coupons WHERE bet_code IS NOT NULL
		UNION ALL SELECT bet_code FROM coupon_answers WHERE bet_code IS NOT NULL`)
	if err != nil {
		t.Fatal(err)
	}
	var code string
	_, err = pgx.ForEachRow(rows, []any{&code}, func() error {
		known[code]++
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range b.bet.Coupons() {
		if known[c.BetCode] != 1 {
			codes = append(codes, c.BetCode)
		}
	}
	return codes
}

// postmaster is the process of a PostgreSQL and its children, as it tells.
func (b *betting) postmaster(t *testing.T) (parent int, children []int) {
	t.Helper()
	var own int
	if err := b.db.Pool.QueryRow(t.Context(), `SELECT pg_backend_pid()`).Scan(&own); err != nil {
		t.Fatal(err)
	}
	rows, err := b.db.Pool.Query(t.Context(), `SELECT pid FROM pg_stat_activity`)
	if err != nil {
		t.Fatal(err)
	}
	if children, err = pgx.CollectRows(rows, pgx.RowTo[int]); err != nil {
		t.Fatal(err)
	}
	text, err := exec.CommandContext(t.Context(), "ps", "-o", "ppid=", "-p", strconv.Itoa(own)).Output()
	if err != nil {
		t.Fatal(err)
	}
	if parent, err = strconv.Atoi(strings.TrimSpace(string(text))); err != nil {
		t.Fatal(err)
	}
	return parent, children
}
