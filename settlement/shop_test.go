package settlement_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"evens/audit"
	"evens/coupon"
	"evens/coupon/bet"
	"evens/internal/postgres"
	"evens/internal/testbed"
	"evens/money"
	"evens/player"
	"evens/settlement"
	"evens/wallet"
)

func TestMain(m *testing.M) { testbed.Main(m) }

// shop is a small sportsbook: everything real but BeT, which says what the test wants.
type shop struct {
	t        testing.TB
	db       *postgres.DB
	players  *player.Registry
	books    *wallet.Books
	poster   *wallet.Poster
	store    *coupon.Store
	desk     *coupon.Desk
	inbox    *settlement.Inbox
	settler  *settlement.Settler
	bell     *bell
	clock    *clock
	bet      bookmaker
	accepted func(provider, code string) // told of new bet codes
	placed   int
}

// bell keeps what was rung instead of asking a queue.
type bell struct {
	mu     sync.Mutex
	chunks []settlement.Chunk
}

func (b *bell) Ring(chunks []settlement.Chunk) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.chunks = append(b.chunks, chunks...)
}

func (b *bell) take() []settlement.Chunk {
	b.mu.Lock()
	defer b.mu.Unlock()
	chunks := b.chunks
	b.chunks = nil
	return chunks
}

