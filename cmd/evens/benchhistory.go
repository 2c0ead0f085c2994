package main

import (
	"context"

	"evens/access"
	"evens/bench"
)

// history measures reading the history of one player with a million transactions.
func (r benchRun) history(ctx context.Context, tell bench.Tell) error {
	n := r.command.N
	if n == 0 {
		n = 1_000_000
	}
	s, end, err := r.system(ctx, nil)
	if err != nil {
		return err
	}
	defer end()
	id, err := bench.SeedHistory(ctx, s.db.Pool, n, r.std.err)
	if err != nil {
		return err
	}
	_, key, err := s.keys.Create(ctx, "bench", []access.Scope{access.ScopeWallet})
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	base, stopped := r.start(ctx, s)
	h := bench.History{BaseURL: base, APIKey: key, Player: id, Transactions: n}
	if err := h.Pages(ctx, tell); err != nil {
		return err
	}
	if err := h.CSV(ctx, tell); err != nil {
		return err
	}
	stop()
	return <-stopped
}
