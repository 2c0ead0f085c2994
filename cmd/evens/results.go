package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/google/uuid"

	"evens/access"
	"evens/internal/postgres"
	"evens/money"
	"evens/settlement"
)

type resultsCommand struct {
	List   resultsListCommand   `cmd:"" help:"Show what waits, and what applying it would do."`
	Apply  resultsApplyCommand  `cmd:"" help:"Apply a parked result."`
	Refuse resultsRefuseCommand `cmd:"" help:"End a result without applying it."`
}

type resultsListCommand struct {
	Limit int  `help:"Rows at the most." default:"200"`
	JSON  bool `name:"json" help:"One JSON object a line."`
}

// Run lists waiting results, oldest first.
func (c resultsListCommand) Run(ctx context.Context, cfg *Config, std streams) error {
	s, err := openFor(ctx, cfg, "results", c.uses(), std)
	if err != nil {
		return err
	}
	defer s.close()
	list, err := s.settler.Waiting(ctx, c.Limit)
	if err != nil {
		return err
	}
	codes, err := s.coupons.WaitingCodes(ctx, c.Limit)
	if err != nil {
		return err
	}
	if c.JSON {
		encoder := json.NewEncoder(std.out)
		for _, w := range list {
			if err := encoder.Encode(waitingJSON(w)); err != nil {
				return err
			}
		}
		return encodeWaitingCodes(encoder, codes)
	}
	table := tabwriter.NewWriter(std.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "ID\tWHY\tBAR CODE\tSTATUS\tAMOUNT OUT\tDECIDED\tSTAKE\tPAID\tWOULD PAY\tCASH NOW\tCASH THEN\tLIKELY COUPON\tREASON")
	for _, w := range list {
		fmt.Fprintf(table, "%d\t%s\t%s\t%d/%d\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", w.ID, w.Attention, w.BarCode,
			w.Word.Status, w.Word.ExtStatus, amountOrDash(w.Word.AmountOut, w.Word.HasAmount), w.DecidedAt.UTC().Format(time.RFC3339),
			amountOrDash(w.Stake, w.Coupon.Valid), amountOrDash(w.Payout, w.Coupon.Valid), amountOrDash(w.Target.Payout, w.Decidable),
			amountOrDash(w.Cash, w.Coupon.Valid), amountOrDash(w.CashAfter(), w.Decidable), likelyCoupon(w), reasonOf(w))
	}
	if err := table.Flush(); err != nil {
		return err
	}
	return printWaitingCodes(std.out, codes)
}

// likelyCoupon names the coupon that a result fits; where it fits more than one, only how many.
func likelyCoupon(w settlement.Waiting) string {
	switch len(w.Likely) {
	case 0:
		return "-"
	case 1:
		return w.Likely[0].Coupon.String()
	default:
		return fmt.Sprintf("one of %d", len(w.Likely))
	}
}

// shownRaw is how much of an unreadable Head's text the table shows; --json has all of it.
const shownRaw = 200

func reasonOf(w settlement.Waiting) string {
	if len(w.Raw) == 0 {
		return w.Reason
	}
	text := string(w.Raw[:min(len(w.Raw), shownRaw)])
	return fmt.Sprintf("%s: %q", w.Reason, text)
}

func amountOrDash(amount money.Amount, known bool) string {
	if !known {
		return "-"
	}
	return amount.String()
}

func waitingJSON(w settlement.Waiting) map[string]any {
	object := map[string]any{
		"id": w.ID, "why": w.Attention, "reason": w.Reason, "bar_code": w.BarCode, "state": w.State,
		"status": w.Word.Status, "ext_status": w.Word.ExtStatus, "decided_at": w.DecidedAt.UTC(), "received_at": w.ReceivedAt.UTC(),
	}
	if w.Word.HasAmount {
		object["amount_out"] = w.Word.AmountOut.String()
	}
	if w.Coupon.Valid {
		object["coupon_id"], object["player_id"], object["currency"] = w.Coupon.UUID, w.Player.UUID, w.Currency
		object["stake"], object["paid"], object["cash"] = w.Stake.String(), w.Payout.String(), w.Cash.String()
	}
	if len(w.Raw) > 0 {
		object["text"] = string(w.Raw)
	}
	if w.Attention == "unknown_bar_code" {
		likely := make([]uuid.UUID, len(w.Likely))
		for i, l := range w.Likely {
			likely[i] = l.Coupon
		}
		object["likely_coupons"] = likely
	}
	if w.Decidable {
		object["would_pay"], object["cash_then"] = w.Target.Payout.String(), w.CashAfter().String()
	}
	return object
}

