// Package postgres opens the database the way every process of ours uses it: one pgx pool with
// statement cache and application name set on purpose, GORM over that same pool for everyday
// reads and writes, transactions as closures, and driver errors told apart by constraint name.
package postgres

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	gormpg "gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"
)

// DB is one process's way to PostgreSQL. It is safe for concurrent use.
type DB struct {
	// Pool runs the SQL written by hand.
	Pool *pgxpool.Pool
	// Hot runs the few statements that move money in bulk. Its sessions walk indexes whatever the
	// statistics say: a plan made while a table was empty must not scan it when it is large.
	Hot *pgxpool.Pool
	// Gorm maps rows for everyday reads and writes, over the same connections.
	Gorm *gorm.DB

	sessions *sessions
}

// Config says which server to use and as whom. Only URL is required.
type Config struct {
	URL string
	// ApplicationName shows in pg_stat_activity; "evens" by default.
	ApplicationName string
	// MaxConns bounds the pool; 20 by default.
	MaxConns int32
	// HotConns bounds the pool for bulk money statements; 8 by default.
	HotConns int32
	// StatementTimeout ends a runaway statement; 20 s by default, below the 30 s lease of a job.
	StatementTimeout time.Duration
	// Log receives GORM's warnings; slog.Default by default.
	Log *slog.Logger
}

// LockWait is for how long a statement of the hot pool waits for a row that another has locked.
const LockWait = 250 * time.Millisecond

// frozen is for how long a transaction of the hot pool may hold its locks without a statement. None
// waits for the network, or for a person.
const frozen = 5 * time.Second

// Open connects and makes sure the server answers.
func Open(ctx context.Context, cfg Config) (*DB, error) {
	all := &sessions{}
	pool, err := openPool(ctx, cfg, nil, all)
	if err != nil {
		return nil, err
	}
	hotCfg := cfg
	hotCfg.MaxConns = max(cfg.HotConns, 0)
	if hotCfg.MaxConns == 0 {
		hotCfg.MaxConns = 8
	}
	hot, err := openPool(ctx, hotCfg, map[string]string{
		"enable_seqscan":   "off",
		"enable_hashjoin":  "off",
		"enable_mergejoin": "off",
		"plan_cache_mode":  "force_generic_plan",
		"jit":              "off",
		// Who waits holds what it has locked so far: one locked player must not stop the others.
		"lock_timeout": fmt.Sprint(LockWait.Milliseconds()),
		// A process that is frozen between two statements loses its locks.
		"idle_in_transaction_session_timeout": fmt.Sprint(frozen.Milliseconds()),
	}, all)
	if err != nil {
		pool.Close()
		return nil, err
	}
	sqlDB := stdlib.OpenDBFromPool(pool)
	log := cfg.Log
	if log == nil {
		log = slog.Default()
	}
	orm, err := gorm.Open(gormpg.New(gormpg.Config{Conn: sqlDB}), &gorm.Config{
		SkipDefaultTransaction: true,
		TranslateError:         true,
		NowFunc:                func() time.Time { return time.Now().UTC() },
		Logger: logger.NewSlogLogger(log, logger.Config{
			SlowThreshold:             time.Second,
			LogLevel:                  logger.Warn,
			IgnoreRecordNotFoundError: true,
			ParameterizedQueries:      true, // personal data stays out of the log
		}),
	})
	if err != nil {
		pool.Close()
		hot.Close()
		return nil, fmt.Errorf("open gorm: %w", err)
	}
	return &DB{Pool: pool, Hot: hot, Gorm: orm, sessions: all}, nil
}

func openPool(ctx context.Context, cfg Config, settings map[string]string, all *sessions) (*pgxpool.Pool, error) {
	pc, err := pgxpool.ParseConfig(cfg.URL)
	if err != nil {
		return nil, fmt.Errorf("database URL: %w", err)
	}
	pc.MaxConns = 20
	if cfg.MaxConns > 0 {
		pc.MaxConns = cfg.MaxConns
	}
	pc.ConnConfig.OnPgError = all.judge(pc.ConnConfig.OnPgError)
	wantsWritable(&pc.ConnConfig.Config)
	pc.MaxConnIdleTime = 5 * time.Minute
	pc.ConnConfig.ConnectTimeout = 5 * time.Second
	pc.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeCacheStatement
	pc.ConnConfig.StatementCacheCapacity = 256
	params := pc.ConnConfig.RuntimeParams
	params["application_name"] = "evens"
	if cfg.ApplicationName != "" {
		params["application_name"] = cfg.ApplicationName
	}
	timeout := 20 * time.Second
	if cfg.StatementTimeout > 0 {
		timeout = cfg.StatementTimeout
	}
	params["timezone"] = "UTC"
	params["statement_timeout"] = fmt.Sprint(timeout.Milliseconds())
	params["idle_in_transaction_session_timeout"] = "30000"
	maps.Copy(params, settings)
	wanted, err := sessionSettings(params)
	if err != nil {
		return nil, err
	}
	pc.AfterConnect = settle(wanted)
	pool, err := pgxpool.NewWithConfig(ctx, pc)
	if err != nil {
		return nil, fmt.Errorf("connect to the database: %w", err)
	}
	if err := pool.Ping(ctx); err != nil {
		pool.Close()
		return nil, fmt.Errorf("connect to the database: %w", err)
	}
	if err := refuseTransactionMode(ctx, pool); err != nil {
		pool.Close()
		return nil, err
	}
	all.add(pool)
	return pool, nil
}

// Close waits for borrowed connections and closes all.
func (db *DB) Close() {
	db.Pool.Close()
	db.Hot.Close()
}

// InTx runs fn in one transaction and commits it when fn returns nil. fn must not wait for the
// network, and must not keep tx. A deadlock or serialisation failure is not retried here:
// callers that can run fn again do so with [Retriable].
func InTx(ctx context.Context, pool *pgxpool.Pool, fn func(ctx context.Context, tx pgx.Tx) error) error {
	return pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error { return fn(ctx, tx) })
}
