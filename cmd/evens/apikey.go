package main

import (
	"context"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"evens/access"
)

type apikeyCommand struct {
	Create apikeyCreateCommand `cmd:"" help:"Make a key; it is printed once, alone on stdout."`
	List   apikeyListCommand   `cmd:"" help:"List keys, without their secrets."`
	Revoke apikeyRevokeCommand `cmd:"" help:"End a key at once."`
}

type apikeyCreateCommand struct {
	managing
	Name  string         `help:"What the key is for." required:""`
	Owner string         `help:"Whose key it is; the name by default. Keys of one owner share their Idempotency-Keys: give a new key the owner of the one it replaces."`
	Scope []access.Scope `help:"What it may do: players, tokens, wallet, cashier, limits, bonuses, coupons, games, reports. May be repeated." required:""`
}

// Run prints the new key alone on stdout.
func (c apikeyCreateCommand) Run(ctx context.Context, cfg *Config, std streams) error {
	s, err := openFor(ctx, cfg, "apikey", c.uses(), std)
	if err != nil {
		return err
	}
	defer s.close()
	if ctx, err = s.manager(ctx, newSecrets(std), c.managing, access.ManageKeys); err != nil {
		return err
	}
	_, secret, err := s.keys.CreateFor(ctx, c.Owner, c.Name, c.Scope)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintln(std.secret, secret); err != nil {
		return fmt.Errorf("the key %s was made and cannot be shown, revoke it and make another: %w", c.Name, err)
	}
	return nil
}

type apikeyListCommand struct{}

// Run lists every key there is or was.
func (c apikeyListCommand) Run(ctx context.Context, cfg *Config, std streams) error {
	s, err := openFor(ctx, cfg, "apikey", c.uses(), std)
	if err != nil {
		return err
	}
	defer s.close()
	keys, err := s.keys.List(ctx)
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(std.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "ID\tNAME\tOWNER\tSCOPES\tCREATED\tREVOKED\tKEPT")
	for _, key := range keys {
		scopes := make([]string, len(key.Scopes))
		for i, scope := range key.Scopes {
			scopes[i] = string(scope)
		}
		kept := "-"
		if also := key.Kept(); also != "" {
			kept = "older key: also " + also
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", key.ID, key.Name, key.Owner, strings.Join(scopes, " "),
			key.CreatedAt.UTC().Format(time.RFC3339), timeOrDash(key.RevokedAt), kept)
	}
	return table.Flush()
}

type apikeyRevokeCommand struct {
	managing
	Key string `arg:"" help:"The key's name or id."`
}

// Run ends a key.
func (c apikeyRevokeCommand) Run(ctx context.Context, cfg *Config, std streams) error {
	s, err := openFor(ctx, cfg, "apikey", c.uses(), std)
	if err != nil {
		return err
	}
	defer s.close()
	if ctx, err = s.manager(ctx, newSecrets(std), c.managing, access.ManageKeys); err != nil {
		return err
	}
	return s.keys.Revoke(ctx, c.Key)
}
