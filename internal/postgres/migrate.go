package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"evens/migrations"
)

// ErrOldSchema says that the database lacks migrations this program needs.
var ErrOldSchema = errors.New("the database schema is older than this program: run `evens migrate`")

// ErrRestored says that the ledger has positions that this database cluster has not counted to yet: a dump of
// another one was restored here. Written to, the seals would not fit any more.
var ErrRestored = errors.New("the ledger comes from a cluster that has counted further: run `evens migrate`")

// Migrate brings the schema of the database at url up to date, and the ledger's positions to where they ended.
// Several processes may do so at once: an advisory lock lets one work and the others wait.
func Migrate(ctx context.Context, url string) error {
	pool, err := openPool(ctx, Config{URL: url, ApplicationName: "evens-migrate", MaxConns: 3}, nil, &sessions{})
	if err != nil {
		return err
	}
	defer pool.Close()
	db := stdlib.OpenDBFromPool(pool)
	defer db.Close()
	locker, err := lock.NewPostgresSessionLocker()
	if err != nil {
		return fmt.Errorf("migration lock: %w", err)
	}
	provider, err := newProvider(db, goose.WithSessionLocker(locker))
	if err != nil {
		return err
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	if _, err := pool.Exec(ctx, `SELECT continue_ledger()`); err != nil {
		return fmt.Errorf("go on with the order of the ledger: %w", err)
	}
	return nil
}

// CheckSchema answers ErrOldSchema when a migration of this program has not been applied, ErrRestored when
// positions would be used twice.
func CheckSchema(ctx context.Context, pool *pgxpool.Pool) error {
	db := stdlib.OpenDBFromPool(pool)
	defer db.Close()
	provider, err := newProvider(db)
	if err != nil {
		return err
	}
	sources := provider.ListSources()
	want := sources[len(sources)-1].Version
	var have int64
	err = pool.QueryRow(ctx, `SELECT coalesce(max(version_id), 0) FROM goose_db_version WHERE is_applied`).Scan(&have)
	if isUndefinedTable(err) {
		return fmt.Errorf("%w (it has none, %d wanted)", ErrOldSchema, want)
	}
	if isForbidden(err) {
		return fmt.Errorf("%w (the role of EVENS_DATABASE_URL may not read it yet)", ErrOldSchema)
	}
	if err != nil {
		return fmt.Errorf("read the schema version: %w", err)
	}
	if have < want {
		return fmt.Errorf("%w (version %d, %d wanted)", ErrOldSchema, have, want)
	}
	var behind int64
	if err := pool.QueryRow(ctx, `SELECT ledger_behind()`).Scan(&behind); err != nil {
		return fmt.Errorf("read the order of the ledger: %w", err)
	}
	if behind > 0 {
		return fmt.Errorf("%w (by %d)", ErrRestored, behind)
	}
	return nil
}

func newProvider(db *sql.DB, options ...goose.ProviderOption) (*goose.Provider, error) {
	provider, err := goose.NewProvider(goose.DialectPostgres, db, migrations.FS, options...)
	if err != nil {
		return nil, fmt.Errorf("read migrations: %w", err)
	}
	return provider, nil
}
