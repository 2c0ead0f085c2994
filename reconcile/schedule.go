package reconcile

import (
	"context"
	"maps"
	"slices"
)

// Providers lists those whose list can be asked for.
func (r *Reconciler) Providers() []string { return slices.Sorted(maps.Keys(r.sources)) }

// Recent does a run from the watermark on.
func (r *Reconciler) Recent(ctx context.Context, provider string) error {
	return r.scheduled(ctx, Request{Provider: provider})
}

func (r *Reconciler) scheduled(ctx context.Context, q Request) error {
	report, err := r.Run(ctx, q)
	if err != nil {
		return err
	}
	open := 0
	for _, b := range report.Breaks {
		if b.State == StateOpen {
			open++
		}
	}
	r.log.InfoContext(ctx, "reconciled", "provider", q.Provider, "from", report.From, "to", report.To, "lines", report.Lines, "ours", report.Ours,
		"breaks", len(report.Breaks), "open", open, "closed", report.Closed)
	return nil
}
