package main

import (
	"context"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/google/uuid"

	"evens/access"
	"evens/money"
	"evens/player"
)

type adjustCommand struct {
	Make    adjustMakeCommand    `cmd:"" default:"withargs" help:"Adjust a player's cash (the default)."`
	Approve adjustApproveCommand `cmd:"" help:"Post an adjustment that waits for a second person."`
	Refuse  adjustRefuseCommand  `cmd:"" help:"End an adjustment that waits: nothing moves."`
	List    adjustListCommand    `cmd:"" help:"Adjustments that wait for a second person."`
}

type adjustMakeCommand struct {
	Player  string `required:"" help:"Our id, or the external id."`
	Amount  string `required:"" help:"In major units; below zero takes."`
	Comment string `required:"" help:"Why; the player's history shows it."`
	adjusting
	Reference string `help:"Makes a repeat harmless: one adjustment a reference."`
}

// Run adjusts, or proposes.
func (c adjustMakeCommand) Run(ctx context.Context, cfg *Config, std streams) error {
	amount, err := money.Parse(c.Amount)
	if err != nil {
		return fmt.Errorf("--amount: %w", err)
	}
	return c.one(ctx, cfg, std, func(s *system, by string) (player.Adjustment, error) {
		who, err := s.findPlayer(ctx, c.Player)
		if err != nil {
			return player.Adjustment{}, err
		}
		return s.adjustments.Make(ctx, who.ID, amount, c.Comment, by, c.Reference)
	})
}

type adjustDecision struct {
	ID string `arg:"" help:"The adjustment's id."`
	adjusting
}

// adjusting is embedded by commands that adjust.
type adjusting struct{ deciding }

type adjustApproveCommand struct {
	adjustDecision
	Comment string `help:"Kept with the approval."`
}

// Run approves.
func (c adjustApproveCommand) Run(ctx context.Context, cfg *Config, std streams) error {
	return c.decide(ctx, cfg, std, c.Comment, (*player.Adjustments).Approve)
}

type adjustRefuseCommand struct {
	adjustDecision
	Comment string `required:"" help:"Why."`
}

// Run refuses.
func (c adjustRefuseCommand) Run(ctx context.Context, cfg *Config, std streams) error {
	return c.decide(ctx, cfg, std, c.Comment, (*player.Adjustments).Refuse)
}

func (c adjustDecision) decide(ctx context.Context, cfg *Config, std streams, comment string,
	decide func(*player.Adjustments, context.Context, uuid.UUID, string, string) (player.Adjustment, error),
) error {
	id, err := uuid.Parse(c.ID)
	if err != nil {
		return fmt.Errorf("%q is no adjustment's id", c.ID)
	}
	return c.one(ctx, cfg, std, func(s *system, by string) (player.Adjustment, error) {
		return decide(s.adjustments, ctx, id, by, comment)
	})
}

// one opens the system for one adjustment by an operator, and prints what became of it.
func (a adjusting) one(ctx context.Context, cfg *Config, std streams, do func(s *system, by string) (player.Adjustment, error)) error {
	s, err := openFor(ctx, cfg, "adjust", a.uses(), std)
	if err != nil {
		return err
	}
	defer s.close()
	_, who, err := s.decider(ctx, newSecrets(std), a.Operator, a.Code, access.Adjust)
	if err != nil {
		return err
	}
	made, err := do(s, who.Email)
	if err != nil {
		return err
	}
	return printAdjustments(std.out, []player.Adjustment{made})
}

type adjustListCommand struct{}

// Run lists what waits.
func (c adjustListCommand) Run(ctx context.Context, cfg *Config, std streams) error {
	s, err := openFor(ctx, cfg, "adjust", c.uses(), std)
	if err != nil {
		return err
	}
	defer s.close()
	list, err := s.adjustments.Pending(ctx)
	if err != nil {
		return err
	}
	return printAdjustments(std.out, list)
}

func printAdjustments(w io.Writer, list []player.Adjustment) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "ID\tPLAYER\tAMOUNT\tSTATUS\tBY\tDECIDED BY\tMADE AT\tCOMMENT")
	for _, a := range list {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", a.ID, a.Player, a.Amount, a.Status, a.Operator, a.DecidedBy, a.CreatedAt.Format(time.RFC3339), a.Comment)
	}
	return table.Flush()
}
