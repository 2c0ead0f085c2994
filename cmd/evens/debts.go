package main

import (
	"context"
	"encoding/json"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/google/uuid"

	"evens/player"
)

type debtsCommand struct {
	JSON bool `name:"json" help:"One JSON object a line."`
}

// debtLine is a debt as --json prints it.
type debtLine struct {
	Player     uuid.UUID `json:"player_id"`
	ExternalID string    `json:"external_id"`
	Currency   string    `json:"currency"`
	Amount     string    `json:"amount"`
	Since      time.Time `json:"since"`
	AgeSeconds int64     `json:"age_seconds"`
	Cause      uuid.UUID `json:"transaction_id"`
	CauseType  string    `json:"type"`
}

// Run lists who owes the house, since when, and what caused it.
func (c debtsCommand) Run(ctx context.Context, cfg *Config, std streams) error {
	s, err := openFor(ctx, cfg, "debts", c.uses(), std)
	if err != nil {
		return err
	}
	defer s.close()
	debts, err := player.Debts(ctx, s.db, uuid.NullUUID{})
	if err != nil {
		return err
	}
	encoder := json.NewEncoder(std.out)
	table := tabwriter.NewWriter(std.out, 0, 0, 2, ' ', 0)
	if !c.JSON {
		fmt.Fprintln(table, "PLAYER\tEXTERNAL ID\tAMOUNT\tCURRENCY\tSINCE\tAGE\tCAUSE")
	}
	for _, d := range debts {
		age := s.now().Sub(d.Since).Round(time.Second)
		if c.JSON {
			line := debtLine{d.Player, d.ExternalID, string(d.Currency), d.Amount.String(), d.Since, int64(age / time.Second), d.Cause, string(d.CauseKind)}
			if err := encoder.Encode(line); err != nil {
				return err
			}
			continue
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s %s\n", d.Player, d.ExternalID, d.Amount, d.Currency, d.Since.Format(time.RFC3339), age, d.CauseKind, d.Cause)
	}
	return table.Flush()
}
