package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"evens/sim/betsim"
	"evens/sim/casinosim"
)

type simCommand struct {
	SimListen   string        `help:"Where the simulated BeT listens; the game platforms take the four ports above." default:"127.0.0.1:8090"`
	SimLogin    string        `help:"The partner user it knows." default:"demo"`
	SimPassword string        `help:"That user's password." default:"demo"`
	Seed        uint64        `help:"Makes a run repeatable; 0 draws one."`
	Faults      int           `help:"Per mille of placements, and of game rounds, for each kind of fault." default:"15"`
	ResultEvery time.Duration `help:"How often results of open coupons are pushed; 0 pushes none." default:"10s"`
	Operator    string        `help:"Whom the game platforms call." default:"http://127.0.0.1:8080"`
	RoundEvery  time.Duration `help:"A player's pause between two rounds of a game." default:"1s"`
	ListLate    time.Duration `help:"How long after it was played a bet shows in the platforms' lists." default:"20s"`
	Rounds      int           `help:"How many rounds a player plays who opens a game." default:"60"`
}

// Run serves the simulated providers: BeT pushes results to the remote_host of each coupon, the
// game platforms play for whoever opens a launched game.
func (c simCommand) Run(ctx context.Context, cfg *Config, std streams) error {
	if c.Seed == 0 {
		c.Seed = uint64(time.Now().UnixNano())
	}
	bookmaker := betsim.New(betsim.Config{
		Seed: c.Seed, Login: c.SimLogin, Password: c.SimPassword,
		Reject: c.Faults, CoefChange: c.Faults, LoseAnswer: c.Faults, LoseRequest: c.Faults, ServerError: c.Faults, Nonsense: c.Faults,
		Misspell: c.Faults, Contradict: c.Faults, Noise: c.Faults, Reorder: c.Faults, EndWords: betsim.AllWords, ClearCookies: true,
	})
	var cli commandLine
	cli.offer(cfg.shipped())
	platforms, err := newSimulated(&cli.Config)
	if err != nil {
		return err
	}
	listeners, err := c.listen(ctx, 1+len(platforms.all()))
	if err != nil {
		return err
	}
	cli.BetURL, cli.BetLogin, cli.BetPassword = "http://"+listeners[0].Addr().String(), c.SimLogin, c.SimPassword
	handlers := []http.Handler{bookmaker}
	for i, platform := range platforms {
		handlers = append(handlers, platform)
		*platform.settings.Address() = "http://" + listeners[i+1].Addr().String()
	}
	connect, err := exports(&cli)
	if err != nil {
		return err
	}
	fmt.Fprintf(std.out, "# simulated providers, seed %d; for the shell that starts evens:\n%s", c.Seed, connect)
	group, ctx := errgroup.WithContext(ctx)
	for i, handler := range handlers {
		server := &http.Server{Handler: handler, ReadHeaderTimeout: headerTimeout}
		group.Go(func() error {
			if err := server.Serve(listeners[i]); !errors.Is(err, http.ErrServerClosed) {
				return err
			}
			return nil
		})
		group.Go(func() error {
			<-ctx.Done()
			return server.Close()
		})
	}
	group.Go(func() error { return c.results(ctx, bookmaker, std) })
	var playing sync.WaitGroup
	for _, platform := range platforms.all() {
		casinosim.Show(platform, casinosim.Listing{Late: c.ListLate, Lag: 3})
		platform.Arrivals(func(p casinosim.Player) { playing.Go(func() { c.play(ctx, platform, p, std) }) })
	}
	err = group.Wait()
	playing.Wait()
	return err
}

// listen takes n ports, one above the other; where the first is 0, any.
func (c simCommand) listen(ctx context.Context, n int) (listeners []net.Listener, err error) {
	host, port, err := net.SplitHostPort(c.SimListen)
	if err != nil {
		return nil, fmt.Errorf("--sim-listen: %w", err)
	}
	first, err := net.DefaultResolver.LookupPort(ctx, "tcp", port)
	if err != nil {
		return nil, fmt.Errorf("--sim-listen: %w", err)
	}
	for i := range n {
		next := first
		if first != 0 {
			next += i
		}
		listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", net.JoinHostPort(host, fmt.Sprint(next)))
		if err != nil {
			for _, taken := range listeners {
				err = errors.Join(err, taken.Close())
			}
			return nil, err
		}
		listeners = append(listeners, listener)
	}
	return listeners, nil
}

// exports writes the settings that connect an Evens to the simulated providers: those that have been set.
func exports(cli *commandLine) (string, error) {
	parser, err := newParser(cli)
	if err != nil {
		return "", err
	}
	var text strings.Builder
	for _, flag := range parser.Model.Flags {
		if value, _ := flag.Target.Interface().(string); value != "" && value != flag.Default && len(flag.Envs) > 0 {
			fmt.Fprintf(&text, "export %s='%s'\n", flag.Envs[0], strings.TrimSpace(value))
		}
	}
	return text.String(), nil
}

// play plays for a player who has opened a game.
func (c simCommand) play(ctx context.Context, platform casinosim.Platform, p casinosim.Player, std streams) {
	plan := casinosim.Plan{
		Operator: c.Operator, Players: []casinosim.Player{p}, Rounds: c.Rounds, Every: c.RoundEvery, Seed: uint64(time.Now().UnixNano()),
		LoseAnswer: c.Faults, Duplicate: c.Faults, RollbackBefore: c.Faults, Rollback: c.Faults, RollbackTwice: 300, LateWin: c.Faults,
		FreeSpins: c.Faults, Doubt: c.Faults,
	}
	fmt.Fprintf(std.out, "# %s: a player opens a game\n", platform.Name())
	report, err := casinosim.Play(ctx, platform, plan)
	if err != nil && ctx.Err() == nil {
		fmt.Fprintf(std.err, "%s: %v\n", platform.Name(), err)
		return
	}
	fmt.Fprintf(std.out, "# %s: %d rounds played in %d calls\n", platform.Name(), report.Rounds, report.Calls)
}

// results pushes what has been decided since the last time.
func (c simCommand) results(ctx context.Context, bookmaker *betsim.Server, std streams) error {
	if c.ResultEvery <= 0 {
		<-ctx.Done()
		return nil
	}
	tick := time.NewTicker(c.ResultEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
		heads := bookmaker.Results(betsim.ResultOptions{Duplicates: c.Faults, Reversals: c.Faults, Disorder: true})
		if len(heads) == 0 {
			continue
		}
		if err := (betsim.Pusher{Duplicates: c.Faults, Odd: c.Faults}).Push(ctx, heads); err != nil {
			fmt.Fprintln(std.err, "push:", err)
			continue
		}
		fmt.Fprintf(std.out, "# %d results pushed\n", len(heads))
	}
}