type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) forward(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// bookmaker answers one placement.
type bookmaker func(ticket bet.Ticket) (bet.Answer, error)

type asBookmaker struct{ shop *shop }

func (b asBookmaker) Place(_ context.Context, ticket bet.Ticket) (bet.Answer, error) {
	return b.shop.bet(ticket)
}

func (s *shop) nextCode() string {
	s.placed++
	return fmt.Sprintf("code%06d", s.placed)
}

func open(t testing.TB, guard settlement.Guard) *shop {
	t.Helper()
	db, err := postgres.Open(t.Context(), postgres.Config{URL: testbed.Database(t), MaxConns: 6, HotConns: 6})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	log := slog.New(slog.DiscardHandler)
	s := &shop{t: t, db: db, bell: &bell{}, clock: &clock{now: time.Date(2026, 6, 1, 20, 0, 0, 0, time.UTC)}}
	s.players = player.New(db, s.clock.Now)
	s.books = wallet.NewBooks(db, nil, log)
	s.poster = wallet.NewPoster(s.books, wallet.PosterConfig{})
	t.Cleanup(s.poster.Close)
	s.store = coupon.NewStore(db)
	s.bet = func(ticket bet.Ticket) (bet.Answer, error) { return bet.Answer{BetCode: s.nextCode()}, nil }
	s.desk = coupon.NewDesk(s.poster, s.store, coupon.Config{
		Bookmaker: asBookmaker{s}, RemoteHost: "http://us", Now: s.clock.Now, Log: log,
		Accepted: func(provider, code string) {
			if s.accepted != nil {
				s.accepted(provider, code)
			}
		},
	})
	s.inbox = settlement.NewInbox(db, s.bell, guard)
	s.settler = settlement.NewSettler(db, s.books, s.bell, guard, s.clock.Now, settlement.Observer{}, log)
	t.Cleanup(func() { s.audit() })
	return s
}

// audit fails the test where the books are not even.
func (s *shop) audit() {
	s.t.Helper()
	report, err := audit.At(context.Background(), s.db, s.clock.Now())
	if err != nil {
		s.t.Error(err)
		return
	}
	if !report.Clean {
		var text bytes.Buffer
		_ = report.Print(&text)
		s.t.Errorf("the audit found violations:\n%s", &text)
	}
}

// player opens a player with cash.
func (s *shop) player(cash string) uuid.UUID {
	s.t.Helper()
	id := uuid.NewString()
	p, _, err := s.players.Create(s.t.Context(), player.Registration{ExternalID: id, Name: "P", Email: "p@example.com", Currency: "USD"})
	if err != nil {
		s.t.Fatal(err)
	}
	_, err = wallet.Deposit(s.t.Context(), s.poster, wallet.Cash{
		Player: p.ID, Amount: money.MustParse(cash), Currency: "USD", Method: "pix", TransactionID: id, At: s.clock.Now(),
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return p.ID
}

func (s *shop) cash(player uuid.UUID) string {
	s.t.Helper()
	balance, err := s.players.Balance(s.t.Context(), player)
	if err != nil {
		s.t.Fatal(err)
	}
	return balance.Cash.String()
}

// order stakes on as many matches as there are coefficients.
func order(player uuid.UUID, stake string, coefs ...string) coupon.Order {
	o := coupon.Order{Player: player, Stake: money.MustParse(stake), Currency: "USD", Lang: "en", RateMode: "reject"}
	for i, coef := range coefs {
		o.Pointers = append(o.Pointers, fmt.Sprintf("line#%d|1|1|0#%s", 1000+i, coef))
	}
	return o
}

func (s *shop) place(player uuid.UUID, stake string, coefs ...string) coupon.Coupon {
	s.t.Helper()
	placed, err := s.desk.Place(s.t.Context(), order(player, stake, coefs...))
	if err != nil {
		s.t.Fatal(err)
	}
	if placed.Status != coupon.Accepted {
		s.t.Fatalf("the coupon is %s", placed.Status)
	}
	return placed
}

// said is a result: decided so many minutes after the shop opened.
func said(code string, minute, status, ext int, amount string) settlement.Head {
	head := settlement.Head{BarCode: code, DecidedAt: time.Date(2026, 6, 1, 18, minute, 0, 0, time.UTC)}
	head.Status, head.ExtStatus = status, ext
	if amount != "" {
		head.AmountOut, head.HasAmount = money.MustParse(amount), true
	}
	return head
}

func won(code string, minute int, amount string) settlement.Head {
	return said(code, minute, 2, 0, amount)
}
func lost(code string, minute int) settlement.Head { return said(code, minute, 4, 0, "25.00") }
func void(code string, minute int, amount string) settlement.Head {
	return said(code, minute, 2, 1, amount)
}

// push stores results and answers how many were new.
func (s *shop) push(heads ...settlement.Head) int {
	s.t.Helper()
	fresh, err := s.inbox.Store(s.t.Context(), settlement.Push{Heads: heads, Body: []byte("{}"), Path: "/", Source: "127.0.0.1", At: s.clock.Now()})
	if err != nil {
		s.t.Fatal(err)
	}
	return fresh
}

// work applies what was rung for.
func (s *shop) work() {
	s.t.Helper()
	for _, chunk := range s.bell.take() {
		if err := s.settler.Apply(s.t.Context(), chunk.ID); err != nil {
			s.t.Fatal(err)
		}
	}
}

// settle pushes and works.
func (s *shop) settle(heads ...settlement.Head) {
	s.t.Helper()
	s.push(heads...)
	s.work()
}

func (s *shop) read(id uuid.UUID) coupon.Coupon {
	s.t.Helper()
	c, err := s.store.Get(s.t.Context(), id)
	if err != nil {
		s.t.Fatal(err)
	}
	return c
}

// is checks a coupon's status and payout and its player's cash.
func (s *shop) is(c coupon.Coupon, status coupon.Status, payout, cash string) {
	s.t.Helper()
	now := s.read(c.ID)
	if now.Status != status || now.Payout.String() != payout {
		s.t.Errorf("coupon = %s %s, want %s %s", now.Status, now.Payout, status, payout)
	}
	if got := s.cash(c.Player); got != cash {
		s.t.Errorf("cash = %s, want %s", got, cash)
	}
}

// states counts the results in the inbox by state and attention.
func (s *shop) states() map[string]int {
	s.t.Helper()
	rows, err := s.db.Pool.Query(s.t.Context(), `SELECT state || coalesce(' ' || attention, ''), count(*) FROM results GROUP BY 1`)
	if err != nil {
		s.t.Fatal(err)
	}
	defer rows.Close()
	states := make(map[string]int)
	for rows.Next() {
		var state string
		var n int
		if err := rows.Scan(&state, &n); err != nil {
			s.t.Fatal(err)
		}
		states[state] = n
	}
	return states
}

var errLost = fmt.Errorf("cut off: %w", bet.ErrUnknownOutcome)

// refused reports whether a stake is refused for want of money.
func (s *shop) refused(player uuid.UUID, stake string) bool {
	_, err := s.desk.Place(s.t.Context(), order(player, stake, "2.00"))
	return errors.Is(err, wallet.ErrInsufficientFunds)
}

// cancelSoon ends within a few milliseconds, in the middle of a transaction or not.
func cancelSoon(t testing.TB, chance *rand.Rand) (context.Context, context.CancelFunc) {
	return context.WithTimeout(t.Context(), time.Duration(chance.IntN(6_000))*time.Microsecond)
}

// rungEarlier lets time pass since chunks were rung for: that goes by the database's clock.
func (s *shop) rungEarlier(by time.Duration) {
	s.t.Helper()
	if _, err := s.db.Pool.Exec(s.t.Context(), `UPDATE result_chunks SET rung_at = rung_at - $1::interval`, by); err != nil {
		s.t.Fatal(err)
	}
}
