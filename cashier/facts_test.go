package cashier

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"evens/money"
	"evens/player"
	"evens/sim/cashiersim"
	"evens/wallet"
)

func (d desk) gateway() *cashiersim.Gateway {
	return &cashiersim.Gateway{URL: d.url, Secret: secret, Now: time.Now}
}

// tell sends a notice and fails the test where it is not answered as wanted.
func (d desk) tell(n cashiersim.Notice, status int, state string) {
	d.t.Helper()
	answer, err := d.gateway().Tell(d.t.Context(), n)
	if err != nil {
		d.t.Fatal(err)
	}
	if answer.Status != status || answer.State+answer.Code != state {
		d.t.Errorf("%s %s %s: %d %s%s, want %d %s", n.Type, n.TransactionID, n.Status, answer.Status, answer.State, answer.Code, status, state)
	}
}

func (d desk) notice(kind, id, amount, status string) cashiersim.Notice {
	return cashiersim.Notice{TransactionID: id, Player: "p-1", Type: kind, Method: "pix", Amount: amount, Currency: "BRL", Status: status}
}

func (d desk) has(cash string) {
	d.t.Helper()
	if got := d.cash(); got != cash {
		d.t.Errorf("cash %s, want %s", got, cash)
	}
}

// poster is another process on the same books.
func (d desk) poster() *wallet.Poster {
	poster := wallet.NewPoster(wallet.NewBooks(d.db, nil, slog.New(slog.DiscardHandler)), wallet.PosterConfig{})
	d.t.Cleanup(poster.Close)
	return poster
}

func (d desk) order(id, amount string) wallet.Cash {
	return wallet.Cash{Player: d.who.ID, Amount: money.MustParse(amount), Currency: "BRL", Method: "bank", TransactionID: id, At: time.Now()}
}

// The money is out, whatever the player has: it becomes a debt.
func TestAPaidWithdrawalIsBookedBeyondTheBalance(t *testing.T) {
	t.Parallel()
	d := open(t)
	d.tell(d.notice("deposit", "d", "10.00", "succeeded"), 200, "booked")
	d.tell(d.notice("withdrawal", "w", "30.00", "requested"), 402, "insufficient_funds")
	d.tell(d.notice("withdrawal", "w", "30.00", "paid"), 200, "paid")
	d.has("-20.00")
	d.tell(d.notice("withdrawal", "w", "30.00", "paid"), 200, "paid")
	d.tell(d.notice("withdrawal", "w", "30.00", "requested"), 200, "paid")
	d.has("-20.00")
	debts, err := player.Debts(t.Context(), d.db, uuidOf(d.who.ID))
	if err != nil || len(debts) != 1 || debts[0].Amount.String() != "20.00" || debts[0].CauseKind != "withdrawal" {
		t.Errorf("debts %+v, %v", debts, err)
	}
	d.tell(d.notice("withdrawal", "w", "30.00", "returned"), 200, "returned")
	d.has("10.00")
}

