package casino_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/google/uuid"

	"evens/casino"
	"evens/casino/casinotest"
	"evens/internal/testbed"
	"evens/ledger"
	"evens/money"
	"evens/player"
	"evens/wallet"
)

const platform = "tg"

func usd(text string) money.Amount { return money.MustParse(text) }

// table is a hall with one player at it.
type table struct {
	*casinotest.Hall
	t     *testing.T
	who   player.Identity
	round string
}

func sit(t *testing.T, cash string) table {
	t.Helper()
	hall := casinotest.Open(t, testbed.Database(t))
	return table{hall, t, hall.Player(t, "ana", usd(cash)), "round"}
}

func (b table) call(id string) casino.Call {
	return casino.Call{Provider: platform, ID: id, Player: b.who, Currency: "USD", Game: "slot", Round: casino.Round{ID: b.round}, At: b.Now()}
}

func (b table) bet(id, stake string) (casino.Outcome, error) {
	return b.Floor.Bet(b.t.Context(), casino.Bet{Call: b.call(id), Stake: usd(stake)})
}

func (b table) win(id, amount string) (casino.Outcome, error) {
	return b.Floor.Win(b.t.Context(), casino.Win{Call: b.call(id), Amount: usd(amount)})
}

func (b table) both(id, stake, win string) (casino.Outcome, error) {
	return b.Floor.BetAndSettle(b.t.Context(), casino.BetAndSettle{Call: b.call(id), Stake: usd(stake), Win: usd(win)})
}

func (b table) rollback(id string) (casino.Outcome, error) {
	return b.Floor.Rollback(b.t.Context(), casino.Rollback{Call: b.call(id)})
}

// has fails unless the player's cash is as much, and the outcome says so too.
func (b table) has(outcome casino.Outcome, err error, cash string) {
	b.t.Helper()
	if err != nil {
		b.t.Errorf("refused: %v", err)
	}
	if outcome.Cash != usd(cash) {
		b.t.Errorf("the outcome says %s, want %s", outcome.Cash, cash)
	}
	if got := b.Cash(b.t, b.who); got != usd(cash) {
		b.t.Errorf("cash = %s, want %s", got, cash)
	}
}

// refuses fails unless err is want and the player's cash is as much as before.
func (b table) refuses(err, want error, cash string) {
	b.t.Helper()
	if !errors.Is(err, want) {
		b.t.Errorf("%v, want %v", err, want)
	}
	if got := b.Cash(b.t, b.who); got != usd(cash) {
		b.t.Errorf("cash = %s, want %s", got, cash)
	}
}

func TestARound(t *testing.T) {
	t.Parallel()
	b := sit(t, "100")
	outcome, err := b.bet("bet-1", "10.50")
	b.has(outcome, err, "89.50")
	outcome, err = b.win("win-1", "30.0001")
	b.has(outcome, err, "119.5001")
	outcome, err = b.both("spin-1", "19.5", "0")
	b.has(outcome, err, "100.0001")
	outcome, err = b.both("spin-2", "0", "4")
	b.has(outcome, err, "104.0001")
	outcome, err = b.bet("free-1", "0")
	b.has(outcome, err, "104.0001")
	outcome, err = b.win("lost-1", "0")
	b.has(outcome, err, "104.0001")

	round, err := b.Floor.Round(t.Context(), platform, "round")
	if err != nil {
		t.Fatal(err)
	}
	if round.Staked != usd("30") || round.Won != usd("34.0001") || round.Closed || round.Reversed {
		t.Errorf("round = %+v", round)
	}
}

