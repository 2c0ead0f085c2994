package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"syscall"
	"time"

	"github.com/google/uuid"

	"evens/access"
	"evens/audit"
	"evens/demo"
	"evens/reconcile"
	"evens/sim/betsim"
)

type demoCommand struct {
	Exit bool `help:"End when all is played; exit code 0 only if the audit is clean."`
}

// demoFolder is the demo's own within the data folder: its players, keys and logins are nobody's in an
// installation that is used.
const demoFolder = "demo"

// The demo's clock runs faster than a real one's.
const (
	demoGrace = 12 * time.Second
	demoSweep = 3 * time.Second
	demoLogin = "demo"
	// demoMatch is how long a match takes that a visitor bets on.
	demoMatch = 8 * time.Second
)

// Run starts the whole system against a simulated BeT, plays, audits, and stays up.
func (c demoCommand) Run(ctx context.Context, cfg *Config, std streams) error {
	seed := uint64(time.Now().UnixNano())
	bookmaker := betsim.New(betsim.Config{
		Seed: seed, Login: demoLogin, Password: demoLogin, SessionPlacements: 60, AnswerDelay: 2 * time.Millisecond,
		Reject: 60, CoefChange: 60, LoseAnswer: 20, LoseRequest: 15, ServerError: 15, Nonsense: 15, Misspell: 30,
	})
	betURL, stopBeT := serveSim(bookmaker)
	defer stopBeT()
	public, err := listenNear(ctx, cfg.Listen)
	if err != nil {
		return err
	}
	ops, err := listenNear(ctx, cfg.OpsListen)
	if err != nil {
		return errors.Join(err, public.Close())
	}
	own := cfg.own()
	own.DataDir = filepath.Join(cfg.DataDir, demoFolder)
	own.Listen, own.OpsListen = public.Addr().String(), ops.Addr().String()
	own.TLSCertFile, own.TLSKeyFile, own.OpsTLSCertFile, own.OpsTLSKeyFile = "", "", "", "" // it prints http addresses
	own.unbounded()
	own.BetURL, own.BetLogin, own.BetPassword = betURL, demoLogin, demoLogin
	platforms, err := newSimulated(&own)
	if err == nil {
		err = own.checkUnsigned()
	}
	if err != nil {
		return errors.Join(err, public.Close(), ops.Close())
	}
	defer platforms.serve()()
	own.BetConfirmGrace, own.SweepInterval = demoGrace, demoSweep
	if cfg.LogLevel == "info" {
		own.LogLevel = "error" // the demo tells the story itself
	}
	fmt.Fprintln(std.out, "Evens demo: the whole system on servers of its own, with a simulated BeT and four simulated game platforms")
	s, err := open(ctx, &own, role{name: "evens-demo", migrate: true, works: true, settling: demoSettling}, std.err)
	if err != nil {
		return errors.Join(err, public.Close(), ops.Close())
	}
	defer s.close()
	return c.play(ctx, s, simulators{bookmaker, platforms}, seed, public, ops, std)
}

// demoSettling is how long the demo lets what a list lacks wait: nobody watches for half an hour.
const demoSettling = 2 * time.Second

// decideBreak ends a break as an operator does who has looked into it.
func (s *system) decideBreak(ctx context.Context, id uuid.UUID, comment string) error {
	return s.reconciler.End(ctx, id, reconcile.StateIgnored, "demo", comment)
}

// simulators are the providers of a demo.
type simulators struct {
	bookmaker *betsim.Server
	platforms simulated
}

// listenNear takes the address, or a free port beside it when it is taken: two demos side by
// side both work.
func listenNear(ctx context.Context, address string) (net.Listener, error) {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", address)
	if errors.Is(err, syscall.EADDRINUSE) {
		host, _, splitErr := net.SplitHostPort(address)
		if splitErr != nil {
			return nil, splitErr
		}
		listener, err = config.Listen(ctx, "tcp", net.JoinHostPort(host, "0"))
	}
	return listener, err
}

