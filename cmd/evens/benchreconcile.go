package main

import (
	"context"
	"time"

	"evens/bench"
	"evens/casino/betao"
	"evens/reconcile"
)

// reconcile measures a run of Betao's list against as many transactions.
func (r benchRun) reconcile(ctx context.Context, tell bench.Tell) error {
	measured := bench.Reconcile{N: r.command.N, Progress: r.std.err}
	if measured.N == 0 {
		measured.N = 1_000_000
	}
	list, stop := serveSim(measured.Handler())
	defer stop()
	r.cfg = r.cfg.own()
	r.cfg.connect(betao.Provider, &betao.Settings{URL: list, APIKey: benchLogin, SecretKey: benchLogin})
	s, end, err := r.system(ctx, nil)
	if err != nil {
		return err
	}
	defer end()
	bar := r.bar(measured.N, "lines")
	measured.Pool = s.db.Pool
	measured.Run = func(ctx context.Context, from, to time.Time) (*reconcile.Report, error) {
		return s.reconciler.Run(ctx, reconcile.Request{Provider: "betao", From: from, To: to, Progress: func(lines int64) { _ = bar.Set(min(measured.N, int(lines))) }})
	}
	report, err := measured.Measure(ctx)
	if err != nil {
		return err
	}
	if err := r.audit(ctx, s); err != nil {
		return err
	}
	return tell(report)
}
