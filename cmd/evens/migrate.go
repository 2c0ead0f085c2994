package main

import (
	"context"
	"fmt"

	"evens/internal/postgres"
)

type migrateCommand struct{}

// Run brings the schema up to date.
func (migrateCommand) Run(ctx context.Context, cfg *Config, std streams) error {
	s := &system{cfg: cfg, log: cfg.logger(std.err)}
	defer s.close()
	if _, err := s.acquireServers(ctx, false); err != nil {
		return err
	}
	if err := (postgres.Migrator{Log: s.log}).UpAs(ctx, s.ownerURL, s.databaseURL); err != nil {
		return err
	}
	_, err := fmt.Fprintln(std.out, "the schema is up to date")
	return err
}
