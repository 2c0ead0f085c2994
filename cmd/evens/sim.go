package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"

	"evens/sim/betsim"
)

type simCommand struct {
	SimListen   string        `help:"Where the simulated BeT listens." default:"127.0.0.1:8090"`
	SimLogin    string        `help:"The partner user it knows." default:"demo"`
	SimPassword string        `help:"That user's password." default:"demo"`
	Seed        uint64        `help:"Makes a run repeatable; 0 draws one."`
	Faults      int           `help:"Per mille of placements for each kind of fault." default:"15"`
	ResultEvery time.Duration `help:"How often results of open coupons are pushed; 0 pushes none." default:"10s"`
}

// Run serves the simulated BeT, which pushes results to the remote_host of each coupon.
func (c simCommand) Run(ctx context.Context, std streams) error {
	if c.Seed == 0 {
		c.Seed = uint64(time.Now().UnixNano())
	}
	bookmaker := betsim.New(betsim.Config{
		Seed: c.Seed, Login: c.SimLogin, Password: c.SimPassword,
		Reject: c.Faults, CoefChange: c.Faults, LoseAnswer: c.Faults, LoseRequest: c.Faults, ServerError: c.Faults, Nonsense: c.Faults,
	})
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", c.SimListen)
	if err != nil {
		return err
	}
	fmt.Fprintf(std.out, "simulated BeT: EVENS_BET_URL=http://%s EVENS_BET_LOGIN=%s EVENS_BET_PASSWORD=%s (seed %d)\n",
		listener.Addr(), c.SimLogin, c.SimPassword, c.Seed)
	server := &http.Server{Handler: bookmaker, ReadHeaderTimeout: headerTimeout}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		if err := server.Serve(listener); err != http.ErrServerClosed {
			return err
		}
		return nil
	})
	group.Go(func() error { return c.results(ctx, bookmaker, std) })
	group.Go(func() error {
		<-ctx.Done()
		return server.Close()
	})
	return group.Wait()
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
		fmt.Fprintf(std.out, "%d results pushed\n", len(heads))
	}
}