// The same id again moves nothing, and is answered with today's balance.
func TestRepeats(t *testing.T) {
	t.Parallel()
	b := sit(t, "100")
	first, err := b.bet("b", "10")
	b.has(first, err, "90")
	if outcome, err := b.win("w", "50"); err != nil || outcome.Repeat {
		t.Fatal(outcome, err)
	}
	again, err := b.bet("b", "10")
	b.has(again, err, "140")
	if !again.Repeat || again.Transaction != first.Transaction {
		t.Errorf("again = %+v, first %+v", again, first)
	}
	again, err = b.win("w", "50")
	b.has(again, err, "140")
	if outcome, err := b.both("s", "1", "2"); err != nil {
		t.Fatal(outcome, err)
	}
	again, err = b.Floor.Retry(t.Context(), casino.BetAndSettle{Call: b.call("s"), Stake: usd("1"), Win: usd("2")})
	b.has(again, err, "141")
	if !again.Repeat {
		t.Error("a retry of what was done is no repeat")
	}
}

func TestTheSameIDForSomethingElse(t *testing.T) {
	t.Parallel()
	b := sit(t, "100")
	outcome, err := b.bet("b", "10")
	b.has(outcome, err, "90")
	_, err = b.bet("b", "11")
	b.refuses(err, ledger.ErrConflict, "90")
	_, err = b.win("b", "10")
	b.refuses(err, ledger.ErrConflict, "90")
	call := b.call("b")
	call.Round.ID = "another"
	_, err = b.Floor.Bet(t.Context(), casino.Bet{Call: call, Stake: usd("10")})
	b.refuses(err, ledger.ErrConflict, "90")
	call = b.call("b")
	call.Player = b.Player(t, "bob", usd("50"))
	_, err = b.Floor.Bet(t.Context(), casino.Bet{Call: call, Stake: usd("10")})
	b.refuses(err, ledger.ErrConflict, "90")
	_, err = b.Floor.Rollback(t.Context(), casino.Rollback{Call: call})
	b.refuses(err, ledger.ErrConflict, "90")
	other := usd("9")
	_, err = b.Floor.Rollback(t.Context(), casino.Rollback{Call: b.call("b"), Amount: &other})
	b.refuses(err, casino.ErrAmount, "90")
}

// A refusal for want of money is one for good: the platform has told the player so.
func TestTooLittleMoney(t *testing.T) {
	t.Parallel()
	b := sit(t, "10")
	outcome, err := b.bet("b", "10.0001")
	b.refuses(err, wallet.ErrInsufficientFunds, "10")
	if outcome.Cash != usd("10") {
		t.Errorf("the refusal says %s, want 10.00", outcome.Cash)
	}
	_, err = b.both("s", "11", "500") // the win does not pay for its own stake
	b.refuses(err, wallet.ErrInsufficientFunds, "10")
	b.Deposit(t, b.who.ID, usd("90"))
	_, err = b.bet("b", "10.0001")
	b.refuses(err, wallet.ErrInsufficientFunds, "100")
	again, err := b.rollback("b")
	b.has(again, err, "100")
	outcome, err = b.bet("b2", "100")
	b.has(outcome, err, "0")
}

func TestRollbacks(t *testing.T) {
	t.Parallel()
	b := sit(t, "100")
	for _, test := range []struct {
		name string
		do   func() (casino.Outcome, error)
		id   string
	}{
		{"a bet", func() (casino.Outcome, error) { return b.bet("b", "10") }, "b"},
		{"a win", func() (casino.Outcome, error) { return b.win("w", "10") }, "w"},
		{"a losing spin", func() (casino.Outcome, error) { return b.both("s1", "10", "2") }, "s1"},
		{"a winning spin", func() (casino.Outcome, error) { return b.both("s2", "10", "200") }, "s2"},
		{"an even spin", func() (casino.Outcome, error) { return b.both("s3", "10", "10") }, "s3"},
		{"a free spin", func() (casino.Outcome, error) { return b.bet("f", "0") }, "f"},
	} {
		b.round = test.name
		if _, err := test.do(); err != nil {
			t.Fatalf("%s: %v", test.name, err)
		}
		outcome, err := b.rollback(test.id)
		b.has(outcome, err, "100")
		outcome, err = b.rollback(test.id)
		b.has(outcome, err, "100")
		if !outcome.Repeat {
			t.Errorf("%s: the second rollback is no repeat", test.name)
		}
		_, err = test.do() // which would be told as done, and is not
		b.refuses(err, casino.ErrRolledBack, "100")
		outcome, err = b.rollback(test.id)
		b.has(outcome, err, "100")
	}
}

