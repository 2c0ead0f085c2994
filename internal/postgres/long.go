package postgres

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Snapshot runs fn in a transaction that sees one state of the database, however long it takes, and changes nothing.
func Snapshot(ctx context.Context, pool *pgxpool.Pool, fn func(ctx context.Context, tx pgx.Tx) error) error {
	options := pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
	return pgx.BeginTxFunc(ctx, pool, options, func(tx pgx.Tx) error { return fn(ctx, tx) })
}

// Unhurried lifts the limits on a transaction's time, until it ends: for statements over whole tables. more are other
// settings of the server's, such as work_mem.
func Unhurried(ctx context.Context, tx pgx.Tx, more map[string]string) error {
	settings := map[string]string{"statement_timeout": "0", "idle_in_transaction_session_timeout": "0"}
	maps.Copy(settings, more)
	names := slices.Sorted(maps.Keys(settings))
	values := make([]string, len(names))
	for i, name := range names {
		values[i] = settings[name]
	}
	const set = `SELECT count(set_config(name, value, true)) FROM unnest($1::text[], $2::text[]) AS s (name, value)`
	if _, err := tx.Exec(ctx, set, names, values); err != nil {
		return fmt.Errorf("lift a transaction's limits: %w", err)
	}
	return nil
}
