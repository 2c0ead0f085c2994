package reconcile

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"evens/internal/postgres"
)

// Providers lists those whose list can be asked for.
func (r *Reconciler) Providers() []string { return slices.Sorted(maps.Keys(r.sources)) }

// Recent does a run from the watermark on.
func (r *Reconciler) Recent(ctx context.Context, provider string) error {
	return r.scheduled(ctx, Request{Provider: provider})
}

// LastDay does a run over the whole day (UTC) that is over.
func (r *Reconciler) LastDay(ctx context.Context, provider string) error {
	today := r.now().UTC().Truncate(24 * time.Hour)
	return r.scheduled(ctx, Request{Provider: provider, From: today.Add(-24 * time.Hour), To: today})
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

// CloseLastDay makes the closing of the day (UTC) that is over.
func (r *Reconciler) CloseLastDay(ctx context.Context) error {
	_, err := r.Close(ctx, r.now().UTC().Add(-24*time.Hour))
	return err
}

// Prune drops lines and pages of lists that ended before a time; what they showed stays in the
// breaks.
func (r *Reconciler) Prune(ctx context.Context, before time.Time) error {
	return postgres.InTx(ctx, r.db.Pool, func(ctx context.Context, tx pgx.Tx) error {
		for _, statement := range []string{
			`UPDATE statements SET pruned_at = now() WHERE started_at < $1 AND pruned_at IS NULL`,
			`DELETE FROM statement_lines WHERE statement_id IN (SELECT id FROM statements WHERE started_at < $1 AND pruned_at IS NOT NULL)`,
			`DELETE FROM statement_pages WHERE statement_id IN (SELECT id FROM statements WHERE started_at < $1 AND pruned_at IS NOT NULL)`,
		} {
			if _, err := tx.Exec(ctx, statement, before); err != nil {
				return fmt.Errorf("prune statements: %w", err)
			}
		}
		return nil
	})
}
