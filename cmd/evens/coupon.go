package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/google/uuid"

	"evens/access"
	"evens/coupon"
	"evens/money"
	"evens/settlement"
	"evens/wallet"
)

type couponCommand struct {
	Adopt  couponAdoptCommand  `cmd:"" help:"Tie a coupon that BeT has after all to its bet code, and settle what waits under it."`
	Cancel couponCancelCommand `cmd:"" help:"Give a coupon's stake back for good, and take back what it has paid."`
}

// couponDecision is what both commands are told.
type couponDecision struct {
	ID       string `arg:"" help:"The coupon's id."`
	Comment  string `help:"Why; kept for good. Not needed for a look."`
	Operator string `placeholder:"EMAIL" help:"Who decides, proven by a password as of other decisions. Not needed for a look."`
	secondStep
	DryRun bool `help:"Show what would move, and change nothing."`
}

// decision is a decision under way. Its terms are those of what is about to move.
type decision struct {
	*system
	id    uuid.UUID
	by    access.Operator
	large access.Large
}

// agree is what both ask before they move anything.
func (d *decision) agree(terms string, moved money.Amount, currency money.Currency) (wallet.RowSet, error) {
	d.large.Terms = terms
	return d.agreement(d.by, d.large, moved, currency)
}

// Both are looked at first, and shown, whether they are done then or not. One that moves more than one person
// may waits for a second.
func (c couponDecision) decide(ctx context.Context, cfg *Config, std streams, uses parts, look, do func(context.Context, *decision) error) error {
	id, err := uuid.Parse(c.ID)
	if err != nil {
		return fmt.Errorf("%q is no coupon's id", c.ID)
	}
	if !c.DryRun && (c.Operator == "" || c.Comment == "") {
		return errors.New("a decision needs --operator and --comment")
	}
	s, err := openFor(ctx, cfg, "coupon", uses, std)
	if err != nil {
		return err
	}
	defer s.close()
	d := &decision{system: s, id: id, large: access.Large{Operation: access.DecideCoupons, Subject: "coupon " + id.String(), Comment: c.Comment}}
	if !c.DryRun {
		if ctx, d.by, err = s.decider(ctx, newSecrets(std), c.Operator, c.Code, access.DecideCoupons); err != nil {
			return err
		}
	}
	if err := look(ctx, d); err != nil || c.DryRun {
		return err
	}
	err = do(ctx, d) // which fills in the terms
	return s.secondPerson(ctx, std.out, d.by, d.large, err)
}

type couponCancelCommand struct{ couponDecision }

// Run cancels a coupon.
func (c couponCancelCommand) Run(ctx context.Context, cfg *Config, std streams) error {
	return c.decide(ctx, cfg, std, c.uses(), func(ctx context.Context, d *decision) error {
		e, err := d.settler.Cancel(ctx, settlement.Cancellation{Coupon: d.id, DryRun: true})
		if err != nil {
			return err
		}
		table := newEffect(std.out, d.id)
		table.line("status", e.From, e.To)
		table.line("paid "+string(e.Currency), e.PaidFrom, e.PaidTo)
		table.line("cash", e.CashFrom, e.CashTo)
		table.line("bonus", e.BonusFrom, e.BonusTo)
		return table.Flush()
	}, func(ctx context.Context, d *decision) error {
		e, err := d.settler.Cancel(ctx, settlement.Cancellation{
			Coupon: d.id, Operator: d.by.Email, Comment: c.Comment, Agree: func(e settlement.Effect) (wallet.RowSet, error) {
				terms := fmt.Sprintf("cancelled, from %s to %s %s paid", e.PaidFrom, e.PaidTo, e.Currency)
				return d.agree(terms, e.PaidTo-e.PaidFrom, e.Currency)
			},
		})
		if err == nil {
			_, err = fmt.Fprintf(std.out, "coupon %s is cancelled; the player's cash is %s\n", d.id, e.CashTo)
		}
		return err
	})
}

type couponAdoptCommand struct {
	couponDecision
	BetCode string `help:"The code under which BeT has it." required:""`
}

// Run adopts a coupon, and settles the results that wait under its code.
func (c couponAdoptCommand) Run(ctx context.Context, cfg *Config, std streams) error {
	var paid money.Amount // at most, by the results that wait
	return c.decide(ctx, cfg, std, c.uses(), func(ctx context.Context, d *decision) error {
		a, err := d.adopter().AdoptByHand(ctx, coupon.Adoption{Coupon: d.id, BetCode: c.BetCode, DryRun: true})
		if err != nil {
			return err
		}
		results, err := d.settler.Prospects(ctx, c.BetCode, d.id)
		if err != nil {
			return err
		}
		for _, r := range results {
			paid = max(paid, r.Target.Payout)
		}
		return showAdoption(std.out, a, results)
	}, func(ctx context.Context, d *decision) error {
		adopted, err := d.adopter().AdoptByHand(ctx, coupon.Adoption{
			Coupon: d.id, BetCode: c.BetCode, Operator: d.by.Email, Comment: c.Comment, Agree: func(a coupon.Adopted) (wallet.RowSet, error) {
				moved, currency := max(a.Retaken, paid), money.Currency(a.Coupon.Currency)
				return d.agree(fmt.Sprintf("adopted as %s, %s taken, up to %s %s moved", c.BetCode, a.Retaken, moved, currency), moved, currency)
			},
		})
		if err != nil {
			return err
		}
		if err := d.settler.SettleAdopted(ctx, adopted.Coupon.Provider, c.BetCode); err != nil {
			return fmt.Errorf("the coupon is accepted; its results are left to the sweep: %w", err)
		}
		now, err := d.coupons.Get(ctx, d.id)
		if err != nil {
			return fmt.Errorf("the coupon is accepted as %s; what it has paid cannot be read: %w", c.BetCode, err)
		}
		_, err = fmt.Fprintf(std.out, "coupon %s is %s as %s and has paid %s\n", d.id, now.Status, now.BetCode, now.Payout)
		return err
	})
}

func showAdoption(w io.Writer, a coupon.Adopted, results []settlement.Prospect) error {
	table := newEffect(w, a.Coupon.ID)
	table.line("status", a.From, a.Coupon.Status)
	table.line("stake taken again "+string(a.Coupon.Currency), "-", a.Retaken)
	table.line("cash", a.CashFrom, a.CashTo)
	table.line("bonus", a.BonusFrom, a.BonusTo)
	for _, r := range results {
		what := fmt.Sprintf("result %d (%d/%d %s)", r.Result, r.Word.Status, r.Word.ExtStatus, amountOrDash(r.Word.AmountOut, r.Word.HasAmount))
		if r.Reason != "" {
			table.line(what, "waits", "parked: "+r.Reason)
			continue
		}
		table.line(what, "waits", fmt.Sprintf("%s, shall have paid %s", r.Target.Outcome, r.Target.Payout))
	}
	return table.Flush()
}

// effect shows what a decision changes, before and after.
type effect struct{ *tabwriter.Writer }

func newEffect(w io.Writer, id uuid.UUID) effect {
	table := effect{tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)}
	fmt.Fprintf(table, "COUPON %s\tNOW\tTHEN\n", id)
	return table
}

func (e effect) line(what string, now, then any) { fmt.Fprintf(e, "%s\t%v\t%v\n", what, now, then) }

// adopter is a desk that places nothing.
func (s *system) adopter() *coupon.Desk {
	return coupon.NewDesk(s.poster, s.coupons, coupon.Config{Now: s.now, Changed: s.broadcast.CouponChanged, Log: s.log})
}
