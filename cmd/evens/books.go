package main

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"evens/reconcile"
)

type failuresCommand struct {
	From     time.Time `help:"From this time on; a day before --to when empty." placeholder:"TIME"`
	To       time.Time `help:"Before this time; now when empty." placeholder:"TIME"`
	Provider string    `help:"Of one provider only."`
	JSON     bool      `name:"json" help:"One JSON object a line instead of CSV."`
}

// Run prints the Failed Transactions report: what was refused, timed out, rolled back or parked.
func (c failuresCommand) Run(ctx context.Context, cfg *Config, std streams) error {
	s, err := openFor(ctx, cfg, "failures", c.uses(), std)
	if err != nil {
		return err
	}
	defer s.close()
	if c.To.IsZero() {
		c.To = s.now()
	}
	if c.From.IsZero() {
		c.From = c.To.Add(-24 * time.Hour)
	}
	failures := s.reconciler.Failures(ctx, reconcile.FailureFilter{From: c.From, To: c.To, Provider: c.Provider})
	if !c.JSON {
		return reconcile.WriteFailures(std.out, failures)
	}
	encoder := json.NewEncoder(std.out)
	for failure, err := range failures {
		if err = errors.Join(err, encoder.Encode(failure)); err != nil {
			return err
		}
	}
	return nil
}

type closingCommand struct {
	Day  string `arg:"" optional:"" help:"YYYY-MM-DD, in UTC; yesterday when empty."`
	Make bool   `help:"Make it anew, instead of showing it as it was made."`
}

// Run prints a day's closing as CSV.
func (c closingCommand) Run(ctx context.Context, cfg *Config, std streams) error {
	s, err := openFor(ctx, cfg, "closing", c.uses(), std)
	if err != nil {
		return err
	}
	defer s.close()
	day := s.now().Add(-24 * time.Hour)
	if c.Day != "" {
		if day, err = time.Parse(time.DateOnly, c.Day); err != nil {
			return err
		}
	}
	lines, err := s.reconciler.Closing(ctx, day)
	if err == nil && (c.Make || len(lines) == 0) {
		lines, err = s.reconciler.Close(ctx, day)
	}
	if err != nil {
		return err
	}
	return reconcile.WriteClosing(std.out, lines)
}
