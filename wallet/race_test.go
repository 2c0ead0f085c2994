package wallet_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"evens/internal/postgres"
	"evens/ledger"
	"evens/money"
	"evens/wallet"
)

// Deposits and withdrawals of many players at once end in what a plain sum says.
func TestManyPlayersAtOnce(t *testing.T) {
	t.Parallel()
	b := open(t)
	players := make([]uuid.UUID, 8)
	sums := make([]atomic.Int64, len(players))
	for i := range players {
		players[i] = b.player("")
	}
	together(64, func(i int) {
		chance := rand.New(rand.NewPCG(uint64(i), 11))
		for n := range 5 {
			at := chance.IntN(len(players))
			amount := money.Amount(1 + chance.IntN(50_000))
			cash := order(players[at], amount.String(), fmt.Sprintf("%d/%d", i, n))
			do, change := wallet.Deposit, amount
			if chance.IntN(2) == 0 {
				do, change = wallet.Withdraw, -amount
			}
			balance, err := do(t.Context(), b.poster, cash)
			switch {
			case errors.Is(err, wallet.ErrInsufficientFunds):
			case err != nil:
				t.Error(err)
			case balance.Cash < 0:
				t.Errorf("a balance of %s", balance.Cash)
			default:
				sums[at].Add(int64(change))
			}
		}
	})
	for i, p := range players {
		if got, want := b.cash(p), money.Amount(sums[i].Load()).String(); got != want {
			t.Errorf("player %d has %s, want %s", i, got, want)
		}
	}
}

// Two processes are told one transaction id, or one Idempotency-Key, for two players at the same
// moment. Only one can have it; the other hears that it is taken, never of a broken database.
func TestTwoPlayersRaceForOneID(t *testing.T) {
	t.Parallel()
	b := open(t)
	other := connect(t, b.db.Pool.Config().ConnString())
	players := []uuid.UUID{b.player(""), b.player("")}
	for name, test := range map[string]struct {
		cash func(round, side int) wallet.Cash
		want error
	}{
		"transaction id": {func(round, side int) wallet.Cash {
			return order(players[side], "1.00", fmt.Sprintf("id%d", round))
		}, ledger.ErrConflict},
		"Idempotency-Key": {func(round, side int) wallet.Cash {
			return under(fmt.Sprintf("key%d", round), order(players[side], "1.00", fmt.Sprintf("own%d/%d", round, side)))
		}, wallet.ErrRequestConflict},
	} {
		for round := range 25 {
			var paid atomic.Int64
			together(2, func(side int) {
				poster := []*wallet.Poster{b.poster, other.poster}[side]
				switch _, err := wallet.Deposit(t.Context(), poster, test.cash(round, side)); {
				case err == nil:
					paid.Add(1)
				case !errors.Is(err, test.want):
					t.Errorf("%s: %v, want %v", name, err, test.want)
				}
			})
			if paid.Load() != 1 {
				t.Errorf("%s: %d of two paid", name, paid.Load())
			}
		}
	}
	first, second := money.MustParse(b.cash(players[0])), money.MustParse(b.cash(players[1]))
	if first+second != 50*money.Scale {
		t.Errorf("%s and %s, want 50.00 together", first, second)
	}
}

// One instruction that reaches two processes at once is answered alike by both.
func TestTwoProcessesAnswerAlike(t *testing.T) {
	t.Parallel()
	b := open(t)
	other := connect(t, b.db.Pool.Config().ConnString())
	p := b.player("100.00")
	for round := range 20 {
		var answers [8]wallet.Balance
		together(len(answers), func(i int) {
			cash := order(p, "1.00", fmt.Sprintf("w%d", round))
			if round%2 == 0 {
				cash = under(fmt.Sprintf("k%d", round), cash)
			}
			var err error
			if answers[i], err = wallet.Withdraw(t.Context(), []*wallet.Poster{b.poster, other.poster}[i%2], cash); err != nil {
				t.Error(err)
			}
		})
		for _, answer := range answers {
			if answer != answers[0] || answer.Cash != money.Amount(99-round)*money.Scale {
				t.Errorf("round %d: answers %s and %s, want %d.00", round, answer.Cash, answers[0].Cash, 99-round)
			}
		}
	}
}