// A rollback that comes first keeps its bet out.
func TestRollbackBeforeItsBet(t *testing.T) {
	t.Parallel()
	b := sit(t, "100")
	outcome, err := b.rollback("b")
	b.has(outcome, err, "100")
	if !outcome.Unknown {
		t.Errorf("outcome = %+v", outcome)
	}
	_, err = b.bet("b", "10")
	b.refuses(err, casino.ErrRolledBack, "100")
	_, err = b.both("b", "10", "50")
	b.refuses(err, casino.ErrRolledBack, "100")
	outcome, err = b.rollback("b")
	b.has(outcome, err, "100")
	// A platform that names no player is told the same.
	call := casino.Call{Provider: platform, ID: "unheard-of", At: b.Now()}
	if outcome, err := b.Floor.Rollback(t.Context(), casino.Rollback{Call: call}); err != nil || !outcome.Unknown {
		t.Errorf("rollback of nobody's bet: %+v, %v", outcome, err)
	}
	_, err = b.bet("unheard-of", "10")
	b.refuses(err, casino.ErrRolledBack, "100")
}

func TestRollbackWithoutAPlayer(t *testing.T) {
	t.Parallel()
	b := sit(t, "100")
	outcome, err := b.bet("b", "10")
	b.has(outcome, err, "90")
	outcome, err = b.Floor.Rollback(t.Context(), casino.Rollback{Call: casino.Call{Provider: platform, ID: "b", At: b.Now()}})
	b.has(outcome, err, "100")
}

// A win that was spent is taken back all the same.
func TestRollbackBelowZero(t *testing.T) {
	t.Parallel()
	b := sit(t, "0")
	outcome, err := b.win("w", "40")
	b.has(outcome, err, "40")
	outcome, err = b.bet("b", "30")
	b.has(outcome, err, "10")
	outcome, err = b.rollback("w")
	b.has(outcome, err, "-30")
	_, err = b.bet("b2", "1")
	b.refuses(err, wallet.ErrInsufficientFunds, "-30")
	outcome, err = b.bet("free", "0") // paid for before
	b.has(outcome, err, "-30")
	outcome, err = b.win("w2", "50")
	b.has(outcome, err, "20")
}

func TestWinOfARolledBackBet(t *testing.T) {
	t.Parallel()
	b := sit(t, "100")
	if _, err := b.bet("b", "10"); err != nil {
		t.Fatal(err)
	}
	if _, err := b.rollback("b"); err != nil {
		t.Fatal(err)
	}
	_, err := b.win("w", "50") // by its round
	b.refuses(err, casino.ErrRolledBack, "100")
	named := casino.Win{Call: b.call("w"), Amount: usd("50"), Bet: "b"}
	named.Round = casino.Round{}
	_, err = b.Floor.Win(t.Context(), named)
	b.refuses(err, casino.ErrRolledBack, "100")
	if _, err := b.rollback("never"); err != nil {
		t.Fatal(err)
	}
	named.ID, named.Bet = "w2", "never"
	_, err = b.Floor.Win(t.Context(), named)
	b.refuses(err, casino.ErrRolledBack, "100")
	// Another bet of the same round stands: the round may win.
	if _, err := b.bet("b2", "10"); err != nil {
		t.Fatal(err)
	}
	outcome, err := b.win("w3", "5")
	b.has(outcome, err, "95")
}

func TestWinOfAnUnknownBet(t *testing.T) {
	t.Parallel()
	b := sit(t, "0")
	strict := casino.Win{Call: b.call("w"), Amount: usd("5"), Bet: "never", Strict: true}
	_, err := b.Floor.Win(t.Context(), strict)
	b.refuses(err, casino.ErrUnknownBet, "0")
	outcome, err := b.win("w", "5")
	b.has(outcome, err, "5")
	if !outcome.Unmatched {
		t.Error("a win without a bet is not marked")
	}
	strict.Bet, strict.ID = "b", "w2"
	if _, err := b.bet("b", "1"); err != nil {
		t.Fatal(err)
	}
	outcome, err = b.Floor.Win(t.Context(), strict)
	b.has(outcome, err, "9")
}

