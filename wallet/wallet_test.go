package wallet_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"evens/internal/postgres"
	"evens/internal/testbed"
	"evens/ledger"
	"evens/money"
	"evens/player"
	"evens/settlement/booktest"
	"evens/wallet"
)

func TestMain(m *testing.M) { testbed.Main(m) }

type bank struct {
	t       testing.TB
	db      *postgres.DB
	players *player.Registry
	poster  *wallet.Poster
}

// at is when everything here happens.
var at = time.Date(2026, 6, 1, 18, 0, 0, 0, time.UTC)

func open(t testing.TB) *bank {
	t.Helper()
	b := connect(t, testbed.Database(t))
	t.Cleanup(func() { booktest.Clean(t, b.db) })
	return b
}

// connect is one process on the database.
func connect(t testing.TB, url string) *bank {
	t.Helper()
	db := booktest.Open(t, url)
	b := &bank{t: t, db: db, players: player.New(db, func() time.Time { return at })}
	b.poster = wallet.NewPoster(wallet.NewBooks(db, nil, slog.New(slog.DiscardHandler)), wallet.PosterConfig{MaxBatch: 50})
	t.Cleanup(b.poster.Close)
	return b
}

func (b *bank) player(cash string) uuid.UUID {
	b.t.Helper()
	p, _, err := b.players.Create(b.t.Context(), player.Registration{ExternalID: uuid.NewString(), Name: "P", Email: "p@example.com", Currency: "USD"})
	if err != nil {
		b.t.Fatal(err)
	}
	if cash != "" {
		if _, err := wallet.Deposit(b.t.Context(), b.poster, order(p.ID, cash, uuid.NewString())); err != nil {
			b.t.Fatal(err)
		}
	}
	return p.ID
}

func order(player uuid.UUID, amount, id string) wallet.Cash {
	return wallet.Cash{Player: player, Amount: money.MustParse(amount), Currency: "USD", Method: "pix", TransactionID: id, At: at}
}

// under puts an order under an Idempotency-Key.
func under(key string, cash wallet.Cash) wallet.Cash {
	cash.Request = wallet.Request{Scope: "test", Key: key, Hash: ledger.HashOf(cash.Amount.String(), cash.TransactionID)}
	return cash
}

func (b *bank) cash(player uuid.UUID) string {
	b.t.Helper()
	balance, err := b.players.Balance(b.t.Context(), player)
	if err != nil {
		b.t.Fatal(err)
	}
	return balance.Cash.String()
}

func TestDepositsAndWithdrawals(t *testing.T) {
	t.Parallel()
	b := open(t)
	ctx := t.Context()
	p := b.player("100.00")
	if _, err := wallet.Withdraw(ctx, b.poster, order(p, "30.00", "w1")); err != nil {
		t.Fatal(err)
	}
	again, err := wallet.Withdraw(ctx, b.poster, order(p, "30.00", "w1"))
	if err != nil || again.Cash != money.MustParse("70.00") {
		t.Errorf("the same withdrawal again = %s, %v, want 70.00 as at first", again.Cash, err)
	}
	euros := order(p, "1.00", "x1")
	euros.Currency = "EUR"
	for _, test := range []struct {
		name string
		do   func() (wallet.Balance, error)
		want error
	}{
		{"more than there is", func() (wallet.Balance, error) {
			return wallet.Withdraw(ctx, b.poster, order(p, "70.0001", "w2"))
		}, wallet.ErrInsufficientFunds},
		{"an id used for another amount", func() (wallet.Balance, error) {
			return wallet.Withdraw(ctx, b.poster, order(p, "31.00", "w1"))
		}, ledger.ErrConflict},
		{"a withdrawal's id for a deposit", func() (wallet.Balance, error) {
			return wallet.Deposit(ctx, b.poster, order(p, "30.00", "w1"))
		}, ledger.ErrConflict},
		{"another currency", func() (wallet.Balance, error) { return wallet.Deposit(ctx, b.poster, euros) }, wallet.ErrCurrency},
		{"a player nobody knows", func() (wallet.Balance, error) {
			return wallet.Deposit(ctx, b.poster, order(uuid.New(), "1.00", "x2"))
		}, wallet.ErrUnknownPlayer},
	} {
		if _, err := test.do(); !errors.Is(err, test.want) {
			t.Errorf("%s: %v, want %v", test.name, err, test.want)
		}
	}
	if got := b.cash(p); got != "70.00" {
		t.Errorf("cash = %s, want 70.00", got)
	}
}

