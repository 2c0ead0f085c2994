package bench

import (
	"context"
	_ "embed" // the script that is the casino's baseline
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
)

// PgBench runs PostgreSQL's own benchmark on the server under test.
type PgBench struct {
	// Program is the path of pgbench; found by FindPgBench.
	Program string
	// ServerURL names the server; a database of its own is made there and dropped again.
	ServerURL string
	Clients   int           // 16 by default
	Scale     int           // 50 by default: 5,000,000 accounts
	For       time.Duration // 15 s by default
	Progress  io.Writer
}

// FindPgBench looks beside the given PostgreSQL programs, then in PATH and Debian's folders.
func FindPgBench(binDir string) (string, error) {
	if binDir != "" {
		if path, err := exec.LookPath(filepath.Join(binDir, "pgbench")); err == nil {
			return path, nil
		}
	}
	if path, err := exec.LookPath("pgbench"); err == nil {
		return path, nil
	}
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/pgbench")
	if len(found) > 0 {
		return found[len(found)-1], nil
	}
	return "", errors.New("pgbench is not installed: it comes with the PostgreSQL server's package (`make setup`)")
}

var tpsLine = regexp.MustCompile(`(?m)^tps = ([0-9.]+) \(without initial connection time\)`)

// TPCB measures TPC-B-like transactions per second.
func (p PgBench) TPCB(ctx context.Context) (Baseline, error) {
	if p.Clients == 0 {
		p.Clients = 16
	}
	if p.Scale == 0 {
		p.Scale = 50
	}
	if p.For == 0 {
		p.For = 15 * time.Second
	}
	name := fmt.Sprintf("evens_pgbench_%d", time.Now().UnixNano())
	target, drop, err := CreateDatabase(ctx, p.ServerURL, name)
	if err != nil {
		return Baseline{}, err
	}
	defer drop()
	fmt.Fprintf(p.Progress, "pgbench: filling scale %d\n", p.Scale)
	if _, err := p.run(ctx, "-i", "-q", "-s", strconv.Itoa(p.Scale), target); err != nil {
		return Baseline{}, err
	}
	fmt.Fprintf(p.Progress, "pgbench: TPC-B-like, %d clients, %s\n", p.Clients, p.For)
	tps, err := p.tps(ctx, target)
	if err != nil {
		return Baseline{}, err
	}
	return Baseline{Name: fmt.Sprintf("pgbench TPC-B-like, %d clients, scale %d", p.Clients, p.Scale), PerSecond: tps}, nil
}

//go:embed wallet-schema.sql
var walletSchema []byte

//go:embed wallet-debit.sql
var walletDebit []byte

// WalletDebit measures the plainest wallet a team would write by hand: 1,000 players, one debit a
// transaction.
func (p PgBench) WalletDebit(ctx context.Context) (Baseline, error) {
	if p.For == 0 {
		p.For = 15 * time.Second
	}
	target, drop, err := CreateDatabase(ctx, p.ServerURL, fmt.Sprintf("evens_pgbench_%d", time.Now().UnixNano()))
	if err != nil {
		return Baseline{}, err
	}
	defer drop()
	if err := execOnce(ctx, target, string(walletSchema)); err != nil {
		return Baseline{}, fmt.Errorf("wallet schema: %w", err)
	}
	script, err := os.CreateTemp("", "wallet-debit-*.sql")
	if err != nil {
		return Baseline{}, err
	}
	defer func() { _ = os.Remove(script.Name()) }() // a leftover in the temporary folder
	if _, err := script.Write(walletDebit); err != nil {
		return Baseline{}, errors.Join(err, script.Close())
	}
	if err := script.Close(); err != nil {
		return Baseline{}, err
	}
	fmt.Fprintf(p.Progress, "pgbench: wallet-debit, %d clients, %s\n", p.Clients, p.For)
	tps, err := p.tps(ctx, "-n", "-f", script.Name(), target)
	return Baseline{Name: fmt.Sprintf("pgbench wallet-debit, %d clients", p.Clients), PerSecond: tps}, err
}

// tps runs a script for the time set and reads what pgbench tells of it.
func (p PgBench) tps(ctx context.Context, args ...string) (float64, error) {
	out, err := p.run(ctx, append([]string{"-c", strconv.Itoa(p.Clients), "-j", "2", "-T", strconv.Itoa(int(p.For.Seconds()))}, args...)...)
	if err != nil {
		return 0, err
	}
	match := tpsLine.FindSubmatch(out)
	if match == nil {
		return 0, fmt.Errorf("pgbench told no tps: %s", out)
	}
	tps, err := strconv.ParseFloat(string(match[1]), 64)
	if err != nil {
		return 0, fmt.Errorf("pgbench's tps: %w", err)
	}
	return tps, nil
}

func (p PgBench) run(ctx context.Context, args ...string) ([]byte, error) {
	out, err := exec.CommandContext(ctx, p.Program, args...).CombinedOutput() //nolint:gosec // our own arguments
	if err != nil {
		return nil, fmt.Errorf("pgbench: %w: %s", err, out)
	}
	return out, nil
}

// CreateDatabase makes an empty database on the server and returns its URL, and how to drop it.
func CreateDatabase(ctx context.Context, serverURL, name string) (target string, drop func(), err error) {
	parsed, err := url.Parse(serverURL)
	if err != nil {
		return "", nil, errors.New("the database URL cannot be read")
	}
	if err := execOnce(ctx, serverURL, "CREATE DATABASE "+pgx.Identifier{name}.Sanitize()); err != nil {
		return "", nil, fmt.Errorf("create database %s: %w", name, err)
	}
	parsed.Path = "/" + name
	drop = func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
		defer cancel()
		// A database left behind by a server that went away is only in the way of its name.
		_ = execOnce(ctx, serverURL, "DROP DATABASE IF EXISTS "+pgx.Identifier{name}.Sanitize()+" WITH (FORCE)")
	}
	return parsed.String(), drop, nil
}

func execOnce(ctx context.Context, url, statement string) error {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	_, err = conn.Exec(ctx, statement)
	return err
}
