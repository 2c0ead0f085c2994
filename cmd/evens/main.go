// Command evens settles a sportsbook's coupons and keeps its books even.
//
// One file a subcommand; flags, configuration and wiring live here, logic does not.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"

	"github.com/alecthomas/kong"
)

// gcPercent lets the heap grow to five times what is live before it is collected: the live part
// is small, and collecting it less often is worth a tenth of the CPU under load. GOGC overrules.
const gcPercent = 400

func main() {
	keepWithoutReader()
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	ctx, _ := newStopper(context.Background(), os.Exit)
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// errFound ends a command with exit code 1 without an error text: it has printed what it found.
var errFound = errors.New("violations found")

// streams are what a command reads and writes. A secret is shown on standard output or nowhere.
type streams struct {
	in               io.Reader
	out, err, secret io.Writer
}

// run is the whole program: it parses args and the environment, runs the command, and answers the exit code.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	return runWith(ctx, shipped, args, stdin, stdout, stderr)
}

// runWith is run with these game platforms.
func runWith(ctx context.Context, list []platform, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	if len(args) == 0 {
		args = []string{"--help"}
	}
	var cli commandLine
	cli.offer(list)
	exited, exitCode := false, 0
	parser, err := newParser(&cli,
		onlyOf(useOf(list, args)),
		kong.Writers(stdout, stderr),
		kong.Exit(func(code int) { exited, exitCode = true, code }),
	)
	if err != nil {
		fmt.Fprintln(stderr, "evens:", err)
		return 1
	}
	parsed, err := parser.Parse(args)
	if exited {
		return exitCode
	}
	if err != nil {
		fmt.Fprintln(stderr, "evens:", err)
		return 2
	}
	parsed.BindTo(ctx, (*context.Context)(nil))
	out := &output{w: stdout}
	if changesSomething(parsed) {
		out.fallback = stderr
	}
	parsed.Bind(streams{in: stdin, out: out, err: stderr, secret: stdout}, &cli.Config)
	switch err := out.outcome(parsed.Run()); {
	case err == nil:
		return 0
	case errors.Is(err, errFound):
		return 1
	case out.unread():
		return brokenPipe
	default:
		fmt.Fprintln(stderr, "evens:", err)
		return 1
	}
}

// newParser makes the parser of the command line, with the platforms that are shipped where none are offered.
func newParser(cli *commandLine, options ...kong.Option) (*kong.Kong, error) {
	if cli.platforms == nil {
		cli.offer(shipped)
	}
	environment := []kong.Option{
		kong.PostBuild(settingsOnly), // before the next, which leaves those alone
		kong.DefaultEnvars(variablePrefix),
		kong.Resolvers(secretFiles(os.LookupEnv)),
	}
	return kong.New(cli, append(environment, commandLineOptions(cli.platforms, options...)...)...)
}

// commandLineOptions are those of a parser that does not look at the environment.
func commandLineOptions(list []offered, more ...kong.Option) []kong.Option {
	return append([]kong.Option{
		kong.Name("evens"),
		kong.Description("Settles a sportsbook's coupons and keeps its books even."),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		providerNames(list),
		kong.UsageOnError(),
		kong.WithHyphenPrefixedParameters(true), // amounts below zero
	}, more...)
}
