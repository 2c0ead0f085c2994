package main

import (
	"context"
	"encoding/json"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/google/uuid"

	"evens/access"
	"evens/money"
	"evens/player"
	"evens/wallet"
)

type suspenseCommand struct {
	List   suspenseListCommand   `cmd:"" default:"withargs" help:"What waits, oldest first (the default)."`
	Assign suspenseAssignCommand `cmd:"" help:"Book it to the player it belongs to."`
	Close  suspenseCloseCommand  `cmd:"" help:"End it without a player."`
}

type suspenseListCommand struct {
	JSON bool `name:"json" help:"One JSON object a line."`
}

// suspenseLine is a row as --json prints it.
type suspenseLine struct {
	ID            uuid.UUID `json:"id"`
	At            time.Time `json:"at"`
	Reason        string    `json:"reason"`
	Event         string    `json:"event"`
	TransactionID string    `json:"transaction_id"`
	Player        string    `json:"player_id"`
	Amount        string    `json:"amount"`
	Currency      string    `json:"currency"`
	Booked        string    `json:"booked"`
}

// Run lists what waits.
func (c suspenseListCommand) Run(ctx context.Context, cfg *Config, std streams) error {
	s, err := openFor(ctx, cfg, "suspense", c.uses(), std)
	if err != nil {
		return err
	}
	defer s.close()
	rows, err := wallet.Suspense(ctx, s.db)
	if err != nil {
		return err
	}
	if c.JSON {
		encoder := json.NewEncoder(std.out)
		for _, r := range rows {
			line := suspenseLine{
				r.ID, r.At, string(r.Reason), string(r.Said), r.TransactionID, r.Player, r.Amount.String(), string(r.Currency), r.Booked.String(),
			}
			if err := encoder.Encode(line); err != nil {
				return err
			}
		}
		return nil
	}
	table := tabwriter.NewWriter(std.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "ID\tAT\tREASON\tEVENT\tTRANSACTION\tPLAYER\tAMOUNT\tCURRENCY\tBOOKED")
	for _, r := range rows {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n",
			r.ID, r.At.Format(time.RFC3339), r.Reason, r.Said, r.TransactionID, r.Player, r.Amount, r.Currency, r.Booked)
	}
	return table.Flush()
}

// suspenseDecision is whose decision about a row it is, and why.
type suspenseDecision struct {
	ID      string `arg:"" help:"The row's id."`
	Comment string `required:"" help:"Why."`
	deciding
}

type suspenseAssignCommand struct {
	suspenseDecision
	Player string `required:"" help:"Our id, or the external id."`
}

// Run books a row to a player.
func (c suspenseAssignCommand) Run(ctx context.Context, cfg *Config, std streams) error {
	return c.decide(ctx, cfg, std, "assigned", func(ctx context.Context, s *system, e suspenseEnding) (wallet.SuspenseRow, error) {
		who, err := s.findPlayer(ctx, c.Player)
		if err != nil {
			return wallet.SuspenseRow{}, err
		}
		return e.account.Assign(ctx, e.id, who.ID, e.by.Email, c.Comment, e.agree("to player "+who.ID.String()))
	})
}

type suspenseCloseCommand struct {
	suspenseDecision
	As string `required:"" enum:"returned,adjusted" help:"returned: the money went back to where it came from. adjusted: it is taken over into the adjustments."`
}

// Run ends a row.
func (c suspenseCloseCommand) Run(ctx context.Context, cfg *Config, std streams) error {
	return c.decide(ctx, cfg, std, "closed", func(ctx context.Context, _ *system, e suspenseEnding) (wallet.SuspenseRow, error) {
		return e.account.Close(ctx, e.id, c.As == "returned", e.by.Email, c.Comment, e.agree(c.As))
	})
}

// suspenseEnding is a decision about a row under way.
type suspenseEnding struct {
	id      uuid.UUID
	by      access.Operator
	account *player.Suspense
	large   *access.Large
	system  *system
}

// agree is asked before the row's money moves to where it is to go.
func (e suspenseEnding) agree(to string) wallet.Agree {
	return func(moved money.Amount, currency money.Currency) (wallet.RowSet, error) {
		e.large.Terms = fmt.Sprintf("%s, %s %s", to, moved, currency)
		return e.system.agreement(e.by, *e.large, moved, currency)
	}
}

func (c suspenseDecision) decide(ctx context.Context, cfg *Config, std streams, done string,
	decide func(context.Context, *system, suspenseEnding) (wallet.SuspenseRow, error),
) error {
	id, err := uuid.Parse(c.ID)
	if err != nil {
		return fmt.Errorf("%q is no row's id", c.ID)
	}
	s, err := openFor(ctx, cfg, "suspense", c.uses(), std)
	if err != nil {
		return err
	}
	defer s.close()
	ctx, by, err := s.decider(ctx, newSecrets(std), c.Operator, c.Code, access.Adjust)
	if err != nil {
		return err
	}
	large := &access.Large{Operation: access.Adjust, Subject: "suspense " + id.String(), Comment: c.Comment}
	account := player.NewSuspense(s.db, s.poster, s.operators, s.now)
	row, err := decide(ctx, s, suspenseEnding{id, by, account, large, s})
	if err := s.secondPerson(ctx, std.out, by, *large, err); err != nil {
		return err
	}
	_, err = fmt.Fprintf(std.out, "%s: %s of %s %s, %s\n", done, row.TransactionID, row.Amount, row.Currency, row.Said)
	return err
}
