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

// prospect is what a decision about a coupon would move.
type prospect struct {
	moved    money.Amount
	currency money.Currency
	terms    string
}

// Both are looked at first, and shown, whether they are done then or not. One that moves more than one person
// may waits for a second.
func (c couponDecision) decide(ctx context.Context, cfg *Config, std streams,
	look func(*system, uuid.UUID) (prospect, error), do func(ctx context.Context, s *system, id uuid.UUID, by string) error,
) error {
	id, err := uuid.Parse(c.ID)
	if err != nil {
		return fmt.Errorf("%q is no coupon's id", c.ID)
	}
	if !c.DryRun && (c.Operator == "" || c.Comment == "") {
		return errors.New("a decision needs --operator and --comment")
	}
	s, err := open(ctx, cfg, role{name: "evens-coupon", migrate: cfg.DatabaseURL == ""}, std.err)
	if err != nil {
		return err
	}
	defer s.close()
	var by access.Operator
	if !c.DryRun {
		if ctx, by, err = s.decider(ctx, newSecrets(std), c.Operator, c.Code, access.DecideCoupons); err != nil {
			return err
		}
	}
	seen, err := look(s, id)
	if err != nil || c.DryRun {
		return err
	}
	large := access.Large{Operation: access.DecideCoupons, Subject: "coupon " + id.String(), Comment: c.Comment, Terms: seen.terms}
	if err := s.secondPerson(ctx, std.out, by, large, s.agreedFirst(ctx, by, large, seen.moved, seen.currency)); err != nil {
		return err
	}
	return do(ctx, s, id, by.Email)
}

type couponCancelCommand struct{ couponDecision }

// Run cancels a coupon.
func (c couponCancelCommand) Run(ctx context.Context, cfg *Config, std streams) error {
	return c.decide(ctx, cfg, std, func(s *system, id uuid.UUID) (prospect, error) {
		e, err := s.settler.Cancel(ctx, settlement.Cancellation{Coupon: id, DryRun: true})
		if err != nil {
			return prospect{}, err
		}
		table := newEffect(std.out, id)
		table.line("status", e.From, e.To)
		table.line("paid "+string(e.Currency), e.PaidFrom, e.PaidTo)
		table.line("cash", e.CashFrom, e.CashTo)
		table.line("bonus", e.BonusFrom, e.BonusTo)
		terms := fmt.Sprintf("cancelled, from %s to %s %s paid", e.PaidFrom, e.PaidTo, e.Currency)
		return prospect{moved: e.PaidTo - e.PaidFrom, currency: e.Currency, terms: terms}, table.Flush()
	}, func(ctx context.Context, s *system, id uuid.UUID, by string) error {
		e, err := s.settler.Cancel(ctx, settlement.Cancellation{Coupon: id, Operator: by, Comment: c.Comment})
		if err == nil {
			_, err = fmt.Fprintf(std.out, "coupon %s is cancelled; the player's cash is %s\n", id, e.CashTo)
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
	return c.decide(ctx, cfg, std, func(s *system, id uuid.UUID) (prospect, error) {
		a, err := s.adopter().AdoptByHand(ctx, coupon.Adoption{Coupon: id, BetCode: c.BetCode, DryRun: true})
		if err != nil {
			return prospect{}, err
		}
		results, err := s.settler.Prospects(ctx, c.BetCode, id)
		if err != nil {
			return prospect{}, err
		}
		seen := prospect{moved: a.Retaken, currency: money.Currency(a.Coupon.Currency)}
		for _, r := range results {
			seen.moved = max(seen.moved, r.Target.Payout)
		}
		seen.terms = fmt.Sprintf("adopted as %s, %s taken, up to %s %s moved", c.BetCode, a.Retaken, seen.moved, seen.currency)
		return seen, showAdoption(std.out, a, results)
	}, func(ctx context.Context, s *system, id uuid.UUID, by string) error {
		wish := coupon.Adoption{Coupon: id, BetCode: c.BetCode, Operator: by, Comment: c.Comment}
		if _, err := s.adopter().AdoptByHand(ctx, wish); err != nil {
			return err
		}
		if err := s.settler.SettleAdopted(ctx, c.BetCode); err != nil {
			return fmt.Errorf("the coupon is accepted; its results are left to the sweep: %w", err)
		}
		now, err := s.coupons.Get(ctx, id)
		if err != nil {
			return fmt.Errorf("the coupon is accepted as %s; what it has paid cannot be read: %w", c.BetCode, err)
		}
		_, err = fmt.Fprintf(std.out, "coupon %s is %s as %s and has paid %s\n", id, now.Status, now.BetCode, now.Payout)
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

// adopter is a desk that places nothing: where BeT is not configured, coupons are adopted all the same.
func (s *system) adopter() *coupon.Desk {
	if s.desk != nil {
		return s.desk
	}
	return coupon.NewDesk(s.poster, s.coupons, coupon.Config{Now: s.now, Changed: s.broadcast.CouponChanged, Log: s.log})
}
