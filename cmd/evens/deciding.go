package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/user"
	"strings"

	"golang.org/x/term"

	"evens/access"
	"evens/activity"
	"evens/money"
	"evens/wallet"
)

// deciding is embedded by commands that decide: who does, and how they prove it.
type deciding struct {
	Operator string `required:"" placeholder:"EMAIL" help:"Who decides. The password is asked for, or read from standard input or the file of EVENS_OPERATOR_PASSWORD_FILE."`
	secondStep
}

// managing is embedded by commands that change operators and keys: without an operator the activity
// log names the account of the machine.
type managing struct {
	Operator string `placeholder:"EMAIL" help:"The admin who does it, authenticated; the account of this machine when empty."`
	secondStep
}

type secondStep struct {
	Code string `placeholder:"CODE" help:"From the operator's authenticator, where they have one; asked for on a terminal."`
}

// decider authenticates the operator of a command and checks that their role may do the operation. The
// context it returns names them in the activity log.
func (s *system) decider(ctx context.Context, secrets *secrets, email, code string, operation access.Operation,
) (context.Context, access.Operator, error) {
	attempt := access.Attempt{Email: email, Code: code, Source: machineAccount()}
	var err error
	if attempt.Password, err = secrets.operator(s.cfg.OperatorPasswordFile, "Password of "+email); err != nil {
		return ctx, access.Operator{}, err
	}
	if attempt.Code == "" {
		needed, err := s.operators.NeedsCode(ctx, email)
		if err != nil {
			return ctx, access.Operator{}, err
		}
		if needed {
			if attempt.Code, err = secrets.operator(s.cfg.OperatorPasswordFile, "Code"); err != nil {
				return ctx, access.Operator{}, err
			}
		}
	}
	operator, err := s.operators.Login(ctx, attempt)
	if err != nil {
		return ctx, access.Operator{}, fmt.Errorf("operator %s: %w", email, err)
	}
	if err := operator.Check(operation); err != nil {
		return ctx, access.Operator{}, err
	}
	return access.WithActor(ctx, operator.Email), operator, nil
}

// manager is the decider where an operator is named, and the account of the machine where none is.
func (s *system) manager(ctx context.Context, secrets *secrets, m managing, operation access.Operation) (context.Context, error) {
	if m.Operator == "" {
		return access.WithActor(ctx, machineAccount()), nil
	}
	ctx, _, err := s.decider(ctx, secrets, m.Operator, m.Code, operation)
	return ctx, err
}

// machineAccount names the account of this machine that runs the command.
func machineAccount() string {
	host, _ := os.Hostname()
	if account, err := user.Current(); err == nil {
		return fmt.Sprintf("command line: %s@%s", account.Username, host)
	}
	return fmt.Sprintf("command line: uid %d@%s", os.Getuid(), host)
}

// agreed is nil where one person's word is enough for what would move: up to the approval amount of its currency.
// Above it the operator's role must allow that, and another person must have decided the same before;
// access.ErrSecondPerson where nobody has.
func (s *system) agreed(ctx context.Context, tx activity.Execer, who access.Operator, l access.Large, moved money.Amount, currency money.Currency) error {
	size, err := moved.Abs()
	if err != nil || !s.settings.approval.Exceeded(size, currency) {
		return err
	}
	if err := who.Check(access.MoveLarge); err != nil {
		return err
	}
	l.Operator = who.Email
	return s.approvals.Take(ctx, tx, l)
}

// agreement is agreed for deeds that are written in one pipeline: the rows that use up the other person's decision
// there, nil where one person's word is enough.
func (s *system) agreement(who access.Operator, l access.Large, moved money.Amount, currency money.Currency) (wallet.RowSet, error) {
	size, err := moved.Abs()
	if err != nil || !s.settings.approval.Exceeded(size, currency) {
		return nil, err
	}
	if err := who.Check(access.MoveLarge); err != nil {
		return nil, err
	}
	l.Operator = who.Email
	return s.approvals.Taking(l), nil
}

// secondPerson has a decision that failed for want of a second person wait for one, and says so; any
// other error stays.
func (s *system) secondPerson(ctx context.Context, w io.Writer, who access.Operator, l access.Large, err error) error {
	if !access.SecondPersonMissing(err) {
		return err
	}
	l.Operator = who.Email
	if err := s.approvals.Propose(ctx, l); err != nil {
		return err
	}
	fmt.Fprintf(w, "%s: nothing moved; %s is more than one person may move: another operator must give the same command within a day\n",
		l.Subject, l.Terms)
	return errFound
}

// secrets reads passwords and codes: a line each from standard input, or asked for on a terminal.
type secrets struct {
	std   streams
	lines *bufio.Scanner
	// file has the lines of the operator's file, once it is read.
	file []string
	read bool
}

func newSecrets(std streams) *secrets { return &secrets{std: std, lines: bufio.NewScanner(std.in)} }

// operator reads the next of the secrets that prove who the operator is.
func (s *secrets) operator(path, what string) (string, error) {
	if path == "" {
		return s.ask(what)
	}
	if !s.read {
		content, err := os.ReadFile(path) //nolint:gosec // the operator names the file
		if err != nil {
			return "", fmt.Errorf("EVENS_OPERATOR_PASSWORD_FILE: %w", err)
		}
		s.file, s.read = strings.Split(strings.TrimRight(string(content), "\r\n"), "\n"), true
	}
	if len(s.file) == 0 || s.file[0] == "" {
		return "", fmt.Errorf("EVENS_OPERATOR_PASSWORD_FILE: %s is not in it", strings.ToLower(what))
	}
	next := strings.TrimRight(s.file[0], "\r")
	s.file = s.file[1:]
	return next, nil
}

// ask asks on a terminal, without echo, and reads one line elsewhere.
func (s *secrets) ask(what string) (string, error) {
	if file, ok := s.std.in.(*os.File); ok && term.IsTerminal(int(file.Fd())) {
		fmt.Fprint(s.std.err, what+": ")
		secret, err := term.ReadPassword(int(file.Fd()))
		fmt.Fprintln(s.std.err)
		if err != nil {
			return "", fmt.Errorf("read %s: %w", strings.ToLower(what), err)
		}
		return string(secret), nil
	}
	if !s.lines.Scan() {
		return "", errors.Join(fmt.Errorf("%s: nothing on standard input", strings.ToLower(what)), s.lines.Err())
	}
	return strings.TrimRight(s.lines.Text(), "\r"), nil
}
