package demo_test

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"evens/access"
	"evens/api"
	"evens/coupon"
	"evens/coupon/bet"
	"evens/demo"
	"evens/internal/broadcast"
	"evens/internal/redis"
	"evens/internal/testbed"
	"evens/internal/testbed/browser"
	"evens/jobs"
	"evens/money"
	"evens/player"
	"evens/settlement"
	"evens/settlement/booktest"
	"evens/sim/betsim"
	"evens/wallet"
)

func TestMain(m *testing.M) { testbed.Main(m, browser.Close) }

// house is what `evens demo` runs, in the test's process: the API with the betslip page, a
// worker, and a simulated BeT without faults.
type house struct {
	url string
	key string // opens every scope
	bet *betsim.Server

	server *httptest.Server
}

// openHouse wires as cmd/evens does. When the test is over, the books must be even.
func openHouse(t *testing.T) house {
	t.Helper()
	return openHouseBeating(t, 0)
}

// openHouseBeating is openHouse with another heartbeat of its event streams.
func openHouseBeating(t *testing.T, heartbeat time.Duration) house {
	t.Helper()
	log := slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))
	now := func() time.Time { return time.Now().UTC() }
	db := booktest.Open(t, testbed.Database(t))
	t.Cleanup(func() { booktest.Clean(t, db) })
	rdb, err := redis.Open(testbed.Redis(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = rdb.Close() })
	changes := broadcast.New(rdb, "changes:"+uuid.NewString(), log)
	t.Cleanup(changes.Close)
	<-changes.Ready()

	books := wallet.NewBooks(db, changes.WalletsMoved, log)
	poster := wallet.NewPoster(books, wallet.PosterConfig{})
	t.Cleanup(poster.Close)
	bell := jobs.NewBell(rdb, log)
	t.Cleanup(bell.Close)
	settler := settlement.NewSettler(db, books, bell, settlement.Guard{}, now, settlement.Observer{Changed: changes.CouponChanged}, log)

	server := httptest.NewUnstartedServer(nil)
	h := house{
		url: "http://" + server.Listener.Addr().String(), bet: betsim.New(betsim.Config{Seed: 1}),
		server: server,
	}
	sim := httptest.NewServer(h.bet)
	t.Cleanup(sim.Close)
	bookmaker, err := bet.New(bet.Config{
		URL: sim.URL, Login: "demo", Password: "demo", Timeout: 10 * time.Second,
		Sessions: coupon.NewSessions(db, now), Log: log, Now: now,
	})
	if err != nil {
		t.Fatal(err)
	}
	greeter := settlement.NewGreeter(settler, log)
	t.Cleanup(greeter.Close)
	store := coupon.NewStore(db)
	desk := coupon.NewDesk(poster, store, coupon.Config{
		Bookmaker: bookmaker, RemoteHost: h.url, Now: now, Accepted: greeter.Accepted, Changed: changes.CouponChanged, Log: log,
	})
	t.Cleanup(desk.Wait)
	worker := jobs.NewWorker(jobs.WorkerConfig{Redis: rdb, DB: db, Settler: settler, Desk: desk, Now: now, Log: log})
	if err := worker.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(worker.Shutdown)

	keys := access.NewKeys(db, now)
	if _, h.key, err = keys.Create(t.Context(), "demo", access.Scopes()); err != nil {
		t.Fatal(err)
	}
	stop := make(chan struct{})
	mux := http.NewServeMux()
	v1 := api.New(api.Config{
		Players: player.New(db, now), Tokens: access.NewTokens(db, now), Keys: keys, History: player.NewHistory(db),
		Poster: poster, Coupons: store, Desk: desk, Changes: changes,
		Providers: []api.Provider{{Name: coupon.Provider, Configured: true}},
		Version:   "test", Now: now, Heartbeat: heartbeat, Stop: stop, Log: log,
	})
	mux.Handle("/", v1)
	mux.Handle("POST /api/bet/result", settlement.NewReceiver(settlement.NewInbox(db, bell, settlement.Guard{}), settlement.ReceiverConfig{Now: now, Log: log}))
	mux.Handle("GET "+demo.BetslipPath, demo.Betslip())
	mux.Handle("GET "+demo.BetslipPath+"/", demo.Betslip())
	server.Config.Handler = mux
	server.Start()
	t.Cleanup(server.Close)
	t.Cleanup(sync.OnceFunc(func() { close(stop) })) // streams end, or the server would wait for them
	return h
}

// visitor is a player at the betslip.
type visitor struct{ id, token, link string }

// visitor opens a player with some cash, and logs them in.
func (h house) visitor(t *testing.T, cash string) visitor {
	t.Helper()
	return h.visitorIn(t, "USD", cash)
}

// visitorIn is a visitor whose wallet is in another currency.
func (h house) visitorIn(t *testing.T, currency money.Currency, cash string) visitor {
	t.Helper()
	var opened struct{ ID string }
	h.call(t, h.key, "POST", "/v1/players", map[string]string{
		"external_id": uuid.NewString(), "name": "Ana Souza", "email": "ana@example.com", "currency": string(currency),
	}, &opened)
	h.depositIn(t, opened.ID, currency, cash)
	var login struct{ Token string }
	h.call(t, h.key, "POST", "/v1/players/"+opened.ID+"/tokens", map[string]string{}, &login)
	values := url.Values{"player": {opened.ID}, "token": {login.Token}}
	return visitor{opened.ID, login.Token, h.url + demo.BetslipPath + "#" + values.Encode()}
}

func (h house) deposit(t *testing.T, id, amount string) {
	t.Helper()
	h.depositIn(t, id, "USD", amount)
}

func (h house) depositIn(t *testing.T, id string, currency money.Currency, amount string) {
	t.Helper()
	h.call(t, h.key, "POST", "/v1/players/"+id+"/deposits", map[string]string{
		"amount": amount, "currency": string(currency), "method": "pix", "transaction_id": uuid.NewString(),
	}, nil)
}

// call must succeed.
func (h house) call(t *testing.T, bearer, method, path string, body, out any) {
	t.Helper()
	content, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(t.Context(), method, h.url+path, bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+bearer)
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Idempotency-Key", uuid.NewString())
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode/100 != 2 {
		t.Fatalf("%s %s: HTTP %d %s (%v)", method, path, response.StatusCode, answer, err)
	}
	if out != nil {
		if err := json.Unmarshal(answer, out); err != nil {
			t.Fatal(err)
		}
	}
}

// result has BeT decide every coupon one way, or the decided ones another way, and push it.
func (h house) result(t *testing.T, options betsim.ResultOptions) {
	t.Helper()
	heads := h.bet.Results(options)
	if len(heads) != 1 {
		t.Fatalf("BeT decided %d coupons, want 1", len(heads))
	}
	if err := h.bet.Push(t.Context(), nil, "", heads, 0); err != nil {
		t.Fatal(err)
	}
}
