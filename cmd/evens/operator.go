package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"golang.org/x/term"

	"evens/player"
)

type operatorCommand struct {
	Create operatorCreateCommand `cmd:"" help:"Make a console login; the password comes from a prompt or stdin."`
}

type operatorCreateCommand struct {
	Email string      `help:"Login name." required:""`
	Role  player.Role `help:"viewer, operator, finance or admin." required:""`
}

// Run makes an operator.
func (c operatorCreateCommand) Run(ctx context.Context, cfg *Config, std streams) error {
	password, err := readPassword(std)
	if err != nil {
		return err
	}
	s, err := open(ctx, cfg, role{name: "evens-operator", migrate: cfg.DatabaseURL == ""}, std.err)
	if err != nil {
		return err
	}
	defer s.close()
	created, err := s.operators.Create(ctx, c.Email, c.Role, password)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(std.out, "operator %s may log in as %s\n", created.Email, created.Role)
	return err
}

// readPassword asks on a terminal, without echo, and reads one line elsewhere.
func readPassword(std streams) (string, error) {
	if file, ok := std.in.(*os.File); ok && term.IsTerminal(int(file.Fd())) {
		fmt.Fprint(std.err, "Password: ")
		password, err := term.ReadPassword(int(file.Fd()))
		fmt.Fprintln(std.err)
		if err != nil {
			return "", fmt.Errorf("read the password: %w", err)
		}
		return string(password), nil
	}
	lines := bufio.NewScanner(std.in)
	if !lines.Scan() {
		return "", errors.Join(errors.New("no password on stdin"), lines.Err())
	}
	return strings.TrimRight(lines.Text(), "\r"), nil
}

// authenticate answers the operators' listener.
func (s *system) authenticate(ctx context.Context, email, password string) (bool, error) {
	_, err := s.operators.Authenticate(ctx, email, password)
	if errors.Is(err, player.ErrLogin) {
		return false, nil
	}
	return err == nil, err
}
