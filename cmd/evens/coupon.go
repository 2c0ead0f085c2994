package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/google/uuid"

	"evens/coupon"
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
	Operator string `help:"E-mail of the operator who decides. Not needed for a look."`
	DryRun   bool   `help:"Show what would move, and change nothing."`
}

// Both are looked at first, and shown, whether they are done then or not.
func (c couponDecision) decide(ctx context.Context, cfg *Config, std streams, look, do func(*system, uuid.UUID) error) error {
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
	if err := look(s, id); err != nil || c.DryRun {
		return err
	}
	return do(s, id)
}

type couponCancelCommand struct{ couponDecision }

// Run cancels a coupon.
func (c couponCancelCommand) Run(ctx context.Context, cfg *Config, std streams) error {
	wish := func(id uuid.UUID, dry bool) settlement.Cancellation {
		return settlement.Cancellation{Coupon: id, Operator: c.Operator, Comment: c.Comment, DryRun: dry}
	}
	return c.decide(ctx, cfg, std, func(s *system, id uuid.UUID) error {
		e, err := s.settler.Cancel(ctx, wish(id, true))
		if err != nil {
			return err
		}
		table := newEffect(std.out, id)
		table.line("status", e.From, e.To)
		table.line("paid "+string(e.Currency), e.PaidFrom, e.PaidTo)
		table.line("cash", e.CashFrom, e.CashTo)
		table.line("bonus", e.BonusFrom, e.BonusTo)
		return table.Flush()
	}, func(s *system, id uuid.UUID) error {
		e, err := s.settler.Cancel(ctx, wish(id, false))
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
	wish := func(id uuid.UUID, dry bool) coupon.Adoption {
		return coupon.Adoption{Coupon: id, BetCode: c.BetCode, Operator: c.Operator, Comment: c.Comment, DryRun: dry}
	}
	return c.decide(ctx, cfg, std, func(s *system, id uuid.UUID) error {
		a, err := s.adopter().AdoptByHand(ctx, wish(id, true))
		if err != nil {
			return err
		}
		results, err := s.settler.Prospects(ctx, c.BetCode, id)
		if err != nil {
			return err
		}
		return showAdoption(std.out, a, results)
	}, func(s *system, id uuid.UUID) error {
		if _, err := s.adopter().AdoptByHand(ctx, wish(id, false)); err != nil {
			return err
		}
		if err := s.settler.SettleAdopted(ctx, c.BetCode); err != nil {
			return fmt.Errorf("the coupon is accepted; its results are left to the sweep: %w", err)
		}
		now, err := s.coupons.Get(ctx, id)
		if err == nil {
			_, err = fmt.Fprintf(std.out, "coupon %s is %s as %s and has paid %s\n", id, now.Status, now.BetCode, now.Payout)
		}
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