func TestIdempotencyKeys(t *testing.T) {
	t.Parallel()
	b := open(t)
	ctx := t.Context()
	p := b.player("10.00")
	first, err := wallet.Deposit(ctx, b.poster, under("k1", order(p, "5.00", "d1")))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := wallet.Deposit(ctx, b.poster, order(p, "1.00", "d2")); err != nil {
		t.Fatal(err)
	}
	replay, err := wallet.Deposit(ctx, b.poster, under("k1", order(p, "5.00", "d1")))
	if err != nil || replay != first {
		t.Errorf("replay = %+v, %v, want the first answer %+v", replay, err, first)
	}
	if _, err := wallet.Deposit(ctx, b.poster, under("k1", order(p, "6.00", "d3"))); !errors.Is(err, wallet.ErrRequestConflict) {
		t.Errorf("the key with another body: %v", err)
	}
	// A refusal is remembered under its key, and under no other.
	if _, err := wallet.Withdraw(ctx, b.poster, under("k2", order(p, "100.00", "w1"))); !errors.Is(err, wallet.ErrInsufficientFunds) {
		t.Fatal(err)
	}
	if _, err := wallet.Deposit(ctx, b.poster, order(p, "200.00", "d4")); err != nil {
		t.Fatal(err)
	}
	if _, err := wallet.Withdraw(ctx, b.poster, under("k2", order(p, "100.00", "w1"))); !errors.Is(err, wallet.ErrInsufficientFunds) {
		t.Errorf("the refused key again: %v, want insufficient funds again", err)
	}
	if _, err := wallet.Withdraw(ctx, b.poster, under("k3", order(p, "100.00", "w1"))); err != nil {
		t.Errorf("under a new key: %v", err)
	}
	if got := b.cash(p); got != "116.00" {
		t.Errorf("cash = %s, want 116.00", got)
	}
}

// Sixty-four callers want 1.00 each of 10.00: exactly ten get it.
func TestNobodyOverspends(t *testing.T) {
	t.Parallel()
	b := open(t)
	p := b.player("10.00")
	var paid, refused atomic.Int64
	together(64, func(i int) {
		switch _, err := wallet.Withdraw(t.Context(), b.poster, order(p, "1.00", fmt.Sprintf("w%d", i))); {
		case err == nil:
			paid.Add(1)
		case errors.Is(err, wallet.ErrInsufficientFunds):
			refused.Add(1)
		default:
			t.Error(err)
		}
	})
	if paid.Load() != 10 || refused.Load() != 54 || b.cash(p) != "0.00" {
		t.Errorf("%d paid, %d refused, cash %s", paid.Load(), refused.Load(), b.cash(p))
	}
}

func together(n int, do func(i int)) {
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { do(i) })
	}
	wg.Wait()
}

// Two processes get the same instruction at the same time, with and without a key: one effect.
func TestTwoProcessesRace(t *testing.T) {
	t.Parallel()
	b := open(t)
	other := connect(t, b.db.Pool.Config().ConnString())
	p := b.player("")
	together(40, func(i int) {
		poster := b.poster
		if i%2 == 1 {
			poster = other.poster
		}
		id := fmt.Sprintf("d%d", i/8)
		cash := order(p, "1.00", id)
		if i%8 < 4 {
			cash = under("key "+id, cash)
		}
		if _, err := wallet.Deposit(t.Context(), poster, cash); err != nil {
			t.Error(err)
		}
	})
	if got := b.cash(p); got != "5.00" {
		t.Errorf("cash = %s, want 5.00", got)
	}
}

// post is a work that moves one unit from the cashier to each of its players.
func post(id string, players ...uuid.UUID) *wallet.Work {
	work := &wallet.Work{Players: players}
	for i := range players {
		work.Keys = append(work.Keys, ledger.Key{Source: wallet.CashSource, ExternalID: fmt.Sprintf("%s/%d", id, i)})
	}
	work.Decide = func(batch *wallet.Batch) error {
		for i, p := range players {
			_, _, err := batch.Post(ledger.Transaction{Key: work.Keys[i], Kind: ledger.Deposit, Player: p, At: at},
				ledger.Move{From: ledger.Cashier, To: ledger.Cash, Amount: money.Scale})
			if err != nil {
				return err
			}
		}
		return nil
	}
	return work
}

