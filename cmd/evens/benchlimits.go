package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"evens/bench"
	"evens/money"
	"evens/sim/casinosim"
	"evens/wallet"
)

// limitRounds is how often free and guarded players are measured in turn: the machine's moods meet both.
const limitRounds = 5

// limits measures what limits and a bonus on every player cost: each dialect at 64 connections, beside
// the same without them.
func (r benchRun) limits(ctx context.Context, tell bench.Tell) error {
	n := r.command.N
	if n == 0 {
		n = 30_000
	}
	r.cfg = r.cfg.own()
	platforms, err := newSimulated(&r.cfg)
	if err != nil {
		return err
	}
	for _, platform := range platforms.all() {
		if err := r.guarded(ctx, platform, n, tell); err != nil {
			return fmt.Errorf("%s: %w", platform.Name(), err)
		}
	}
	return nil
}

// guarded measures one platform, on a database for each kind of player.
func (r benchRun) guarded(ctx context.Context, wire casinosim.Wire, n int, tell bench.Tell) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	type house struct {
		*system
		base    string
		stopped <-chan error
		players []casinosim.Player
		reports []*bench.Report
	}
	var houses [2]house // without, and with
	for i := range houses {
		s, end, err := r.system(ctx, nil)
		if err != nil {
			return err
		}
		defer end()
		h := house{system: s}
		if h.players, err = s.openGamblers(ctx, wire.Name(), benchPlayers); err != nil {
			return err
		}
		if i == 1 {
			if err := s.guardAll(ctx, h.players); err != nil {
				return err
			}
		}
		h.base, h.stopped = r.start(ctx, s)
		houses[i] = h
	}
	for round := range limitRounds + 1 {
		for i := range houses {
			h := &houses[(i+round)%len(houses)] // each goes first in turn
			report, err := bench.Casino{
				Wire: wire, N: n, Connections: 64, BaseURL: h.base, Players: h.players, Run: fmt.Sprintf("round-%d", round), Progress: func(int) {},
			}.Measure(ctx, "", bench.Baseline{})
			if err != nil {
				return err
			}
			if round > 0 { // the first warms both up
				h.reports = append(h.reports, report)
			}
		}
	}
	for _, h := range houses {
		if err := r.audit(ctx, h.system); err != nil {
			return err
		}
		slices.SortFunc(h.reports, func(a, b *bench.Report) int { return int(a.PerSecond - b.PerSecond) })
	}
	without, with := houses[0].reports[limitRounds/2], houses[1].reports[limitRounds/2]
	with.Name = "limits-" + wire.Name()
	with.Baseline = bench.Baseline{Name: "the same without", PerSecond: without.PerSecond}
	with.Ratio = with.PerSecond / without.PerSecond
	if err := tell(with); err != nil {
		return err
	}
	stop()
	for _, h := range houses {
		if err := <-h.stopped; err != nil {
			return err
		}
	}
	return nil
}

// guardAll gives players every limit there is and an active bonus, all far away.
func (s *system) guardAll(ctx context.Context, players []casinosim.Player) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(gamblersAtOnce)
	for _, p := range players {
		group.Go(func() error {
			who, err := s.players.ByExternalID(ctx, p.ID)
			if err != nil {
				return err
			}
			var wish wallet.Wish
			for _, m := range wallet.Measures() {
				for _, period := range wallet.Periods() {
					wish.Caps[m][period] = &wallet.Cap{Amount: 10_000_000 * money.Scale, Set: true}
				}
			}
			wish.Zone, wish.Rolling = new("America/Sao_Paulo"), new(true)
			if _, err := s.rules.Change(ctx, who.ID, wish, "bench", ""); err != nil {
				return err
			}
			_, err = wallet.GiveBonus(ctx, s.poster, wallet.Grant{
				Player: who.ID, Currency: who.Currency, Amount: 1000 * money.Scale, Wagering: 40 * money.One, Terms: wallet.OpenTerms(), At: s.now(),
			}, wallet.Request{Scope: "bench", Key: uuid.NewString()})
			return err
		})
	}
	return group.Wait()
}
