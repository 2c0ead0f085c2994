package main

import (
	"context"
	"encoding/json"
	"slices"

	"evens/casino"
	"evens/ledger"
	"evens/player"
	"evens/reconcile"
	"evens/settlement"
	"evens/wallet"
)

type auditCommand struct {
	JSON bool `name:"json" help:"One JSON object."`
}

// Run re-derives the books and prints what it found.
func (c auditCommand) Run(ctx context.Context, cfg *Config, std streams) error {
	s, err := open(ctx, cfg, role{name: "evens-audit", migrate: cfg.DatabaseURL == ""}, std.err)
	if err != nil {
		return err
	}
	defer s.close()
	report, err := s.audit(ctx)
	if err != nil {
		return err
	}
	if c.JSON {
		err = json.NewEncoder(std.out).Encode(report)
	} else {
		err = report.Print(std.out)
	}
	if err == nil && !report.Clean {
		err = errFound
	}
	return err
}

// audit holds the books against every rule of the house.
func (s *system) audit(ctx context.Context) (*ledger.Report, error) {
	report, err := settlement.Audit(ctx, s.db, slices.Concat(wallet.WithdrawalChecks, player.AdjustmentChecks, casino.Checks, reconcile.Checks)...)
	if err != nil {
		return nil, err
	}
	return report, reconcile.AuditSeals(ctx, s.db, report)
}
