package main

import (
	"context"
	"fmt"

	"golang.org/x/sync/errgroup"

	"evens/bench"
	"evens/money"
	"evens/player"
	"evens/sim/casinosim"
	"evens/wallet"
)

// benchConnections are how many connections a platform holds, one measurement each.
var benchConnections = []int{16, 64}

const benchPlayers = 1000

// casino measures each dialect's bets and wins at 16 and at 64 connections, and one player's at 64.
func (r benchRun) casino(ctx context.Context, tell bench.Tell) error {
	n := r.command.N
	if n == 0 {
		n = 30_000
	}
	baselines := make(map[int]bench.Baseline)
	for _, connections := range benchConnections {
		pg := r.pg
		pg.Clients = connections
		baseline, err := pg.WalletDebit(ctx)
		if err != nil {
			return err
		}
		baselines[connections] = baseline
	}
	r.cfg = r.cfg.own()
	platforms, err := newSimulated(&r.cfg)
	if err != nil {
		return err
	}
	for _, platform := range platforms.all() {
		if err := r.dialect(ctx, platform, n, baselines, tell); err != nil {
			return fmt.Errorf("%s: %w", platform.Name(), err)
		}
	}
	return nil
}

// dialect measures one platform on a database of its own.
func (r benchRun) dialect(ctx context.Context, wire casinosim.Wire, n int, baselines map[int]bench.Baseline, tell bench.Tell) error {
	s, end, err := r.system(ctx, nil)
	if err != nil {
		return err
	}
	defer end()
	players, err := s.openGamblers(ctx, wire.Name(), benchPlayers)
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	base, stopped := r.start(ctx, s)
	type measurement struct {
		name        string
		connections int
		players     []casinosim.Player
		n           int
	}
	var list []measurement
	for _, connections := range benchConnections {
		list = append(list, measurement{fmt.Sprintf("casino-%s-%d", wire.Name(), connections), connections, players, n})
	}
	most := benchConnections[len(benchConnections)-1]
	list = append(list, measurement{fmt.Sprintf("casino-%s-one-player", wire.Name()), most, players[:1], n / 3})
	for _, m := range list {
		bar := r.bar(m.n, m.name)
		report, err := bench.Casino{
			Wire: wire, N: m.n, Connections: m.connections, BaseURL: base, Players: m.players, Run: m.name,
			Progress: func(turns int) { _ = bar.Set(min(m.n, turns*2)) },
		}.Measure(ctx, m.name, baselines[m.connections])
		if err != nil {
			return err
		}
		if err := r.audit(ctx, s); err != nil {
			return err
		}
		if err := tell(report); err != nil {
			return err
		}
	}
	stop()
	return <-stopped
}

// gamblersAtOnce is how many players are opened at a time.
const gamblersAtOnce = 32

// openGamblers makes players with 1,000,000.00 and a session each.
func (s *system) openGamblers(ctx context.Context, provider string, n int) ([]casinosim.Player, error) {
	players := make([]casinosim.Player, n)
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(gamblersAtOnce)
	for i := range players {
		group.Go(func() error {
			id := fmt.Sprintf("%s-player-%d", provider, i)
			p, _, err := s.players.Create(ctx, player.Registration{ExternalID: id, Name: id, Email: id + "@example.com", Currency: "USD"})
			if err != nil {
				return err
			}
			_, err = wallet.Deposit(ctx, s.poster, wallet.Cash{
				Player: p.ID, Amount: 1_000_000 * money.Scale, Currency: "USD", Method: "bench", TransactionID: "deposit " + id, At: s.now(),
			})
			if err != nil {
				return err
			}
			identity := player.Identity{ID: p.ID, ExternalID: id, Currency: "USD"}
			_, token, err := s.games.sessions.Open(ctx, provider, identity, "bench", false)
			players[i] = casinosim.Player{ID: id, Token: token, Currency: "USD"}
			return err
		})
	}
	return players, group.Wait()
}