// A round that takes one bet and one win.
func TestRoundsOfOneBet(t *testing.T) {
	t.Parallel()
	b := sit(t, "100")
	once := func(id, transaction string) casino.Call {
		call := b.call(id)
		call.Round = casino.Round{ID: "one", Transaction: transaction, Once: true}
		return call
	}
	if _, err := b.Floor.Bet(t.Context(), casino.Bet{Call: once("one", "t1"), Stake: usd("10")}); err != nil {
		t.Fatal(err)
	}
	_, err := b.Floor.Bet(t.Context(), casino.Bet{Call: once("two", "t2"), Stake: usd("10")})
	b.refuses(err, casino.ErrRoundClosed, "90")
	win := casino.Win{Call: once("p1", "p1"), Amount: usd("20"), Bet: "one", Strict: true}
	win.Round.Closes = true
	outcome, err := b.Floor.Win(t.Context(), win)
	b.has(outcome, err, "110")
	win.Call = once("p2", "p2")
	_, err = b.Floor.Win(t.Context(), win)
	b.refuses(err, casino.ErrSettled, "110")
	_, err = b.Floor.Rollback(t.Context(), casino.Rollback{Call: once("one", ""), Stands: true})
	b.refuses(err, casino.ErrSettled, "110")
	round, err := b.Floor.Round(t.Context(), platform, "one")
	if err != nil || !round.Closed || round.BetTransaction != "t1" || round.WinTransaction != "p1" {
		t.Errorf("round = %+v, %v", round, err)
	}
}

// Whoever may not play is still paid and refunded.
func TestBlockedPlayer(t *testing.T) {
	t.Parallel()
	b := sit(t, "100")
	if _, err := b.bet("b", "10"); err != nil {
		t.Fatal(err)
	}
	if err := b.Players.SetStatus(t.Context(), b.who.ID, wallet.Blocked, "test", "test"); err != nil {
		t.Fatal(err)
	}
	_, err := b.bet("b2", "10")
	b.refuses(err, wallet.ErrPlayerBlocked, "90")
	outcome, err := b.win("w", "5")
	b.has(outcome, err, "95")
	outcome, err = b.rollback("w")
	b.has(outcome, err, "90")
	outcome, err = b.rollback("b")
	b.has(outcome, err, "100")
}

func TestSessionsGateBetsOnly(t *testing.T) {
	t.Parallel()
	b := sit(t, "100")
	session, token, err := b.Sessions.Open(t.Context(), platform, b.who, "slot", false)
	if err != nil {
		t.Fatal(err)
	}
	found, err := b.Sessions.FindOpen(t.Context(), platform, token)
	if err != nil || found.ID != session.ID || found.Player != b.who {
		t.Fatalf("found %+v, %v", found, err)
	}
	if _, err := b.Sessions.Find(t.Context(), "naga", token); !errors.Is(err, casino.ErrSession) {
		t.Errorf("another platform's token: %v", err)
	}
	in := func(id string) casino.Call {
		call := b.call(id)
		call.Session = uuid.NullUUID{UUID: session.ID, Valid: true}
		return call
	}
	outcome, err := b.Floor.Bet(t.Context(), casino.Bet{Call: in("b"), Stake: usd("10")})
	b.has(outcome, err, "90")
	if err := b.Sessions.EndAll(t.Context(), b.who.ID); err != nil {
		t.Fatal(err)
	}
	_, err = b.Floor.Bet(t.Context(), casino.Bet{Call: in("b2"), Stake: usd("10")})
	b.refuses(err, casino.ErrSession, "90")
	if _, err := b.Sessions.FindOpen(t.Context(), platform, token); !errors.Is(err, casino.ErrSession) {
		t.Errorf("an ended session is open: %v", err)
	}
	outcome, err = b.Floor.Bet(t.Context(), casino.Bet{Call: in("b"), Stake: usd("10")}) // the repeat of what was done
	b.has(outcome, err, "90")
	outcome, err = b.Floor.Win(t.Context(), casino.Win{Call: in("w"), Amount: usd("1")})
	b.has(outcome, err, "91")
	b.SetClock(b.Now().Add(casino.SessionTTL))
	next, token, err := b.Sessions.Open(t.Context(), platform, b.who, "slot", false)
	if err != nil {
		t.Fatal(err)
	}
	b.SetClock(next.Expires)
	if _, err := b.Sessions.FindOpen(t.Context(), platform, token); !errors.Is(err, casino.ErrSession) {
		t.Errorf("an expired session is open: %v", err)
	}
}

