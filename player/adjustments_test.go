package player

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"evens/access"
	"evens/internal/postgres"
	"evens/ledger"
	"evens/money"
	"evens/money/threshold"
	"evens/wallet"
)

// office is where operators adjust: ana and bea are finance, carl supports.
type office struct {
	bundle
	adjustments *Adjustments
}

func openOffice(t *testing.T) office {
	t.Helper()
	b := setup(t)
	for email, role := range map[string]access.Role{"ana@example.com": access.Finance, "bea@example.com": access.Admin, "carl@example.com": access.Supporter} {
		if _, err := b.operators.Create(t.Context(), email, role, "a long password"); err != nil {
			t.Fatal(err)
		}
	}
	o := office{b, NewAdjustments(b.db, b.poster, b.operators, threshold.Dollars(money.MustParse("100")), b.clock.now)}
	t.Cleanup(func() { o.audit(t) })
	return o
}

// audit holds the ledger and the adjustments against their rules.
func (o office) audit(t *testing.T) {
	t.Helper()
	err := postgres.InTx(context.Background(), o.db.Pool, func(ctx context.Context, tx pgx.Tx) error {
		report, err := ledger.Begin(ctx, tx, o.clock.now())
		if err != nil {
			return err
		}
		for _, check := range AdjustmentChecks {
			if err := report.Add(ctx, tx, check); err != nil {
				return err
			}
		}
		if !report.Clean {
			t.Errorf("the audit found %+v", report.Checks)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

func (o office) cash(t *testing.T, id uuid.UUID) string {
	t.Helper()
	balance, err := o.players.Balance(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return balance.Cash.String()
}

func TestAnAdjustmentIsMadeOnce(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	id := o.player(t, "ext-1").ID
	for range 2 {
		a, err := o.adjustments.Make(t.Context(), id, money.MustParse("100"), "a goodwill", "Ana@example.com", "ticket-1")
		if err != nil || a.Status != AdjustmentPosted || a.Operator != "ana@example.com" {
			t.Fatalf("%+v, %v", a, err)
		}
	}
	if cash := o.cash(t, id); cash != "100.00" {
		t.Errorf("cash %s", cash)
	}
	if _, err := o.adjustments.Make(t.Context(), id, money.MustParse("99"), "a goodwill", "ana@example.com", "ticket-1"); !errors.Is(err, ledger.ErrConflict) {
		t.Errorf("the same reference for another amount: %v", err)
	}
	if _, err := o.adjustments.Make(t.Context(), id, money.MustParse("-40.5"), "put right", "ana@example.com", ""); err != nil {
		t.Error(err)
	}
	movements, err := o.history.Page(t.Context(), id, HistoryFilter{Types: []string{"adjustment"}}, 10)
	if err != nil || len(movements) != 2 || movements[0].Amount.String() != "-40.50" || movements[0].Comment != "put right" || movements[0].Balance.String() != "59.50" {
		t.Errorf("the history has %+v, %v", movements, err)
	}
	var logged int
	if err := o.db.Pool.QueryRow(t.Context(), `SELECT count(*) FROM activity_log WHERE event = 'adjustment' AND operator = 'ana@example.com' AND player_id = $1`, id).Scan(&logged); err != nil || logged != 2 {
		t.Errorf("%d lines in the activity log, %v", logged, err)
	}
}

func TestAdjustmentsThatAreRefused(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	id := o.player(t, "ext-1").ID
	for _, test := range []struct {
		name              string
		player            uuid.UUID
		amount            money.Amount
		comment, operator string
		want              error
	}{
		{"no comment", id, money.Scale, " ", "ana@example.com", ErrNoComment},
		{"nothing", id, 0, "why not", "ana@example.com", ErrNoAmount},
		{"a supporter", id, money.Scale, "why not", "carl@example.com", access.ErrForbidden},
		{"nobody", id, money.Scale, "why not", "dan@example.com", access.ErrNoOperator},
		{"a thousandth of a dollar", id, 10, "why not", "ana@example.com", ErrDecimals},
		{"more than there is", id, -money.Scale, "why not", "ana@example.com", wallet.ErrInsufficientFunds},
		{"an unknown player", uuid.New(), money.Scale, "why not", "ana@example.com", wallet.ErrUnknownPlayer},
		{"an unknown player, to be approved", uuid.New(), 1000 * money.Scale, "why not", "ana@example.com", wallet.ErrUnknownPlayer},
	} {
		if _, err := o.adjustments.Make(t.Context(), test.player, test.amount, test.comment, test.operator, ""); !errors.Is(err, test.want) {
			t.Errorf("%s: %v, want %v", test.name, err, test.want)
		}
	}
	if cash := o.cash(t, id); cash != "0.00" {
		t.Errorf("cash %s", cash)
	}
}

// Above a set amount a second person decides; of many at once one does.
func TestALargeAdjustmentNeedsTwo(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	id := o.player(t, "ext-1").ID
	a, err := o.adjustments.Make(t.Context(), id, money.MustParse("100.01"), "a jackpot that was lost", "ana@example.com", "")
	if err != nil || a.Status != AdjustmentPending || o.cash(t, id) != "0.00" {
		t.Fatalf("%+v, %v", a, err)
	}
	if waiting, err := o.adjustments.Pending(t.Context()); err != nil || len(waiting) != 1 || waiting[0].ID != a.ID {
		t.Errorf("waiting: %+v, %v", waiting, err)
	}
	if _, err := o.adjustments.Approve(t.Context(), a.ID, "ana@example.com", ""); !errors.Is(err, ErrSamePerson) {
		t.Errorf("approved by who made it: %v", err)
	}
	if _, err := o.adjustments.Approve(t.Context(), a.ID, "carl@example.com", ""); !errors.Is(err, access.ErrForbidden) {
		t.Errorf("approved by a supporter: %v", err)
	}
	var mu sync.Mutex
	var approved, refused int
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			var err error
			if i%2 == 0 {
				_, err = o.adjustments.Approve(t.Context(), a.ID, "bea@example.com", "seen")
			} else {
				_, err = o.adjustments.Refuse(t.Context(), a.ID, "bea@example.com", "not so")
			}
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil && i%2 == 0:
				approved++
			case err == nil:
				refused++
			case !errors.Is(err, ErrNoAdjustment):
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if approved+refused != 1 {
		t.Errorf("%d approved, %d refused", approved, refused)
	}
	want := map[int]string{1: "100.01", 0: "0.00"}[approved]
	if cash := o.cash(t, id); cash != want {
		t.Errorf("cash %s, want %s", cash, want)
	}
	if _, err := o.adjustments.Approve(t.Context(), a.ID, "bea@example.com", ""); !errors.Is(err, ErrNoAdjustment) {
		t.Errorf("decided twice: %v", err)
	}
}

// Who was disabled, or may not adjust any more, has no say in what still waits.
func TestAnAdjustmentCountsAsLongAsItsOperator(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	id := o.player(t, "ext-1").ID
	a, err := o.adjustments.Make(t.Context(), id, money.MustParse("200"), "a jackpot", "ana@example.com", "")
	if err != nil {
		t.Fatal(err)
	}
	for name, ends := range map[string]func() error{
		"disabled": func() error { return o.operators.Disable(t.Context(), "ana@example.com") },
		"demoted":  func() error { return o.operators.SetRole(t.Context(), "ana@example.com", access.Supporter) },
	} {
		if err := ends(); err != nil {
			t.Fatal(err)
		}
		if _, err := o.adjustments.Approve(t.Context(), a.ID, "bea@example.com", ""); !errors.Is(err, ErrNoProposer) || o.cash(t, id) != "0.00" {
			t.Errorf("%s: %v, cash %s", name, err, o.cash(t, id))
		}
		if err := errors.Join(o.operators.Enable(t.Context(), "ana@example.com"), o.operators.SetRole(t.Context(), "ana@example.com", access.Finance)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := o.adjustments.Approve(t.Context(), a.ID, "bea@example.com", ""); err != nil || o.cash(t, id) != "200.00" {
		t.Errorf("as it was: %v, cash %s", err, o.cash(t, id))
	}
}

// A balance below zero is a debt from the moment it went below, until the next credits make it good.
func TestDebtsAgeAndAreMadeGood(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	id := o.player(t, "ext-1").ID
	move := func(kind ledger.Kind, cash string) {
		t.Helper()
		key := ledger.Key{Source: "test", ExternalID: uuid.NewString()}
		work := &wallet.Work{Players: []uuid.UUID{id}, Keys: []ledger.Key{key}, At: o.clock.now()}
		work.Decide = func(batch *wallet.Batch) error {
			_, _, err := batch.Post(ledger.Transaction{Key: key, Kind: kind, Player: id, At: o.clock.now()},
				wallet.Split{Cash: -money.MustParse(cash)}.Moves(ledger.Sportsbook)...)
			return err
		}
		if err := o.poster.Do(t.Context(), work); err != nil {
			t.Fatal(err)
		}
	}
	debts := func() []Debt {
		t.Helper()
		debts, err := Debts(t.Context(), o.db, uuid.NullUUID{UUID: id, Valid: true})
		if err != nil {
			t.Fatal(err)
		}
		return debts
	}
	move(ledger.Payout, "10")
	if found := debts(); len(found) != 0 {
		t.Errorf("debts %+v", found)
	}
	o.clock.at = o.clock.at.Add(1)
	since := o.clock.now()
	move(ledger.Resettlement, "-25")
	o.clock.at = o.clock.at.Add(1)
	move(ledger.Resettlement, "-5")
	move(ledger.Payout, "8")
	found := debts()
	if len(found) != 1 || found[0].Amount.String() != "12.00" || found[0].CauseKind != ledger.Resettlement || found[0].Since.Sub(since).Abs() > 1000 {
		t.Errorf("debts %+v, want one of 12.00 since %s", found, since)
	}
	if all, err := Debts(t.Context(), o.db, uuid.NullUUID{}); err != nil || len(all) != 1 {
		t.Errorf("all debts %+v, %v", all, err)
	}
	move(ledger.Payout, "12")
	if found := debts(); len(found) != 0 {
		t.Errorf("made good, and still %+v", found)
	}
}
