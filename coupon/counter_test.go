package coupon_test

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"evens/coupon"
	"evens/coupon/bet"
	"evens/internal/postgres"
	"evens/internal/testbed"
	"evens/money"
	"evens/player"
	"evens/settlement/booktest"
	"evens/wallet"
)

func TestMain(m *testing.M) { testbed.Main(m) }

var opening = time.Date(2026, 6, 1, 18, 0, 0, 0, time.UTC)

// bookmaker is a fake BeT: it answers a placement as the test wants.
type bookmaker func(ctx context.Context, ticket bet.Ticket) (bet.Answer, error)

// Place implements coupon.Bookmaker.
func (b bookmaker) Place(ctx context.Context, ticket bet.Ticket) (bet.Answer, error) {
	return b(ctx, ticket)
}

// finder is a fake list by time.
type finder func(open coupon.Coupon) (answer bet.Answer, found, known bool, err error)

// Find implements coupon.Finder.
func (f finder) Find(_ context.Context, open coupon.Coupon) (bet.Answer, bool, bool, error) {
	return f(open)
}

type clock struct{ past atomic.Int64 }

func (c *clock) Now() time.Time          { return opening.Add(time.Duration(c.past.Load())) }
func (c *clock) forward(d time.Duration) { c.past.Add(int64(d)) }

// counter is where players place coupons: everything is real but the bookmaker, and the clock.
type counter struct {
	t       testing.TB
	db      *postgres.DB
	players *player.Registry
	poster  *wallet.Poster
	store   *coupon.Store
	desk    *coupon.Desk
	clock   *clock
	asked   atomic.Int64 // how often the bookmaker was

	mu       sync.Mutex
	accepted []string // bet codes told
	changed  int      // coupons told
}

// open starts a counter on a new database, whose books must be even when the test is over.
func open(t testing.TB, takes bookmaker, options ...func(*coupon.Config)) *counter {
	t.Helper()
	url := testbed.Database(t)
	c := openAt(t, url, takes, options...)
	t.Cleanup(func() { booktest.Clean(t, c.db) })
	return c
}

// openAt is one process's counter; several may stand on one database.
func openAt(t testing.TB, url string, takes bookmaker, options ...func(*coupon.Config)) *counter {
	t.Helper()
	db := booktest.Open(t, url)
	log := slog.New(slog.DiscardHandler)
	c := &counter{t: t, db: db, clock: &clock{}, store: coupon.NewStore(db)}
	c.players = player.New(db, c.clock.Now)
	c.poster = wallet.NewPoster(wallet.NewBooks(db, nil, log), wallet.PosterConfig{})
	t.Cleanup(c.poster.Close)
	cfg := coupon.Config{
		Bookmaker: bookmaker(func(ctx context.Context, ticket bet.Ticket) (bet.Answer, error) {
			c.asked.Add(1)
			return takes(ctx, ticket)
		}),
		RemoteHost: "https://us.example",
		Now:        c.clock.Now,
		Accepted: func(_, code string) {
			c.mu.Lock()
			defer c.mu.Unlock()
			c.accepted = append(c.accepted, code)
		},
		Changed: func(_, _ uuid.UUID) {
			c.mu.Lock()
			defer c.mu.Unlock()
			c.changed++
		},
		Log: log,
	}
	for _, option := range options {
		option(&cfg)
	}
	c.desk = coupon.NewDesk(c.poster, c.store, cfg)
	return c
}

// player opens a player with cash.
func (c *counter) player(cash string) uuid.UUID {
	c.t.Helper()
	id := uuid.NewString()
	p, _, err := c.players.Create(c.t.Context(), player.Registration{ExternalID: id, Name: "P", Email: "p@example.com", Currency: "USD"})
	if err != nil {
		c.t.Fatal(err)
	}
	c.deposit(p.ID, cash)
	return p.ID
}

func (c *counter) deposit(player uuid.UUID, cash string) {
	c.t.Helper()
	_, err := wallet.Deposit(c.t.Context(), c.poster, wallet.Cash{
		Player: player, Amount: money.MustParse(cash), Currency: "USD", Method: "pix", TransactionID: uuid.NewString(), At: opening,
	})
	if err != nil {
		c.t.Fatal(err)
	}
}

// place places an order that must end as a coupon.
func (c *counter) place(order coupon.Order) coupon.Coupon {
	c.t.Helper()
	placed, err := c.desk.Place(c.t.Context(), order)
	if err != nil {
		c.t.Fatal(err)
	}
	return placed
}

func (c *counter) confirm(id uuid.UUID) {
	c.t.Helper()
	if err := c.desk.Confirm(c.t.Context(), id); err != nil {
		c.t.Fatal(err)
	}
}

func (c *counter) read(id uuid.UUID) coupon.Coupon {
	c.t.Helper()
	read, err := c.store.Get(c.t.Context(), id)
	if err != nil {
		c.t.Fatal(err)
	}
	return read
}

// is checks where a coupon stands, why, and what its player has in cash.
func (c *counter) is(id uuid.UUID, status coupon.Status, code, cash string) {
	c.t.Helper()
	now := c.read(id)
	if now.Status != status || now.ErrorCode != code {
		c.t.Errorf("coupon is %s (%q), want %s (%q)", now.Status, now.ErrorCode, status, code)
	}
	c.has(now.Player, cash)
}

func (c *counter) has(player uuid.UUID, cash string) {
	c.t.Helper()
	balance, err := c.players.Balance(c.t.Context(), player)
	if err != nil {
		c.t.Fatal(err)
	}
	if got := balance.Cash.String(); got != cash {
		c.t.Errorf("cash = %s, want %s", got, cash)
	}
}

// order stakes on as many matches as there are coefficients.
func order(player uuid.UUID, stake string, coefs ...string) coupon.Order {
	o := coupon.Order{Player: player, Stake: money.MustParse(stake), Currency: "USD", Lang: "en", RateMode: "reject"}
	for i, coef := range coefs {
		o.Pointers = append(o.Pointers, fmt.Sprintf("live#%d|17|9|0.5#%s", 1000+i, coef))
	}
	return o
}

// under puts an order under an Idempotency-Key.
func under(key string, o coupon.Order) coupon.Order {
	o.Request = wallet.Request{Scope: "test", Key: key, Hash: o.Hash()}
	return o
}

// takesAll accepts everything, each coupon under a code of its own.
func takesAll() bookmaker {
	var n atomic.Int64
	return func(context.Context, bet.Ticket) (bet.Answer, error) {
		return bet.Answer{BetCode: fmt.Sprintf("code%06d", n.Add(1))}, nil
	}
}

// answers gives the same answer to everything.
func answers(answer bet.Answer, err error) bookmaker {
	return func(context.Context, bet.Ticket) (bet.Answer, error) { return answer, err }
}

var errLost = fmt.Errorf("cut off: %w", bet.ErrUnknownOutcome)

func coef(text string) money.Coef {
	c, err := money.ParseCoef(text)
	if err != nil {
		panic(err)
	}
	return c
}

func together(n int, do func(i int)) {
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { do(i) })
	}
	wg.Wait()
}