// held keeps a batch waiting until the test lets it go on.
type held struct{ reached, goOn chan struct{} }

// QueueLocks implements wallet.Locker.
func (h *held) QueueLocks(*pgx.Batch, []*wallet.Work) {
	close(h.reached)
	<-h.goOn
}

// A caller who leaves while queued behind a slow batch is dropped; one who leaves while the own
// batch is under way is not: the money has moved.
func TestCallerLeavesTheQueue(t *testing.T) {
	t.Parallel()
	b := open(t)
	p := b.player("")
	slow := post("slow", p)
	h := &held{make(chan struct{}), make(chan struct{})}
	slow.Locker = h
	ctx, leave := context.WithCancel(t.Context())
	errs := make(chan error, 2)
	go func() { errs <- b.poster.Do(ctx, slow) }()
	<-h.reached
	go func() { errs <- b.poster.Do(ctx, post("queued", p)) }()
	time.Sleep(20 * time.Millisecond) // long enough to be queued, mostly; right either way
	leave()
	for range 2 {
		if err := <-errs; !errors.Is(err, context.Canceled) {
			t.Errorf("Do() = %v, want context.Canceled", err)
		}
	}
	close(h.goOn)
	if err := b.poster.Do(t.Context(), post("next", p)); err != nil {
		t.Error(err)
	}
	if got := b.cash(p); got != "2.00" {
		t.Errorf("cash = %s, want 2.00: the work under way and the next", got)
	}
}

// takenRows insert the same external id twice: a violation that trying again does not cure.
type takenRows struct{}

// Queue implements wallet.RowSet.
func (takenRows) Queue(batch *pgx.Batch) {
	batch.Queue(`INSERT INTO players (id, external_id, name, email, currency, created_at) VALUES (gen_random_uuid(), 'taken', '', '', 'USD', now())`)
	batch.Queue(`INSERT INTO players (id, external_id, name, email, currency, created_at) VALUES (gen_random_uuid(), 'taken', '', '', 'USD', now())`)
}

func TestLastingViolationEnds(t *testing.T) {
	t.Parallel()
	b := open(t)
	p := b.player("")
	bad := post("bad", p)
	decide := bad.Decide
	bad.Decide = func(batch *wallet.Batch) error {
		batch.Rows(takenRows{}, func() wallet.RowSet { return takenRows{} })
		return decide(batch)
	}
	if err := b.poster.Do(t.Context(), bad); !postgres.Violates(err, "players_external_id") {
		t.Errorf("Do() = %v, want the database's error", err)
	}
	if err := b.poster.Do(t.Context(), post("good", p)); err != nil {
		t.Error(err)
	}
	if got := b.cash(p); got != "1.00" {
		t.Errorf("cash = %s, want 1.00", got)
	}
}

// A negative or empty amount never moves money the wrong way.
func TestAmountsThatAreNone(t *testing.T) {
	t.Parallel()
	b := open(t)
	p := b.player("10.00")
	for _, amount := range []string{"0.00", "-5.00"} {
		for name, do := range map[string]func(context.Context, *wallet.Poster, wallet.Cash) (wallet.Balance, error){
			"deposit": wallet.Deposit, "withdrawal": wallet.Withdraw,
		} {
			if _, err := do(t.Context(), b.poster, order(p, amount, name+amount)); err == nil {
				t.Errorf("a %s of %s was done", name, amount)
			}
		}
	}
	if got := b.cash(p); got != "10.00" {
		t.Errorf("cash = %s, want 10.00", got)
	}
}