// play runs the services until the story is told and, unless it exits then, until ctx ends.
func (c demoCommand) play(ctx context.Context, s *system, sim simulators, seed uint64, public, ops net.Listener, std streams) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	mux := http.NewServeMux()
	mux.Handle("/", s.publicHandler())
	mux.Handle("GET "+demo.BetslipPath, demo.Betslip())
	mux.Handle("GET "+demo.BetslipPath+"/", demo.Betslip())
	return runServices(ctx,
		func(ctx context.Context) error { return s.serveOn(ctx, listener{name: "api"}, public, mux) },
		func(ctx context.Context) error { return s.serveOn(ctx, listener{name: "ops"}, ops, s.opsHandler()) },
		s.work, s.tick,
		func(ctx context.Context) error {
			play, err := c.story(ctx, s, sim, seed, std)
			if err != nil {
				return err
			}
			if c.Exit {
				stop()
				return nil
			}
			return play.Evening(ctx, demoMatch)
		})
}

// story plays the day, audits it, and tells where to look on.
func (c demoCommand) story(ctx context.Context, s *system, sim simulators, seed uint64, std streams) (*demo.Play, error) {
	run := fmt.Sprintf("demo-%x", seed)
	_, key, err := s.keys.Create(ctx, run, access.Scopes())
	if err != nil {
		return nil, err
	}
	s.onClose(func() { s.endDemo(run) })
	play := demo.New(demo.Config{
		BaseURL: s.settings.publicURL, APIKey: key, BeT: sim.bookmaker, Games: sim.platforms.all(), Books: s.books, Lists: s.reconciler.Providers(), Decide: s.decideBreak,
		Settling: demoSettling, Seed: seed, Grace: demoGrace, Out: std.out,
		Paths: s.secretPaths(),
	})
	if err := play.Run(ctx); err != nil {
		return nil, err
	}
	fmt.Fprintln(std.out, "\n== The audit re-derives every balance, payout and state from the transfers")
	report, err := audit.Run(ctx, s.db)
	if err != nil {
		return nil, err
	}
	if err := report.Print(std.out); err != nil {
		return nil, err
	}
	if !report.Clean {
		return nil, errFound
	}
	return play, c.addresses(ctx, s, play, run, std)
}

// secretPaths are what stands behind a platform's address, where that holds a secret.
func (s *system) secretPaths() map[string]string {
	paths := make(map[string]string)
	for _, p := range s.cfg.platforms {
		if door := p.settings.Door(); door != nil && door.Secret != "" {
			paths[p.Name] = "/" + door.Secret
		}
	}
	return paths
}

func (c demoCommand) addresses(ctx context.Context, s *system, play *demo.Play, run string, std streams) error {
	betslip, err := play.Betslip(ctx)
	if err != nil {
		return err
	}
	password := rand.Text()
	operator, err := s.operators.Create(ctx, demoOperator(run), access.Admin, password)
	if err != nil {
		return err
	}
	fmt.Fprintf(std.out, "\nBetslip     %s\nAPI         %s/v1/docs\nConsole     http://%s/console/\nQueues      http://%s/console/queues/\nMetrics     http://%s/metrics\nLogin       %s  password %s\n",
		betslip, s.settings.publicURL, s.cfg.OpsListen, s.cfg.OpsListen, s.cfg.OpsListen, operator.Email, password)
	if s.cfg.DatabaseURL == "" {
		fmt.Fprintf(std.out, "Commands    EVENS_DATA_DIR=%s evens audit, and so on\n", s.cfg.DataDir)
	}
	if !c.Exit {
		fmt.Fprintln(std.out, "\nCtrl-C ends the demo.")
	}
	return nil
}

func demoOperator(run string) string { return run + "@example.com" }

// endDemo revokes the demo's key and disables its operator: on servers that were given they would
// stay valid.
func (s *system) endDemo(run string) {
	ctx, cancel := context.WithTimeout(access.WithActor(context.Background(), "demo"), drainTimeout)
	defer cancel()
	err := s.keys.Revoke(ctx, run)
	if disableErr := s.operators.Disable(ctx, demoOperator(run)); !errors.Is(disableErr, access.ErrNoOperator) { // it ended before there was one
		err = errors.Join(err, disableErr)
	}
	if err != nil {
		s.log.Error("end the demo's key and login", "error", err)
	}
}
