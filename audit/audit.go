// Package audit holds the books against every rule of the house: the ledger from its transfers,
// coupons, games, bonuses, limits and withdrawals from the ledger, payouts from the results that
// hold, and what was sealed from what is there. It is the one place where the rules come together;
// each rule stands with the tables that it is about.
package audit

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"evens/access"
	"evens/casino"
	"evens/coupon"
	"evens/internal/postgres"
	"evens/ledger"
	"evens/player"
	"evens/reconcile/breaks"
	"evens/reconcile/seal"
	"evens/settlement"
	"evens/wallet"
)

// Checks are the rules that are one query each, beside the ledger's own.
func Checks() []ledger.Check {
	return slices.Concat(ledger.ShapeChecks, settlement.AuditChecks(), coupon.AuditChecks, wallet.PlayerChecks,
		wallet.CountingChecks, wallet.WithdrawalChecks, player.AdjustmentChecks, player.DecisionChecks,
		access.AuditChecks, casino.Checks, casino.RoundChecks, casino.WinChecks, breaks.Checks, seal.Checks)
}

// Run audits the books as they stand, in one snapshot. It reads, and changes nothing.
func Run(ctx context.Context, db *postgres.DB) (*ledger.Report, error) {
	var now time.Time // the database's, as all that it compares
	if err := db.Pool.QueryRow(ctx, `SELECT now()`).Scan(&now); err != nil {
		return nil, fmt.Errorf("read the database's clock: %w", err)
	}
	return At(ctx, db, now.UTC())
}

// At is Run with a clock: what has waited too long is told by it.
func At(ctx context.Context, db *postgres.DB, now time.Time, more ...ledger.Check) (*ledger.Report, error) {
	var report *ledger.Report
	err := postgres.Snapshot(ctx, db.Pool, func(ctx context.Context, tx pgx.Tx) (err error) {
		report, err = In(ctx, tx, now, more...)
		return err
	})
	return report, err
}

// In audits what a transaction sees. A rule of more that the house has already is run once.
func In(ctx context.Context, tx pgx.Tx, now time.Time, more ...ledger.Check) (*ledger.Report, error) {
	report, err := ledger.Begin(ctx, tx, now)
	if err != nil {
		return nil, err
	}
	if err := settlement.AuditFigures(ctx, tx, report); err != nil {
		return nil, err
	}
	ran := make(map[string]bool)
	for _, check := range slices.Concat(Checks(), more) {
		if ran[check.Name] {
			continue
		}
		ran[check.Name] = true
		if err := report.Add(ctx, tx, check); err != nil {
			return nil, err
		}
	}
	if err := settlement.AuditTargets(ctx, tx, report); err != nil {
		return nil, err
	}
	if err := settlement.AuditMessages(ctx, tx, report); err != nil {
		return nil, err
	}
	return report, seal.Audit(ctx, tx, report)
}