// Works that lock several players, named in any order, never deadlock.
func TestWorksWithManyPlayers(t *testing.T) {
	t.Parallel()
	b := open(t)
	players := make([]uuid.UUID, 6)
	for i := range players {
		players[i] = b.player("")
	}
	together(120, func(i int) {
		chance := rand.New(rand.NewPCG(uint64(i), 7))
		mine := make([]uuid.UUID, 0, 3)
		for _, at := range chance.Perm(len(players))[:3] {
			mine = append(mine, players[at])
		}
		if err := b.poster.Do(t.Context(), post(fmt.Sprint(i), mine...)); err != nil {
			t.Error(err)
		}
	})
	var sum money.Amount
	for _, p := range players {
		sum += money.MustParse(b.cash(p))
	}
	if sum != 360*money.Scale {
		t.Errorf("together they have %s, want 360.00", sum)
	}
}

type brokenRows struct{}

// Queue writes what the database refuses.
func (brokenRows) Queue(batch *pgx.Batch) { batch.Queue(`INSERT INTO coupons (id) VALUES (NULL)`) }

// A work that refuses, panics, or writes what the database refuses hurts nobody else.
func TestPoisonedWorkStandsAlone(t *testing.T) {
	t.Parallel()
	errOdd := errors.New("odd")
	b := open(t)
	p := b.player("")
	var good, bad atomic.Int64
	together(60, func(i int) {
		work := post(fmt.Sprint(i), p)
		decide := work.Decide
		poison := i % 10
		work.Decide = func(batch *wallet.Batch) error {
			if err := decide(batch); err != nil {
				return err
			}
			switch poison {
			case 0:
				return errOdd
			case 1:
				panic("a bug")
			case 2:
				batch.Rows(brokenRows{}, func() wallet.RowSet { return brokenRows{} })
			}
			return nil
		}
		if err := b.poster.Do(t.Context(), work); err != nil {
			bad.Add(1)
			if poison > 2 || poison == 0 && !errors.Is(err, errOdd) {
				t.Errorf("work %d: %v", i, err)
			}
			return
		}
		good.Add(1)
	})
	if good.Load() != 42 || bad.Load() != 18 || b.cash(p) != "42.00" {
		t.Errorf("%d good, %d bad, cash %s, want 42, 18, 42.00", good.Load(), bad.Load(), b.cash(p))
	}
}

func TestCallerGoesAway(t *testing.T) {
	t.Parallel()
	b := open(t)
	p := b.player("")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := b.poster.Do(ctx, post("gone", p)); !errors.Is(err, context.Canceled) {
		t.Errorf("Do() = %v, want context.Canceled", err)
	}
	if err := b.poster.Do(t.Context(), post("stays", p)); err != nil {
		t.Error(err)
	}
}

func TestCloseAnswersEverybody(t *testing.T) {
	t.Parallel()
	b := open(t)
	p := b.player("")
	var done, closed atomic.Int64
	var wg sync.WaitGroup
	for i := range 50 {
		wg.Go(func() {
			switch err := b.poster.Do(t.Context(), post(fmt.Sprint(i), p)); {
			case err == nil:
				done.Add(1)
			case errors.Is(err, wallet.ErrClosed):
				closed.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	b.poster.Close()
	wg.Wait()
	if got, want := b.cash(p), money.Amount(done.Load()*money.Scale).String(); got != want {
		t.Errorf("%d works done, cash %s", done.Load(), got)
	}
	if err := b.poster.Do(t.Context(), post("late", p)); !errors.Is(err, wallet.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}

// The database stops at once: callers hear so, and nothing is half done when it is back.
func TestDatabaseAway(t *testing.T) {
	t.Parallel()
	private := testbed.PrivateServers(t)
	if err := postgres.Migrate(t.Context(), private.DatabaseURL()); err != nil {
		t.Fatal(err)
	}
	b := connect(t, private.DatabaseURL())
	p := b.player("")
	if err := private.StopPostgres(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := b.poster.Do(t.Context(), post("while away", p)); !errors.Is(err, postgres.ErrUnavailable) {
		t.Errorf("Do() = %v, want ErrUnavailable", err)
	}
	if err := private.StartPostgres(t.Context()); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(100 * time.Millisecond) {
		err := b.poster.Do(t.Context(), post("while away", p))
		if err == nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
	b.db.Pool.Reset() // its connections are from before
	if got := b.cash(p); got != "1.00" {
		t.Errorf("cash = %s, want 1.00", got)
	}
	booktest.Clean(t, b.db)
}
