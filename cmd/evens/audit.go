package main

import (
	"context"
	"encoding/json"

	"evens/audit"
)

type auditCommand struct {
	JSON bool `name:"json" help:"One JSON object."`
}

// Run re-derives the books and prints what it found.
func (c auditCommand) Run(ctx context.Context, cfg *Config, std streams) error {
	s, err := openFor(ctx, cfg, "audit", c.uses(), std)
	if err != nil {
		return err
	}
	defer s.close()
	report, err := audit.Run(ctx, s.db)
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
