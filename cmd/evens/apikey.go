package main

import (
	"context"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"evens/player"
)

type apikeyCommand struct {
	Create apikeyCreateCommand `cmd:"" help:"Make a key; it is printed once, alone on stdout."`
	List   apikeyListCommand   `cmd:"" help:"List keys, without their secrets."`
	Revoke apikeyRevokeCommand `cmd:"" help:"End a key at once."`
}

type apikeyCreateCommand struct {
	Name  string         `help:"What the key is for." required:""`
	Owner string         `help:"Whose key it is; the name by default. Keys of one owner share their Idempotency-Keys: give a new key the owner of the one it replaces."`
	Scope []player.Scope `help:"What it may do: players, wallet, cashier, limits, bonuses, coupons, games. May be repeated." required:""`
}

// Run prints the new key alone on stdout.
func (c apikeyCreateCommand) Run(ctx context.Context, cfg *Config, std streams) error {
	s, err := open(ctx, cfg, role{name: "evens-apikey", migrate: cfg.DatabaseURL == ""}, std.err)
	if err != nil {
		return err
	}
	defer s.close()
	_, secret, err := s.keys.CreateFor(ctx, c.Owner, c.Name, c.Scope)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(std.out, secret)
	return err
}

type apikeyListCommand struct{}

// Run lists every key there is or was.
func (apikeyListCommand) Run(ctx context.Context, cfg *Config, std streams) error {
	s, err := open(ctx, cfg, role{name: "evens-apikey", migrate: cfg.DatabaseURL == ""}, std.err)
	if err != nil {
		return err
	}
	defer s.close()
	keys, err := s.keys.List(ctx)
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(std.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "ID\tNAME\tOWNER\tSCOPES\tCREATED\tREVOKED")
	for _, key := range keys {
		scopes := make([]string, len(key.Scopes))
		for i, scope := range key.Scopes {
			scopes[i] = string(scope)
		}
		revoked := "-"
		if !key.RevokedAt.IsZero() {
			revoked = key.RevokedAt.UTC().Format(time.RFC3339)
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\n", key.ID, key.Name, key.Owner, strings.Join(scopes, " "), key.CreatedAt.UTC().Format(time.RFC3339), revoked)
	}
	return table.Flush()
}

type apikeyRevokeCommand struct {
	Key string `arg:"" help:"The key's name or id."`
}

// Run ends a key.
func (c apikeyRevokeCommand) Run(ctx context.Context, cfg *Config, std streams) error {
	s, err := open(ctx, cfg, role{name: "evens-apikey", migrate: cfg.DatabaseURL == ""}, std.err)
	if err != nil {
		return err
	}
	defer s.close()
	return s.keys.Revoke(ctx, c.Key)
}
