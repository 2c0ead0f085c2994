// Command withservers runs a command with the servers for tests:
//
//	go run ./internal/servers/withservers -- go test ./...
//
// It starts them (or finds them running), sets EVENS_TEST_DATABASE_URL and
// EVENS_TEST_REDIS_URL, passes signals on, stops the servers when the command has ended, and
// exits with the command's exit code.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"syscall"

	"evens/internal/testbed"
)

func main() {
	os.Exit(run(context.Background(), os.Args[1:], os.Environ(), os.Stdin, os.Stdout, os.Stderr))
}

// usageError and failure are exit codes of our own, apart from the command's where possible.
const (
	failure    = 1
	usageError = 2
)

func run(ctx context.Context, args, environ []string, stdin io.Reader, stdout, stderr io.Writer) int {
	if len(args) > 0 && args[0] == "--" {
		args = args[1:]
	}
	if len(args) == 0 {
		fmt.Fprintln(stderr, "usage: withservers [--] COMMAND [ARGUMENT…]")
		return usageError
	}
	// Taken before anything is started: from here on nothing ends us before the servers.
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	// Nobody reads what we say any more: that is no reason to leave the servers behind.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	defer signal.Stop(signals)

	log := slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	bed, err := testbed.Acquire(ctx, log)
	if err != nil {
		fmt.Fprintln(stderr, "withservers:", err)
		return failure
	}
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, stdout, stderr
	cmd.Env = append(environ, "EVENS_TEST_DATABASE_URL="+bed.DatabaseURL, "EVENS_TEST_REDIS_URL="+bed.RedisURL)
	code, err := command(cmd, signals)
	if err := errors.Join(err, bed.Release(ctx)); err != nil {
		fmt.Fprintln(stderr, "withservers:", err)
		return max(code, failure)
	}
	return code
}

// command runs cmd to its end, whatever signals come: they are passed on, and what they mean
// is the command's business.
func command(cmd *exec.Cmd, signals <-chan os.Signal) (int, error) {
	if err := cmd.Start(); err != nil {
		return failure, fmt.Errorf("start: %w", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for {
		select {
		case sig := <-signals:
			// It may just have ended.
			_ = cmd.Process.Signal(sig)
		case err := <-ended:
			return exitCode(err)
		}
	}
}

// exitCode is what a shell makes of how a command ended.
func exitCode(err error) (int, error) {
	exit, ok := errors.AsType[*exec.ExitError](err)
	if !ok {
		return 0, err
	}
	if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return 128 + int(status.Signal()), nil
	}
	return exit.ExitCode(), nil
}
