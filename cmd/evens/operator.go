package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"text/tabwriter"
	"time"

	"evens/access"
)

type operatorCommand struct {
	List    operatorListCommand    `cmd:"" help:"List operators."`
	Create  operatorCreateCommand  `cmd:"" help:"Make an operator; the password comes from a prompt or stdin."`
	Disable operatorDisableCommand `cmd:"" help:"Let an operator in no more, and end their sessions at once."`
	Enable  operatorEnableCommand  `cmd:"" help:"Let a disabled operator in again."`
	Passwd  operatorPasswdCommand  `cmd:"" help:"Give an operator another password, and end their sessions; it comes from a prompt or stdin."`
	Role    operatorRoleCommand    `cmd:"" help:"Give an operator another role."`
	Totp    operatorTotpCommand    `cmd:"" help:"Have an operator log in with an authenticator's code too."`
}

// operators runs what a command does to operators, on behalf of whoever gives it.
func (m managing) operators(ctx context.Context, cfg *Config, std streams,
	do func(ctx context.Context, s *system, secrets *secrets) error,
) error {
	s, err := openFor(ctx, cfg, "operator", m.uses(), std)
	if err != nil {
		return err
	}
	defer s.close()
	secrets := newSecrets(std)
	if ctx, err = s.manager(ctx, secrets, m, access.ManageOperators); err != nil {
		return err
	}
	return do(ctx, s, secrets)
}

type operatorListCommand struct{}

// Run lists operators.
func (c operatorListCommand) Run(ctx context.Context, cfg *Config, std streams) error {
	s, err := openFor(ctx, cfg, "operator", c.uses(), std)
	if err != nil {
		return err
	}
	defer s.close()
	list, err := s.operators.List(ctx)
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(std.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "EMAIL\tROLE\tSTATUS\tSECOND STEP\tLAST LOGIN\tCREATED")
	for _, o := range list {
		status, second := "active", "no"
		if !o.DisabledAt.IsZero() {
			status = "disabled " + o.DisabledAt.Format(time.RFC3339)
		}
		if o.SecondStep {
			second = "yes"
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\n", o.Email, o.Role, status, second, timeOrDash(o.LastLoginAt), o.CreatedAt.Format(time.RFC3339))
	}
	return table.Flush()
}

func timeOrDash(at time.Time) string {
	if at.IsZero() {
		return "-"
	}
	return at.UTC().Format(time.RFC3339)
}

type operatorCreateCommand struct {
	managing
	Email string      `help:"Login name." required:""`
	Role  access.Role `help:"viewer, operator, finance or admin." required:""`
}

// Run makes an operator.
func (c operatorCreateCommand) Run(ctx context.Context, cfg *Config, std streams) error {
	return c.operators(ctx, cfg, std, func(ctx context.Context, s *system, secrets *secrets) error {
		password, err := secrets.ask("New password")
		if err != nil {
			return err
		}
		created, err := s.operators.Create(ctx, c.Email, c.Role, password)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(std.out, "operator %s may log in as %s\n", created.Email, created.Role)
		return err
	})
}

// whom names an operator, with or without --email.
type whom struct {
	Who   string `arg:"" optional:"" help:"The operator's e-mail."`
	Email string `placeholder:"EMAIL" help:"The same, as an option."`
}

func (w whom) email() (string, error) {
	if (w.Who == "") == (w.Email == "") {
		return "", errors.New("name one operator, by --email")
	}
	return cmp.Or(w.Who, w.Email), nil
}

// change changes one operator and says what they are now.
func (w whom) change(ctx context.Context, cfg *Config, std streams, m managing, is string,
	do func(ctx context.Context, s *system, secrets *secrets, email string) error,
) error {
	email, err := w.email()
	if err != nil {
		return err
	}
	return m.operators(ctx, cfg, std, func(ctx context.Context, s *system, secrets *secrets) error {
		if err := do(ctx, s, secrets, email); err != nil {
			return err
		}
		_, err := fmt.Fprintf(std.out, "operator %s: %s\n", email, is)
		return err
	})
}

type operatorDisableCommand struct {
	managing
	whom
}

// Run disables an operator.
func (c operatorDisableCommand) Run(ctx context.Context, cfg *Config, std streams) error {
	return c.change(ctx, cfg, std, c.managing, "disabled, and logged out everywhere", func(ctx context.Context, s *system, _ *secrets, email string) error {
		return s.operators.Disable(ctx, email)
	})
}

type operatorEnableCommand struct {
	managing
	whom
}

// Run enables an operator.
func (c operatorEnableCommand) Run(ctx context.Context, cfg *Config, std streams) error {
	return c.change(ctx, cfg, std, c.managing, "enabled", func(ctx context.Context, s *system, _ *secrets, email string) error {
		return s.operators.Enable(ctx, email)
	})
}

type operatorPasswdCommand struct {
	managing
	whom
}

// Run changes an operator's password.
func (c operatorPasswdCommand) Run(ctx context.Context, cfg *Config, std streams) error {
	return c.change(ctx, cfg, std, c.managing, "has the new password, and is logged out everywhere",
		func(ctx context.Context, s *system, secrets *secrets, email string) error {
			password, err := secrets.ask("New password")
			if err != nil {
				return err
			}
			return s.operators.SetPassword(ctx, email, password)
		})
}

type operatorRoleCommand struct {
	managing
	Email string      `arg:"" optional:"" name:"who" help:"The operator's e-mail."`
	To    access.Role `arg:"" optional:"" name:"to" help:"viewer, operator, finance or admin."`
	// The same as options, as create has them.
	EmailOption string      `name:"email" placeholder:"EMAIL" help:"The operator's e-mail, as an option."`
	RoleOption  access.Role `name:"role" placeholder:"ROLE" help:"The role, as an option."`
}

// Run changes an operator's role.
func (c operatorRoleCommand) Run(ctx context.Context, cfg *Config, std streams) error {
	if c.EmailOption != "" && c.To == "" { // evens operator role --email E ROLE
		c.Email, c.To = "", access.Role(c.Email)
	}
	to := cmp.Or(c.RoleOption, c.To)
	if to == "" || c.RoleOption != "" && c.To != "" {
		return errors.New("say one role, by --role")
	}
	who := whom{Who: c.Email, Email: c.EmailOption}
	return who.change(ctx, cfg, std, c.managing, "is "+string(to)+" now", func(ctx context.Context, s *system, _ *secrets, email string) error {
		return s.operators.SetRole(ctx, email, to)
	})
}

type operatorTotpCommand struct {
	managing
	whom
	Off bool `help:"Take the second step away."`
}

// Run makes a second step and prints its address alone on stdout, or takes it away.
func (c operatorTotpCommand) Run(ctx context.Context, cfg *Config, std streams) error {
	if c.Off {
		return c.change(ctx, cfg, std, c.managing, "logs in without a code", func(ctx context.Context, s *system, _ *secrets, email string) error {
			return s.operators.RemoveTOTP(ctx, email)
		})
	}
	email, err := c.email()
	if err != nil {
		return err
	}
	return c.operators(ctx, cfg, std, func(ctx context.Context, s *system, _ *secrets) error {
		address, err := s.operators.AddTOTP(ctx, email)
		if err != nil {
			return err
		}
		fmt.Fprintln(std.err, "Give this to the operator's authenticator; it is shown this once:")
		if _, err := fmt.Fprintln(std.secret, address); err != nil {
			return fmt.Errorf("the second step of %s was made and cannot be shown, make it again: %w", email, err)
		}
		return nil
	})
}
