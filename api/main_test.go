package api

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"evens/access"
	"evens/coupon"
	"evens/coupon/bet"
	"evens/internal/broadcast"
	"evens/internal/postgres"
	"evens/internal/redis"
	"evens/internal/testbed"
	"evens/internal/testbed/browser"
	"evens/internal/testbed/testlog"
	"evens/money"
	"evens/player"
	"evens/wallet"
)

func TestMain(m *testing.M) { testbed.Main(m, browser.Close) }

// bundle is the API over real servers, with a bookmaker that does as the test says.
type bundle struct {
	url       string
	config    Config
	db        *postgres.DB
	bookmaker *bookmaker
	changes   *broadcast.Broadcaster
	log       *testlog.Buffer
	stop      func()
	key       string // opens every scope
	platform  *platform
}

// bookmaker accepts everything until it is told otherwise.
type bookmaker struct {
	placed atomic.Int64
	mu     sync.Mutex
	answer func(bet.Ticket) (bet.Answer, error)
}

// Place implements coupon.Bookmaker.
func (b *bookmaker) Place(_ context.Context, ticket bet.Ticket) (bet.Answer, error) {
	b.placed.Add(1)
	b.mu.Lock()
	answer := b.answer
	b.mu.Unlock()
	if answer != nil {
		return answer(ticket)
	}
	return bet.Answer{BetCode: uuid.NewString()}, nil
}

func (b *bookmaker) answers(answer func(bet.Ticket) (bet.Answer, error)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.answer = answer
}

const testHeartbeat = 100 * time.Millisecond

func setup(t *testing.T) bundle {
	t.Helper()
	return setupOn(t, testbed.Database(t), testbed.Redis(t))
}

func setupOn(t *testing.T, databaseURL, redisURL string) bundle {
	t.Helper()
	b := bundle{bookmaker: &bookmaker{}, log: &testlog.Buffer{}, platform: &platform{}}
	quiet := slog.New(slog.DiscardHandler)
	var err error
	b.db, err = postgres.Open(t.Context(), postgres.Config{URL: databaseURL, MaxConns: 8, HotConns: 2, Log: quiet})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.db.Close)
	client, err := redis.Open(redisURL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	b.changes = broadcast.New(client, "changes:"+uuid.NewString(), quiet)
	t.Cleanup(b.changes.Close)
	<-b.changes.Ready()

	now := func() time.Time { return time.Now().UTC() }
	books := wallet.NewBooks(b.db, b.changes.WalletsMoved, quiet)
	poster := wallet.NewPoster(books, wallet.PosterConfig{})
	t.Cleanup(poster.Close)
	store := coupon.NewStore(b.db)
	desk := coupon.NewDesk(poster, store, coupon.Config{
		Bookmaker: b.bookmaker, RemoteHost: "http://127.0.0.1", Now: now, Changed: b.changes.CouponChanged, Log: quiet,
	})
	t.Cleanup(desk.Wait)
	keys := access.NewKeys(b.db, now)
	_, b.key, err = keys.Create(t.Context(), "everything", access.Scopes())
	if err != nil {
		t.Fatal(err)
	}
	rules := wallet.NewRulebook(books, 0, now)
	stop := make(chan struct{})
	b.stop = sync.OnceFunc(func() { close(stop) })
	t.Cleanup(b.stop)
	b.config = Config{
		Players: player.New(b.db, now), Tokens: access.NewTokens(b.db, now), Keys: keys, History: player.NewHistory(b.db),
		Poster: poster, Coupons: store, Desk: desk, Changes: b.changes, Rules: rules, Campaigns: campaigns(t),
		Bonuses: func(ctx context.Context, id uuid.UUID, before uuid.NullUUID, limit int) ([]wallet.BonusView, error) {
			return wallet.Bonuses(ctx, b.db, id, before, limit)
		},
		Providers: []Provider{{Name: "bet", Configured: true}, {Name: "tg"}, {Name: "naga"}, {Name: "cashier"}},
		Games:     games(t, b, client, rules, now, quiet),
		Version:   "test", Now: now, Stop: stop, Log: slog.New(slog.NewTextHandler(b.log, nil)),
	}
	b.url = serve(t, newHandler(b.config, testHeartbeat))
	return b
}

func serve(t *testing.T, handler http.Handler) string {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server.URL
}

// answer is a response read to its end.
type answer struct {
	status int
	header http.Header
	body   string
}

// into decodes the body.
func (a answer) into(t *testing.T, v any) {
	t.Helper()
	if err := json.Unmarshal([]byte(a.body), v); err != nil {
		t.Fatalf("answer %d %q: %v", a.status, a.body, err)
	}
}