// Sixty-four at once: one bet of each id happens, whoever sends it how often, and never more than
// the player has.
func TestRaces(t *testing.T) {
	t.Parallel()
	b := sit(t, "10")
	var wg sync.WaitGroup
	var mu sync.Mutex
	done := map[string]int{}
	for i := range 64 {
		wg.Go(func() {
			id := fmt.Sprint("b", i%32)
			outcome, err := b.bet(id, "1")
			if err != nil && !errors.Is(err, wallet.ErrInsufficientFunds) {
				t.Errorf("%s: %v", id, err)
			}
			if err == nil && !outcome.Repeat {
				mu.Lock()
				done[id]++
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if len(done) != 10 {
		t.Errorf("%d bets of 1.00 were taken from 10.00", len(done))
	}
	for id, n := range done {
		if n != 1 {
			t.Errorf("%s was taken %d times", id, n)
		}
	}
	if cash := b.Cash(t, b.who); cash != 0 {
		t.Errorf("cash = %s, want 0.00", cash)
	}
}

// A bet and its rollback that names no player meet: whichever is first, no money is gone in the end.
func TestBetAndItsRollbackRace(t *testing.T) {
	t.Parallel()
	b := sit(t, "100")
	other := casino.NewFloor(b.DB, second(t, b.Hall), player.NewDirectory(b.DB), b.Now, quiet)
	for i := range 40 {
		id := fmt.Sprint("b", i)
		var wg sync.WaitGroup
		wg.Go(func() {
			if _, err := b.bet(id, "1"); err != nil && !errors.Is(err, casino.ErrRolledBack) {
				t.Errorf("bet %s: %v", id, err)
			}
		})
		wg.Go(func() {
			call := casino.Call{Provider: platform, ID: id, At: b.Now()}
			if _, err := other.Rollback(context.WithoutCancel(t.Context()), casino.Rollback{Call: call}); err != nil {
				t.Errorf("rollback %s: %v", id, err)
			}
		})
		wg.Wait()
	}
	if cash := b.Cash(t, b.who); cash != usd("100") {
		t.Errorf("cash = %s, want 100.00", cash)
	}
}

func TestUnreadableIDs(t *testing.T) {
	t.Parallel()
	b := sit(t, "100")
	long := make([]byte, casino.MaxID+1)
	for i := range long {
		long[i] = 'x'
	}
	for _, id := range []string{"", string(long), "a\x00b", "a\nb", "\xff"} {
		_, err := b.bet(id, "1")
		b.refuses(err, casino.ErrUnreadable, "100")
		_, err = b.rollback(id)
		b.refuses(err, casino.ErrUnreadable, "100")
	}
	_, err := b.Floor.Bet(t.Context(), casino.Bet{Call: b.call("x"), Stake: -1})
	b.refuses(err, casino.ErrUnreadable, "100")
	call := b.call("x")
	call.Currency = "EUR"
	_, err = b.Floor.Bet(t.Context(), casino.Bet{Call: call, Stake: 1})
	b.refuses(err, wallet.ErrCurrency, "100")
	call = b.call("x")
	call.Player.ID = uuid.New()
	_, err = b.Floor.Bet(t.Context(), casino.Bet{Call: call, Stake: 1})
	b.refuses(err, wallet.ErrUnknownPlayer, "100")
}
