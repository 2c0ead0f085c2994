package main

import (
	"context"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/google/uuid"

	"evens/access"
	"evens/money"
	"evens/wallet"
)

type bonusCommand struct {
	List      bonusListCommand      `cmd:"" help:"A player's bonuses, newest first."`
	Forfeit   bonusForfeitCommand   `cmd:"" help:"Take an active bonus back."`
	Campaigns bonusCampaignsCommand `cmd:"" help:"The campaigns as they are read."`
}

type bonusListCommand struct {
	Player string `arg:"" help:"Our id, or the external id."`
}

// mostListed is how many bonuses a list shows.
const mostListed = 100

// Run lists bonuses.
func (c bonusListCommand) Run(ctx context.Context, cfg *Config, std streams) error {
	s, err := openFor(ctx, cfg, "bonus", c.uses(), std)
	if err != nil {
		return err
	}
	defer s.close()
	who, err := s.findPlayer(ctx, c.Player)
	if err != nil {
		return err
	}
	bonuses, err := wallet.Bonuses(ctx, s.db, who.ID, uuid.NullUUID{}, mostListed)
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(std.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "ID\tCAMPAIGN\tSTATUS\tGRANTED\tBALANCE\tWAGERED\tREQUIRED\tCONVERTED\tGRANTED AT\tEXPIRES AT")
	for _, b := range bonuses {
		expires := "never"
		if !b.ExpiresAt.IsZero() {
			expires = b.ExpiresAt.Format(time.RFC3339)
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", b.ID, b.Campaign, b.Status, b.Granted, b.Balance, b.Wagered, b.Required, b.Converted,
			b.GrantedAt.Format(time.RFC3339), expires)
	}
	return table.Flush()
}

type bonusForfeitCommand struct {
	Player  string `arg:"" help:"Our id, or the external id."`
	ID      string `arg:"" help:"The bonus's id."`
	Comment string `required:"" help:"Why; kept for good."`
	deciding
}

// Run takes a bonus back.
func (c bonusForfeitCommand) Run(ctx context.Context, cfg *Config, std streams) error {
	id, err := uuid.Parse(c.ID)
	if err != nil {
		return fmt.Errorf("%q is no bonus's id", c.ID)
	}
	s, err := openFor(ctx, cfg, "bonus", c.uses(), std)
	if err != nil {
		return err
	}
	defer s.close()
	who, err := s.findPlayer(ctx, c.Player)
	if err != nil {
		return err
	}
	ctx, by, err := s.decider(ctx, newSecrets(std), c.Operator, c.Code, access.DecideBonuses)
	if err != nil {
		return err
	}
	large := access.Large{Operation: access.DecideBonuses, Subject: "bonus " + id.String(), Comment: c.Comment}
	err = wallet.ForfeitBonus(ctx, s.poster, wallet.Forfeiture{
		Player: who.ID, Bonus: id, Operator: by.Email, Comment: c.Comment, At: s.now(),
		Agree: func(moved money.Amount, currency money.Currency) (wallet.RowSet, error) {
			large.Terms = fmt.Sprintf("all of player %s's bonus balance, %s %s", who.ID, moved, currency)
			return s.agreement(by, large, moved, currency)
		},
	})
	if err := s.secondPerson(ctx, std.out, by, large, err); err != nil {
		return err
	}
	_, err = fmt.Fprintf(std.out, "bonus %s: forfeited\n", id)
	return err
}

type bonusCampaignsCommand struct{}

// Run prints the campaigns of EVENS_CAMPAIGNS; what is wrong in the file is said with its field.
func (bonusCampaignsCommand) Run(cfg *Config, std streams) error {
	campaigns, err := readCampaigns(cfg.Campaigns)
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(std.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "NAME\tJURISDICTION\tCURRENCY\tWAGERING\tFIRST DEPOSIT\tVALID FOR")
	for _, c := range campaigns.List() {
		first := "-"
		if c.Percent > 0 {
			first = fmt.Sprintf("%d.%02d %% up to %s", c.Percent/100, c.Percent%100, c.UpTo)
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\n", c.Name, c.Jurisdiction, c.Currency, c.Wagering, first, c.ValidFor)
	}
	return table.Flush()
}