// problem is what every error must look like.
type problemBody struct {
	Type, Title, Code, Detail string
	Status                    int
	Errors                    []struct{ Location, Message string }
}

// check fails the test unless the answer is a problem with that status and code.
func (a answer) check(t *testing.T, status int, code string) problemBody {
	t.Helper()
	var p problemBody
	if got := a.header.Get("Content-Type"); got != "application/problem+json" {
		t.Errorf("answer %d %q with Content-Type %q, want application/problem+json", a.status, a.body, got)
		return p
	}
	a.into(t, &p)
	if a.status != status || p.Status != status || p.Code != code || p.Title == "" || p.Type == "" {
		t.Errorf("answer %d %s, want %d %s", a.status, a.body, status, code)
	}
	return p
}

// option changes a request.
type option func(*http.Request)

func bearing(secret string) option { return header("Authorization", "Bearer "+secret) }

func header(name, value string) option {
	return func(r *http.Request) { r.Header[http.CanonicalHeaderKey(name)] = []string{value} }
}

func idempotent(key string) option { return header("Idempotency-Key", key) }

// call sends a request with the key that opens everything, unless an option says otherwise. A
// body that is a string is sent as it is, nil is none, anything else is JSON.
func (b bundle) call(t *testing.T, method, path string, body any, options ...option) answer {
	t.Helper()
	r := b.request(t, method, path, body, options...)
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	return answer{status: response.StatusCode, header: response.Header, body: string(text)}
}

func (b bundle) request(t *testing.T, method, path string, body any, options ...option) *http.Request {
	t.Helper()
	var reader io.Reader
	switch body := body.(type) {
	case nil:
	case string:
		reader = strings.NewReader(body)
	case io.Reader:
		reader = body
	default:
		data, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		reader = bytes.NewReader(data)
	}
	r, err := http.NewRequestWithContext(t.Context(), method, b.url+path, reader)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+b.key)
	if reader != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	for _, change := range options {
		change(r)
	}
	return r
}

type fields map[string]any

// with returns a copy with another value; nil leaves the field out.
func (f fields) with(name string, value any) fields {
	changed := fields{}
	for k, v := range f {
		changed[k] = v
	}
	changed[name] = value
	if value == nil {
		delete(changed, name)
	}
	return changed
}

// player makes one in USD with some cash, through the API.
func (b bundle) player(t *testing.T, cash string) playerView {
	t.Helper()
	made := b.call(t, "POST", "/v1/players", fields{
		"external_id": uuid.NewString(), "name": "Ann", "email": "ann@example.com", "currency": "USD",
	})
	if made.status != http.StatusCreated {
		t.Fatalf("create player: %d %s", made.status, made.body)
	}
	var p playerView
	made.into(t, &p)
	if cash != "" {
		paid := b.call(t, "POST", "/v1/players/"+p.ID+"/deposits", depositBody(cash), idempotent(uuid.NewString()))
		if paid.status != http.StatusOK {
			t.Fatalf("deposit: %d %s", paid.status, paid.body)
		}
	}
	return p
}

func depositBody(amount string) fields {
	return fields{"amount": amount, "currency": "USD", "method": "card", "transaction_id": uuid.NewString()}
}

// token issues one for the player.
func (b bundle) token(t *testing.T, id string) string {
	t.Helper()
	var out struct{ Token string }
	b.call(t, "POST", "/v1/players/"+id+"/tokens", nil).into(t, &out)
	return out.Token
}

// cash reads the player's cash past the API.
func (b bundle) cash(t *testing.T, id string) string {
	t.Helper()
	balance, err := b.config.Players.Balance(t.Context(), uuid.MustParse(id))
	if err != nil {
		t.Fatal(err)
	}
	return balance.Cash.String()
}

func couponBody(playerID string) fields {
	return fields{
		"player_id": playerID, "selections": []string{"live#187183313|17|9|0.5#1.99"},
		"stake": "15.50", "currency": "USD", "lang": "en", "rate_mode": "reject",
	}
}

// place places a coupon that must succeed.
func (b bundle) place(t *testing.T, playerID string, options ...option) couponView {
	t.Helper()
	placed := b.call(t, "POST", "/v1/coupons", couponBody(playerID), append([]option{idempotent(uuid.NewString())}, options...)...)
	if placed.status != http.StatusCreated {
		t.Fatalf("place coupon: %d %s", placed.status, placed.body)
	}
	var c couponView
	placed.into(t, &c)
	return c
}

func amount(text string) money.Amount { return money.MustParse(text) }