// A deposit that has happened is booked over a limit, while the player is excluded, blocked or closed;
// a request for one is refused.
func TestADepositThatHasHappenedIsBooked(t *testing.T) {
	t.Parallel()
	d := open(t)
	ctx := t.Context()
	poster := d.poster()
	rules := wallet.NewRulebook(wallet.NewBooks(d.db, nil, slog.New(slog.DiscardHandler)), 0, time.Now)
	set := func(change func(*wallet.Wish)) {
		t.Helper()
		var wish wallet.Wish
		change(&wish)
		if _, err := rules.Change(ctx, d.who.ID, wish, "test", ""); err != nil {
			t.Fatal(err)
		}
	}
	exceeded := func() (n int) {
		t.Helper()
		if err := d.db.Pool.QueryRow(ctx, `SELECT count(*) FROM activity_log WHERE event = 'limit_exceeded'`).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	set(func(w *wallet.Wish) {
		w.Caps[wallet.Deposits][wallet.Daily] = &wallet.Cap{Amount: money.MustParse("50"), Set: true}
	})
	if _, err := wallet.Deposit(ctx, poster, d.order("r1", "50.01")); !isLimit(err) {
		t.Errorf("a request over the limit: %v", err)
	}
	d.tell(d.notice("deposit", "d1", "50.01", "succeeded"), 200, "booked")
	d.tell(d.notice("deposit", "d1", "50.01", "succeeded"), 200, "booked")
	if n := exceeded(); n != 2 {
		t.Errorf("%d lines limit_exceeded, want 2", n)
	}
	d.has("50.01")
	soon := time.Now().Add(time.Hour)
	set(func(w *wallet.Wish) { w.ExcludedUntil = &soon })
	d.tell(d.notice("deposit", "d2", "1.00", "succeeded"), 200, "booked")
	for i, status := range []wallet.Status{wallet.Blocked, wallet.Closed} {
		if _, err := d.db.Pool.Exec(ctx, `UPDATE players SET status = $1`, string(status)); err != nil {
			t.Fatal(err)
		}
		d.tell(d.notice("deposit", fmt.Sprint("d-", status), "1.00", "succeeded"), 200, "booked")
		d.has([]string{"52.01", "53.01"}[i])
	}
}

// A withdrawal made before the gateway was connected is not held: its callback moves nothing.
func TestAWithdrawalFromBeforeTheGateway(t *testing.T) {
	t.Parallel()
	d := open(t)
	d.tell(d.notice("deposit", "d", "100.00", "succeeded"), 200, "booked")
	poster := d.poster()
	for _, id := range []string{"w1", "w2", "w3"} {
		if _, err := wallet.Withdraw(t.Context(), poster, d.order(id, "20.00")); err != nil {
			t.Fatal(err)
		}
	}
	d.tell(d.notice("withdrawal", "w1", "20.00", "requested"), 200, "paid")
	d.tell(d.notice("withdrawal", "w1", "20.00", "paid"), 200, "paid")
	d.tell(d.notice("withdrawal", "w1", "20.00", "paid"), 200, "paid")
	d.has("40.00")
	d.tell(d.notice("withdrawal", "w2", "20.00", "failed"), 200, "returned")
	d.has("60.00")
	d.tell(d.notice("withdrawal", "w3", "20.00", "paid"), 200, "paid")
	d.tell(d.notice("withdrawal", "w3", "20.00", "returned"), 200, "returned")
	d.has("80.00")
}

// One called failed before it was asked for is not held for ever.
func TestAWithdrawalThatFailedBeforeItsRequest(t *testing.T) {
	t.Parallel()
	d := open(t)
	held := wallet.NewHeldWithdrawals(d.db.Pool, time.Now)
	d.tell(d.notice("deposit", "d", "100.00", "succeeded"), 200, "booked")
	d.tell(d.notice("withdrawal", "w1", "20.00", "failed"), 200, "noted")
	d.tell(d.notice("withdrawal", "w1", "20.00", "requested"), 200, "returned")
	d.has("100.00")
	d.tell(d.notice("withdrawal", "w2", "20.00", "returned"), 200, "noted")
	balance, err := wallet.Reserve(t.Context(), d.poster(), d.order("w2", "20.00"))
	if err != nil || balance.State != wallet.PaymentReturned {
		t.Errorf("asked for later: %s, %v", balance.State, err)
	}
	d.has("100.00")
	if since, err := held.Oldest(t.Context()); err != nil || !since.IsZero() {
		t.Errorf("the oldest held: %v, %v", since, err)
	}
	before := time.Now().Add(-time.Second)
	d.tell(d.notice("withdrawal", "w3", "20.00", "requested"), 200, "reserved")
	d.tell(d.notice("withdrawal", "w4", "20.00", "requested"), 200, "reserved")
	for range 2 {
		if since, err := held.Oldest(t.Context()); err != nil || since.Before(before) || since.After(time.Now()) {
			t.Errorf("the oldest held: %v, %v", since, err)
		}
	}
	d.tell(d.notice("withdrawal", "w3", "20.00", "paid"), 200, "paid")
	d.tell(d.notice("withdrawal", "w4", "20.00", "rejected"), 200, "returned")
	if since, err := held.Oldest(t.Context()); err != nil || !since.IsZero() {
		t.Errorf("the oldest held: %v, %v", since, err)
	}
}

// A chargeback is booked, below zero where the money was spent.
func TestAChargeback(t *testing.T) {
	t.Parallel()
	d := open(t)
	d.tell(d.notice("deposit", "d", "50.00", "succeeded"), 200, "booked")
	d.tell(d.notice("withdrawal", "w", "30.00", "paid"), 200, "paid")
	d.tell(d.notice("deposit", "d", "50.00", "returned"), 200, "returned")
	d.tell(d.notice("deposit", "d", "50.00", "chargeback"), 200, "returned")
	d.has("-30.00")
	d.tell(d.notice("deposit", "d", "50.00", "succeeded"), 200, "returned")
	d.has("-30.00")
	d.tell(d.notice("deposit", "early", "40.00", "returned"), 200, "noted")
	d.tell(d.notice("deposit", "early", "40.00", "succeeded"), 200, "returned")
	d.has("-30.00")
}

// Told by the gateway, by a caller and by a list, one deposit is one.
func TestADepositToldByAll(t *testing.T) {
	t.Parallel()
	d := open(t)
	poster := d.poster()
	by := map[string]func(string) error{
		"gateway": func(id string) error {
			answer, err := d.gateway().Tell(t.Context(), d.notice("deposit", id, "5.00", "succeeded"))
			if err == nil && answer.Status != 200 {
				err = fmt.Errorf("%d %s", answer.Status, answer.Code)
			}
			return err
		},
		"caller": func(id string) error {
			_, err := wallet.Deposit(t.Context(), poster, d.order(id, "5.00"))
			return err
		},
		"list": func(id string) error {
			cash := d.order(id, "5.00")
			cash.Method = "reconciliation"
			_, err := wallet.Tell(t.Context(), poster, cash, wallet.DepositSucceeded)
			return err
		},
	}
	for first, tell := range by {
		if err := tell(first); err != nil {
			t.Fatal(err)
		}
		for second, again := range by {
			if err := again(first); err != nil {
				t.Errorf("told by %s, then by %s: %v", first, second, err)
			}
		}
	}
	d.has("15.00")
}

// What belongs to no player we know is in the suspense account, until it has one.
func TestTheSuspenseAccount(t *testing.T) {
	t.Parallel()
	d := open(t)
	ctx, poster := t.Context(), d.poster()
	stranger := func(kind, id, amount, status string) cashiersim.Notice {
		n := d.notice(kind, id, amount, status)
		n.Player = "p-2"
		return n
	}
	dollars := d.notice("deposit", "d2", "7.00", "succeeded")
	dollars.Currency = "USD"
	for range 2 {
		d.tell(stranger("deposit", "d1", "5.00", "succeeded"), 200, "suspense")
		d.tell(stranger("withdrawal", "w1", "3.00", "paid"), 200, "suspense")
		d.tell(dollars, 200, "suspense")
		d.tell(stranger("deposit", "d1", "6.00", "succeeded"), 409, "transaction_conflict")
		d.tell(stranger("deposit", "d3", "1.00", "failed"), 200, "noted")
	}
	rows := d.waiting(4)
	if _, _, err := d.reg.Create(ctx, player.Registration{ExternalID: "p-2", Name: "Bea", Email: "b@example.com", Currency: "BRL"}); err != nil {
		t.Fatal(err)
	}
	d.tell(stranger("deposit", "d1", "5.00", "succeeded"), 200, "booked") // now the player is known
	if err := wallet.AssignSuspense(ctx, poster, ended(rows[1], "it was Ana's"), d.who.ID); err != nil {
		t.Fatal(err)
	}
	d.has("-3.00")
	if err := wallet.AssignSuspense(ctx, poster, ended(rows[1], "again"), d.who.ID); err == nil {
		t.Error("assigned twice")
	}
	if err := wallet.AssignSuspense(ctx, poster, ended(rows[2], "dollars"), d.who.ID); err == nil {
		t.Error("dollars went to a player with reais")
	}
	for _, row := range rows[2:] {
		if err := wallet.CloseSuspense(ctx, d.db, ended(row, "refunded"), true); err != nil {
			t.Error(err)
		}
		if err := wallet.CloseSuspense(ctx, d.db, ended(row, "refunded"), true); err == nil {
			t.Error("closed twice")
		}
	}
	d.waiting(0)
	d.tell(stranger("deposit", "d1", "5.00", "succeeded"), 200, "booked")
	d.has("-3.00")
}

func (d desk) waiting(want int) []wallet.SuspenseRow {
	d.t.Helper()
	rows, err := wallet.Suspense(context.WithoutCancel(d.t.Context()), d.db)
	if err != nil || len(rows) != want {
		d.t.Fatalf("%d rows wait, want %d: %+v, %v", len(rows), want, rows, err)
	}
	return rows
}

// books are what messages lead to: the cash, what is held, and what a person sees.
func (d desk) books(who player.Player, run string) string {
	d.t.Helper()
	balance, err := d.reg.Balance(d.t.Context(), who.ID)
	if err != nil {
		d.t.Fatal(err)
	}
	var seen []string
	if err := d.db.Pool.QueryRow(d.t.Context(), `
		SELECT coalesce(array_agg(DISTINCT format('%s %s %s %s', reason, event, booked, replace(transaction_id, $1, ''))), '{}')
		  FROM suspense WHERE transaction_id LIKE $1 || '%'`, run).Scan(&seen); err != nil {
		d.t.Fatal(err)
	}
	slices.Sort(seen)
	return fmt.Sprint(balance.Cash, balance.Bonus, seen)
}

// play opens a player with 100.00 and a bonus, and tells notices in an order.
func (d desk) play(poster *wallet.Poster, run string, order []cashiersim.Notice) string {
	d.t.Helper()
	ctx := d.t.Context()
	who, _, err := d.reg.Create(ctx, player.Registration{ExternalID: run, Name: "P", Email: "p@example.com", Currency: "BRL"})
	if err != nil {
		d.t.Fatal(err)
	}
	start := wallet.Cash{Player: who.ID, Amount: money.MustParse("100"), Currency: "BRL", Method: "pix", TransactionID: run + "start", At: time.Now()}
	if _, err := wallet.Deposit(ctx, poster, start); err != nil {
		d.t.Fatal(err)
	}
	grant := wallet.Grant{Player: who.ID, Currency: "BRL", Amount: money.MustParse("10"), Wagering: money.One, Terms: wallet.OpenTerms(), At: time.Now()}
	if _, err := wallet.GiveBonus(ctx, poster, grant, wallet.Request{}); err != nil {
		d.t.Fatal(err)
	}
	for _, n := range order {
		n.TransactionID, n.Player = run+n.TransactionID, run
		if _, err := d.gateway().Tell(ctx, n); err != nil {
			d.t.Fatal(err)
		}
	}
	return d.books(who, run)
}

// Whatever a gateway says of one payment, every order of it ends in the same books.
func TestEveryOrderOfOnePaymentsMessages(t *testing.T) {
	t.Parallel()
	d := open(t)
	poster := d.poster()
	n := 0
	for kind, statuses := range map[string][]string{
		"deposit": {"succeeded", "failed", "returned"}, "withdrawal": {"requested", "paid", "failed", "returned"},
	} {
		for set := 1; set < 1<<len(statuses); set++ {
			var told []cashiersim.Notice
			for i, status := range statuses {
				if set&(1<<i) != 0 {
					told = append(told, d.notice(kind, "x", "30.00", status))
				}
			}
			first := ""
			for _, order := range cashiersim.Orders(told) {
				n++
				got := d.play(poster, fmt.Sprintf("%s-%d-", kind, n), append(order, order...))
				if first == "" {
					first = got
				}
				if got != first {
					t.Errorf("%s %v ends with %s, another order with %s", kind, statusesOf(order), got, first)
				}
			}
		}
	}
}

func statusesOf(order []cashiersim.Notice) (statuses []string) {
	for _, n := range order {
		statuses = append(statuses, n.Status)
	}
	return statuses
}

// A gateway that tells of several payments at once, mixed up, twice and not of everything, leaves the
// books that it leaves in order.
func TestAnyOrderOfSeveralPaymentsMessages(t *testing.T) {
	t.Parallel()
	d := open(t)
	poster := d.poster()
	n := 0
	rapid.Check(t, func(t *rapid.T) {
		var told []cashiersim.Notice
		for i := range rapid.IntRange(1, 3).Draw(t, "payments") {
			kind := rapid.SampledFrom([]string{"deposit", "withdrawal"}).Draw(t, "type")
			statuses := []string{"succeeded", "failed", "returned", "pending"}
			if kind == "withdrawal" {
				statuses = []string{"requested", "paid", "failed", "returned"}
			}
			for _, status := range statuses {
				if rapid.Bool().Draw(t, status) {
					told = append(told, d.notice(kind, fmt.Sprint("x", i), "30.00", status))
				}
			}
		}
		n++
		random := rand.New(rand.NewPCG(uint64(n), rapid.Uint64().Draw(t, "seed")))
		first := d.play(poster, fmt.Sprintf("a-%d-", n), cashiersim.Mixed(random, told))
		second := d.play(poster, fmt.Sprintf("b-%d-", n), cashiersim.Mixed(random, told))
		if first != second {
			t.Fatalf("%+v: %s, in another order %s", told, first, second)
		}
	})
}

func uuidOf(id uuid.UUID) uuid.NullUUID { return uuid.NullUUID{UUID: id, Valid: true} }

func isLimit(err error) bool { return errors.Is(err, wallet.ErrLimitExceeded) }

// ended is an operator's word on a row.
func ended(row wallet.SuspenseRow, comment string) wallet.SuspenseEnd {
	return wallet.SuspenseEnd{Row: row, Operator: "fin@example.com", Comment: comment, At: time.Now()}
}
