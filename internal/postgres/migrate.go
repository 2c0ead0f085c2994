package postgres

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"

	"evens/migrations"
)

// ErrOldSchema says that the database lacks migrations this program needs.
var ErrOldSchema = errors.New("the database schema is older than this program: run `evens migrate`")

// ErrRestored says that the ledger has positions that this database cluster has not counted to yet: a dump of
// another one was restored here. Written to, the seals would not fit any more.
var ErrRestored = errors.New("the ledger comes from a cluster that has counted further: run `evens migrate`")

// Migrator brings the schema up to date while others read and write. The zero value works.
type Migrator struct {
	// Log hears what is waited for, and how far an index is; slog.Default by default.
	Log *slog.Logger
	// LockWait is for how long a step waits for a lock; 1 s by default. Who comes meanwhile stands behind it for as
	// long. A step that does not get its lock is tried again after a growing pause, until it does or ctx ends.
	LockWait time.Duration
	// Pause is the longest between two tries; 10 s by default.
	Pause time.Duration
}

// Migrate is a Migrator's Up with its defaults.
func Migrate(ctx context.Context, url string) error { return Migrator{}.Up(ctx, url) }

// Up brings the schema of the database at url up to date, and the ledger's positions to where they ended.
// Several processes may do so at once: an advisory lock lets one work and the others wait.
func (m Migrator) Up(ctx context.Context, url string) error {
	m = m.withDefaults()
	pool, err := m.session(ctx, url)
	if err != nil {
		return err
	}
	defer pool.Close()
	watch, err := openPool(ctx, Config{URL: url, ApplicationName: "evens-migrate", MaxConns: 1}, nil, &sessions{})
	if err != nil {
		return err
	}
	defer watch.Close()
	steps := &stepper{Migrator: m, watch: watch}
	db := sql.OpenDB(patientConnector{Connector: stdlib.GetPoolConnector(pool), steps: steps})
	db.SetMaxIdleConns(0)
	defer db.Close()
	// A version that is missing among those applied is made up for: a file says by itself what it needs.
	provider, err := newProvider(db, goose.WithSessionLocker(oneMigrator{m.Log}), goose.WithAllowOutofOrder(true))
	if err != nil {
		return err
	}
	for {
		var result *goose.MigrationResult
		err := steps.patiently(ctx, func() (err error) {
			result, err = provider.UpByOne(ctx)
			return err
		})
		if errors.Is(err, goose.ErrNoNextVersion) {
			break
		}
		if err != nil {
			return fmt.Errorf("migrate: %w", err)
		}
		level := slog.LevelDebug
		if result.Duration >= worthALine {
			level = slog.LevelInfo
		}
		m.Log.Log(ctx, level, "migrated", "to", result.Source.Path, "took", result.Duration.Round(time.Millisecond))
	}
	return steps.patiently(ctx, func() error { return continueLedger(ctx, pool) })
}

// worthALine is what a step may take without a line in the log.
const worthALine = time.Second

func (m Migrator) withDefaults() Migrator {
	m.Log = cmp.Or(m.Log, slog.Default())
	m.LockWait = cmp.Or(m.LockWait, time.Second)
	m.Pause = cmp.Or(m.Pause, 10*time.Second)
	return m
}

// session opens a pool for steps: none of their statements ends by the clock, but each gives way to those behind it.
func (m Migrator) session(ctx context.Context, url string) (*pgxpool.Pool, error) {
	return openPool(ctx, Config{URL: url, ApplicationName: "evens-migrate", MaxConns: 2}, map[string]string{
		"statement_timeout": "0",
		"lock_timeout":      fmt.Sprint(m.LockWait.Milliseconds()),
	}, &sessions{})
}

// continueLedger takes its lock only where the ledger lies behind: everybody who writes waits for it.
func continueLedger(ctx context.Context, pool *pgxpool.Pool) error {
	var behind int64
	if err := pool.QueryRow(ctx, `SELECT ledger_behind()`).Scan(&behind); err != nil {
		return fmt.Errorf("read the order of the ledger: %w", err)
	}
	if behind <= 0 {
		return nil
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
	have, err := appliedVersions(ctx, pool)
	if isUndefinedTable(err) {
		return fmt.Errorf("%w (it has none, %d wanted)", ErrOldSchema, sources[len(sources)-1].Version)
	}
	if isForbidden(err) {
		return fmt.Errorf("%w (the role of EVENS_DATABASE_URL may not read it yet)", ErrOldSchema)
	}
	if err != nil {
		return fmt.Errorf("read the schema version: %w", err)
	}
	if lacking := missing(sources, have); lacking != "" {
		return fmt.Errorf("%w (it lacks %s)", ErrOldSchema, lacking)
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

// appliedVersions reads what has been applied; a version's last line counts.
func appliedVersions(ctx context.Context, pool *pgxpool.Pool) (map[int64]bool, error) {
	rows, err := pool.Query(ctx, `
		SELECT DISTINCT ON (version_id) version_id, is_applied FROM goose_db_version ORDER BY version_id, id DESC`)
	if err != nil {
		return nil, err
	}
	applied := make(map[int64]bool)
	var version int64
	var is bool
	_, err = pgx.ForEachRow(rows, []any{&version, &is}, func() error {
		applied[version] = is
		return nil
	})
	return applied, err
}

// missing names the migrations of this program that have not been applied, five at most; versions that it does not
// know are a later release's.
func missing(sources []*goose.Source, applied map[int64]bool) string {
	var names []string
	for _, source := range sources {
		if !applied[source.Version] {
			names = append(names, strings.TrimSuffix(source.Path, ".sql"))
		}
	}
	const shown = 5
	if more := len(names) - shown; more > 0 {
		names = append(names[:shown], fmt.Sprintf("%d more", more))
	}
	return strings.Join(names, ", ")
}

func newProvider(db *sql.DB, options ...goose.ProviderOption) (*goose.Provider, error) {
	provider, err := goose.NewProvider(goose.DialectPostgres, db, migrations.FS, options...)
	if err != nil {
		return nil, fmt.Errorf("read migrations: %w", err)
	}
	return provider, nil
}