type resultsApplyCommand struct {
	IDs     []int64 `arg:"" name:"id" help:"Results to apply."`
	Comment string  `help:"Why; kept for good." required:""`
	deciding
	Payout string `help:"Make the coupon have paid this instead of what the result says, in major units."`
	Coupon string `help:"Id of the coupon that it is about, where the Head could not be read; with --payout."`
	Force  bool   `help:"Apply it although BeT has said something later."`
}

// Run applies results one by one; the first that cannot be ends it. One that moves more than one person
// may waits for a second: then the exit code is 1.
func (c resultsApplyCommand) Run(ctx context.Context, cfg *Config, std streams) error {
	decision := settlement.Decision{Comment: c.Comment, Force: c.Force}
	if c.Coupon != "" {
		id, err := uuid.Parse(c.Coupon)
		if err != nil {
			return fmt.Errorf("--coupon: %q is no coupon's id", c.Coupon)
		}
		decision.Coupon = uuid.NullUUID{UUID: id, Valid: true}
	}
	if c.Payout != "" {
		payout, err := money.Parse(c.Payout)
		if err != nil {
			return fmt.Errorf("--payout: %w", err)
		}
		decision.Payout = &payout
	}
	s, err := openFor(ctx, cfg, "results", c.uses(), std)
	if err != nil {
		return err
	}
	defer s.close()
	ctx, who, err := s.decider(ctx, newSecrets(std), c.Operator, c.Code, access.DecideResults)
	if err != nil {
		return err
	}
	decision.Operator = who.Email
	var waits error
	for _, id := range c.IDs {
		decision.Result = id
		large := access.Large{Operation: access.DecideResults, Subject: fmt.Sprintf("result %d", id), Comment: c.Comment}
		decision.Agree = func(tx postgres.Querier, change settlement.Change) error {
			large.Terms = fmt.Sprintf("coupon %s from %s to %s %s paid", change.Coupon, change.From, change.To, change.Currency)
			return s.agreed(ctx, tx, who, large, change.To-change.From, change.Currency)
		}
		verdict, err := s.settler.Decide(ctx, decision)
		if err = s.secondPerson(ctx, std.out, who, large, err); errors.Is(err, errFound) {
			waits = err // the others may be done
			continue
		}
		if err != nil {
			return fmt.Errorf("result %d: %w", id, err)
		}
		fmt.Fprintf(std.out, "result %d applied: %s, the coupon has paid %s\n", id, verdict.Outcome, verdict.Payout)
	}
	return waits
}

type resultsRefuseCommand struct {
	IDs     []int64 `arg:"" name:"id" help:"Results to refuse."`
	Comment string  `help:"Why; kept for good." required:""`
	deciding
}

// Run refuses results one by one; the first that cannot be ends it.
func (c resultsRefuseCommand) Run(ctx context.Context, cfg *Config, std streams) error {
	s, err := openFor(ctx, cfg, "results", c.uses(), std)
	if err != nil {
		return err
	}
	defer s.close()
	ctx, who, err := s.decider(ctx, newSecrets(std), c.Operator, c.Code, access.DecideResults)
	if err != nil {
		return err
	}
	for _, id := range c.IDs {
		if err := s.settler.Refuse(ctx, settlement.Decision{Result: id, Operator: who.Email, Comment: c.Comment}); err != nil {
			return fmt.Errorf("result %d: %w", id, err)
		}
		fmt.Fprintf(std.out, "result %d refused\n", id)
	}
	return nil
}
