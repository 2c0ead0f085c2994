package main

import (
	"context"
	"fmt"
	"text/tabwriter"
	"time"

	"evens/access"
	"evens/player"
	"evens/wallet"
)

type playerCommand struct {
	Block   playerBlockCommand   `cmd:"" help:"No more stakes and no more tokens; payouts, wins and refunds still arrive."`
	Unblock playerUnblockCommand `cmd:"" help:"Let a player play again."`
	Close   playerCloseCommand   `cmd:"" help:"As block, for a player who has left."`
	Limits  playerLimitsCommand  `cmd:"" help:"A player's limits, and what has been used of them."`
}

// findPlayer returns a player by our id or by the external id; an error names who was looked for.
func (s *system) findPlayer(ctx context.Context, name string) (player.Player, error) {
	who, err := s.players.Named(ctx, name)
	if err != nil {
		return player.Player{}, fmt.Errorf("player %s: %w", name, err)
	}
	return who, nil
}

type playerLimitsCommand struct {
	ID string `arg:"" help:"Our id, or the external id."`
}

// Run shows a player's limits.
func (c playerLimitsCommand) Run(ctx context.Context, cfg *Config, std streams) error {
	s, err := openFor(ctx, cfg, "player", c.uses(), std)
	if err != nil {
		return err
	}
	defer s.close()
	who, err := s.findPlayer(ctx, c.ID)
	if err != nil {
		return err
	}
	rules, err := s.rules.Read(ctx, who.ID)
	if err != nil {
		return err
	}
	window := "calendar"
	if rules.Calendar.Rolling {
		window = "rolling"
	}
	table := tabwriter.NewWriter(std.out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(table, "%s windows, days begin in %s\n\nLIMIT\tPERIOD\tUSED\tOF\n", window, rules.Calendar.Zone)
	for _, m := range wallet.Measures() {
		for _, p := range wallet.Periods() {
			of := "no limit"
			if limit := rules.Limits[m][p]; limit.Set {
				of = limit.Amount.String()
			}
			fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", m, p, rules.Used[m][p], of)
		}
	}
	for _, raise := range rules.Raises {
		to := "no limit"
		if raise.To.Set {
			to = raise.To.Amount.String()
		}
		fmt.Fprintf(table, "%s\t%s\tfrom %s\t%s\n", raise.Measure, raise.Period, raise.From.Format(time.RFC3339), to)
	}
	if !rules.BarredUntil.IsZero() {
		fmt.Fprintf(table, "self-excluded or cooling off until %s\n", rules.BarredUntil.Format(time.RFC3339))
	}
	return table.Flush()
}

type playerStatus struct {
	ID      string `arg:"" help:"Our id, or the external id."`
	Comment string `required:"" help:"Why; kept for good."`
	deciding
}

type playerBlockCommand struct{ playerStatus }

// Run blocks a player for play.
func (c playerBlockCommand) Run(ctx context.Context, cfg *Config, std streams) error {
	return c.set(ctx, cfg, std, wallet.Blocked)
}

type playerUnblockCommand struct{ playerStatus }

// Run lets a player play.
func (c playerUnblockCommand) Run(ctx context.Context, cfg *Config, std streams) error {
	return c.set(ctx, cfg, std, wallet.Active)
}

type playerCloseCommand struct{ playerStatus }

// Run closes a player.
func (c playerCloseCommand) Run(ctx context.Context, cfg *Config, std streams) error {
	return c.set(ctx, cfg, std, wallet.Closed)
}

func (c playerStatus) set(ctx context.Context, cfg *Config, std streams, status wallet.Status) error {
	s, err := openFor(ctx, cfg, "player", c.uses(), std)
	if err != nil {
		return err
	}
	defer s.close()
	who, err := s.findPlayer(ctx, c.ID)
	if err != nil {
		return err
	}
	ctx, by, err := s.decider(ctx, newSecrets(std), c.Operator, c.Code, access.DecidePlayers)
	if err != nil {
		return err
	}
	if err := s.players.SetStatus(ctx, who.ID, status, by.Email, c.Comment); err != nil {
		return err
	}
	fmt.Fprintf(std.out, "player %s: %s\n", who.ID, status)
	return nil
}
