package access

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"evens/internal/postgres"
)

func (b bundle) take(ctx context.Context, l Large) error {
	return postgres.InTx(ctx, b.db.Pool, func(ctx context.Context, tx pgx.Tx) error { return b.approvals.Take(ctx, tx, l) })
}

func (b bundle) employ(t *testing.T, email string, role Role) {
	t.Helper()
	if _, err := b.operators.Create(t.Context(), email, role, "a long password"); err != nil {
		t.Fatal(err)
	}
}

// What is large moves when a second person decides the very same, once.
func TestSecondPerson(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.employ(t, "ann@example.com", Finance)
	b.employ(t, "bob@example.com", Admin)
	ann := Large{Operation: DecideResults, Subject: "result 17", Terms: "payout 900.00 USD", Operator: "ann@example.com", Comment: "by phone"}
	bob := ann
	bob.Operator = "bob@example.com"
	refused := func(what string, l Large) {
		t.Helper()
		if err := b.take(t.Context(), l); !errors.Is(err, ErrSecondPerson) {
			t.Errorf("%s: %v, want ErrSecondPerson", what, err)
		}
	}
	refused("nobody proposed", bob)
	for range 2 {
		if err := b.approvals.Propose(t.Context(), ann); err != nil {
			t.Fatal(err)
		}
		refused("the same person", ann)
	}
	for what, change := range map[string]func(*Large){
		"another sum": func(l *Large) { l.Terms = "payout 9000.00 USD" }, "another result": func(l *Large) { l.Subject = "result 18" },
		"another operation": func(l *Large) { l.Operation = DecideCoupons },
	} {
		l := bob
		change(&l)
		refused(what, l)
	}
	var won, lost int
	var group errgroup.Group
	answers := make(chan error, 2)
	for range 2 {
		group.Go(func() error { answers <- b.take(t.Context(), bob); return nil })
	}
	_ = group.Wait()
	for range 2 {
		switch err := <-answers; {
		case err == nil:
			won++
		case errors.Is(err, ErrSecondPerson):
			lost++
		}
	}
	if won != 1 || lost != 1 {
		t.Errorf("two at once: %d were let through, %d refused", won, lost)
	}
	// A proposal stands for a day, then anybody makes it anew.
	if err := b.approvals.Propose(t.Context(), ann); err != nil {
		t.Fatal(err)
	}
	b.clock.at = b.clock.at.Add(approvalStands + time.Second)
	refused("a proposal of yesterday", bob)
	if err := b.approvals.Propose(t.Context(), bob); err != nil {
		t.Fatal(err)
	}
	refused("who proposed it anew", bob)
	if err := b.take(t.Context(), ann); err != nil {
		t.Errorf("the other: %v", err)
	}
}

// Who was disabled, or may no longer move so much, has no say any more; what they proposed makes room.
func TestAProposalCountsAsLongAsItsOperator(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, email := range []string{"ann@example.com", "bob@example.com", "cid@example.com"} {
		b.employ(t, email, Finance)
	}
	for what, ends := range map[string]func() error{
		"disabled": func() error { return b.operators.Disable(t.Context(), "ann@example.com") },
		"demoted":  func() error { return b.operators.SetRole(t.Context(), "ann@example.com", Supporter) },
	} {
		ann := Large{Operation: Adjust, Subject: what, Terms: "900.00 USD", Operator: "ann@example.com", Comment: "c"}
		bob, cid := ann, ann
		bob.Operator, cid.Operator = "bob@example.com", "cid@example.com"
		for _, step := range []error{
			b.operators.Enable(t.Context(), "ann@example.com"), b.operators.SetRole(t.Context(), "ann@example.com", Finance), b.approvals.Propose(t.Context(), ann), ends(),
		} {
			if step != nil {
				t.Fatal(step)
			}
		}
		if err := b.take(t.Context(), bob); !errors.Is(err, ErrSecondPerson) {
			t.Errorf("%s: %v, want ErrSecondPerson", what, err)
		}
		if err := b.approvals.Propose(t.Context(), bob); err != nil {
			t.Fatal(err)
		}
		if err := b.take(t.Context(), cid); err != nil {
			t.Errorf("%s, and proposed anew: %v", what, err)
		}
	}
}
