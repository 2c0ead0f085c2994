package main

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"evens/player"
	"evens/wallet"
)

type playerCommand struct {
	Block   playerBlockCommand   `cmd:"" help:"No more stakes; payouts, wins and refunds still arrive."`
	Unblock playerUnblockCommand `cmd:"" help:"Let a player play again."`
	Close   playerCloseCommand   `cmd:"" help:"As block, for a player who has left."`
}

type playerStatus struct {
	ID       string `arg:"" help:"Our id, or the external id."`
	Operator string `required:"" help:"Who decides."`
	Comment  string `required:"" help:"Why; kept for good."`
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
	s, err := open(ctx, cfg, role{name: "evens-player", migrate: cfg.DatabaseURL == ""}, std.err)
	if err != nil {
		return err
	}
	defer s.close()
	var who player.Player
	if id, parseErr := uuid.Parse(c.ID); parseErr == nil {
		who, err = s.players.Get(ctx, id)
	} else {
		who, err = s.players.ByExternalID(ctx, c.ID)
	}
	if err != nil {
		return fmt.Errorf("player %s: %w", c.ID, err)
	}
	if err := s.players.SetStatus(ctx, who.ID, status, c.Operator, c.Comment); err != nil {
		return err
	}
	fmt.Fprintf(std.out, "player %s: %s\n", who.ID, status)
	return nil
}
