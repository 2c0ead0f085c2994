package wallet_test

import (
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/google/uuid"

	"evens/ledger"
	"evens/money"
	"evens/wallet"
)

// A bonus is converted by a stake that is rolled back later: it ends where the other order does, and
// can be wagered again.
func TestACompletionIsTakenBackWithItsStake(t *testing.T) {
	t.Parallel()
	b := open(t)
	early, late := b.purse("100"), b.purse("100")
	for _, p := range []*purse{early, late} {
		p.grant("10", "4", nil)
	}
	first := early.mustBet("slots", "20", at)
	early.rollback(first, at)
	early.mustBet("slots", "20", at)

	first = late.mustBet("slots", "20", at)
	late.mustBet("slots", "20", at)
	late.stands(wallet.BonusCompleted, "40.00", "10.00")
	late.has("70.00", "0.00")
	late.rollback(first, at)

	for _, p := range []*purse{early, late} {
		p.has("80.00", "10.00")
		p.stands(wallet.BonusActive, "20.00", "0.00")
	}
	// Another process remembers the bonus as it was granted: it completes it all the same, and again.
	other := wallet.NewPoster(wallet.NewBooks(b.db, nil, slog.New(slog.DiscardHandler)), wallet.PosterConfig{})
	t.Cleanup(other.Close)
	away := &purse{bank: &bank{t: t, db: b.db, players: b.players, poster: other}, id: late.id, n: 100}
	for range 2 {
		second := away.mustBet("slots", "20", at)
		away.stands(wallet.BonusCompleted, "40.00", "10.00")
		late.rollback(second, at)
		late.stands(wallet.BonusActive, "20.00", "0.00")
	}
	late.mustBet("slots", "20", at)
	late.stands(wallet.BonusCompleted, "40.00", "10.00")
	late.has("70.00", "0.00")
}

// What it had given is spent by then: it becomes a debt.
func TestACompletionThatWasSpent(t *testing.T) {
	t.Parallel()
	p := open(t).purse("")
	p.grant("10", "2", nil)
	bet := p.mustBet("slots", "10", at)
	win := p.win(bet, "30", at)
	last := p.mustBet("slots", "10", at)
	p.stands(wallet.BonusCompleted, "20.00", "20.00")
	if _, err := wallet.Withdraw(t.Context(), p.poster, order(p.id, "15", uuid.NewString())); err != nil {
		t.Fatal(err)
	}
	p.rollback(last, at)
	p.has("-15.00", "30.00")
	p.stands(wallet.BonusActive, "10.00", "0.00")
	p.rollback(win, at)
	p.has("-15.00", "0.00")
}

// It is over where its time is, and where the player has another bonus by then.
func TestACompletionTakenBackTooLate(t *testing.T) {
	t.Parallel()
	b := open(t)
	for name, test := range map[string]struct {
		then   func(*purse)
		when   time.Time
		status wallet.BonusStatus
		bonus  string
	}{
		"expired": {func(*purse) {}, at.Add(2 * time.Hour), wallet.BonusExpired, "0.00"},
		"another": {func(p *purse) { p.grant("7", "40", nil) }, at, wallet.BonusForfeited, "7.00"},
	} {
		t.Run(name, func(t *testing.T) {
			p := b.purse("100")
			bonus := p.grant("10", "1", func(g *wallet.Grant) { g.ExpiresAt = at.Add(time.Hour) })
			bet := p.mustBet("slots", "20", at)
			p.has("90.00", "0.00")
			test.then(p)
			p.rollback(bet, test.when)
			p.has("100.00", test.bonus)
			var status string
			if err := b.db.Pool.QueryRow(t.Context(), `SELECT status FROM bonuses WHERE id = $1`, bonus.ID).Scan(&status); err != nil {
				t.Fatal(err)
			}
			if status != string(test.status) {
				t.Errorf("the bonus is %s, want %s", status, test.status)
			}
		})
	}
}

// A deposit that a release before has stored counted its method as content: it is known all the same.
func TestADepositOfAnEarlierRelease(t *testing.T) {
	t.Parallel()
	b := open(t)
	p := b.purse("")
	work := &wallet.Work{Players: []uuid.UUID{p.id}, Keys: []ledger.Key{{Source: wallet.CashSource, ExternalID: "old"}}, At: at}
	work.Decide = func(batch *wallet.Batch) error {
		_, _, err := batch.Post(ledger.Transaction{
			Key: work.Keys[0], Kind: ledger.Deposit, Player: p.id, Provider: wallet.CashSource, Comment: "card", At: at, Effective: at,
			Payload: ledger.HashOf("deposit", p.id.String(), "5.00", "USD", "card"),
		}, ledger.Move{From: ledger.Cashier, To: ledger.Cash, Amount: money.MustParse("5")})
		return err
	}
	if err := p.poster.Do(t.Context(), work); err != nil {
		t.Fatal(err)
	}
	for _, method := range []string{"card", "pix"} {
		cash := order(p.id, "5", "old")
		cash.Method = method
		if _, err := wallet.Deposit(t.Context(), p.poster, cash); err != nil {
			t.Errorf("told as %s: %v", method, err)
		}
		if state, err := wallet.Tell(t.Context(), p.poster, cash, wallet.DepositSucceeded); err != nil || state != wallet.PaymentBooked {
			t.Errorf("told as %s: %s, %v", method, state, err)
		}
	}
	if _, err := wallet.Deposit(t.Context(), p.poster, order(p.id, "6", "old")); err == nil {
		t.Error("another amount was taken")
	}
	p.has("5.00", "0.00")
}

// A request for a deposit to a closed account is refused; what has happened is booked.
func TestADepositToAClosedAccount(t *testing.T) {
	t.Parallel()
	p := open(t).purse("10")
	if _, err := p.db.Pool.Exec(t.Context(), `UPDATE players SET status = 'closed' WHERE id = $1`, p.id); err != nil {
		t.Fatal(err)
	}
	if _, err := wallet.Deposit(t.Context(), p.poster, order(p.id, "5", "asked")); !errors.Is(err, wallet.ErrAccountClosed) {
		t.Errorf("a request: %v", err)
	}
	p.has("10.00", "0.00")
	if _, err := wallet.Tell(t.Context(), p.poster, order(p.id, "5", "asked"), wallet.DepositSucceeded); err != nil {
		t.Error(err)
	}
	if _, err := wallet.Deposit(t.Context(), p.poster, order(p.id, "5", "asked")); err != nil {
		t.Errorf("asked for again, it is known: %v", err)
	}
	if _, err := wallet.Withdraw(t.Context(), p.poster, order(p.id, "15", "out")); err != nil {
		t.Errorf("a withdrawal: %v", err)
	}
	p.has("0.00", "0.00")
}
