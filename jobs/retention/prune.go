package retention

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"evens/internal/postgres"
)

// Config of a Pruner. DB, Now and Log are required.
type Config struct {
	DB    *postgres.DB
	Now   func() time.Time
	Times Times // where one is 0, its default
	Log   *slog.Logger
}

// The bounds of what a run asks of the database.
const (
	// statementTime ends a statement that takes longer; the next ones are smaller.
	statementTime = 2 * time.Second
	// runTime is for how long one table is worked on; the next run goes on.
	runTime = 8 * time.Minute
	pause   = 50 * time.Millisecond
	// longestPause is that after several statements that took too long.
	longestPause = 2 * time.Second
)

// Pruner removes rows that are past their time. Any number may run.
type Pruner struct {
	cfg           Config
	statementTime time.Duration
	runTime       time.Duration
	pause         time.Duration
}

// New returns a pruner.
func New(cfg Config) *Pruner {
	for _, one := range []struct {
		time     *time.Duration
		fallback time.Duration
	}{
		{&cfg.Times.Callbacks, DefaultCallbacks}, {&cfg.Times.Statements, DefaultStatements}, {&cfg.Times.Ended, DefaultEnded},
	} {
		if *one.time <= 0 {
			*one.time = one.fallback
		}
	}
	return &Pruner{cfg: cfg, statementTime: statementTime, runTime: runTime, pause: pause}
}

// Done is what a run did.
type Done struct {
	Rows       int64
	Statements int
	TimedOut   int           // of the statements
	Longest    time.Duration // statement
	Unfinished bool          // there is more; the next run goes on
}

// ErrNoTask says that a table is not known, or has nothing to remove: a task of another release's.
var ErrNoTask = errors.New("no rows of this table are removed")

// Run removes what is past its time in one table, and in those that go with it.
func (p *Pruner) Run(ctx context.Context, table string) (Done, error) {
	for _, line := range Table() {
		if line.Table == table && line.way != nil {
			return p.run(ctx, line)
		}
	}
	return Done{}, fmt.Errorf("%s: %w", table, ErrNoTask)
}

func (p *Pruner) run(ctx context.Context, line Line) (Done, error) {
	now := p.cfg.Now()
	r := &run{
		Pruner: p, table: line.Table, until: time.Now().Add(p.runTime),
		now: now, cutoff: now.Add(-line.Keep(p.cfg.Times)), ended: now.Add(-p.cfg.Times.Ended),
	}
	err := line.way.prune(ctx, r)
	if errors.Is(err, errTimeOver) {
		r.done.Unfinished, err = true, nil
	}
	level := slog.LevelInfo
	if r.done.Rows == 0 && !r.done.Unfinished {
		level = slog.LevelDebug
	}
	p.cfg.Log.Log(ctx, level, "old rows removed", "table", line.Table, "rows", r.done.Rows, "statements", r.done.Statements,
		"timed_out", r.done.TimedOut, "longest", r.done.Longest, "unfinished", r.done.Unfinished)
	if err != nil {
		return r.done, fmt.Errorf("remove old rows of %s: %w", line.Table, err)
	}
	return r.done, nil
}

// way is how a table's rows go.
type way interface {
	prune(ctx context.Context, r *run) error
	String() string
}

// run is one table's removal under way.
type run struct {
	*Pruner
	table  string
	now    time.Time
	cutoff time.Time // what is older goes
	ended  time.Time // the same of what has ended
	until  time.Time // of the process's clock
	done   Done
}

// errTimeOver ends a run that has worked for long enough.
var errTimeOver = errors.New("time is over")

// batches takes steps of up to most (rows, or whatever a step counts) until one reports that it was the last. A step
// that takes too long, or waits for others, changed nothing: it is taken again, half as large, after a longer pause.
func (r *run) batches(ctx context.Context, most, least int, step func(ctx context.Context, n int) (last bool, err error)) error {
	n, pause := most, r.pause
	for {
		last, err := step(ctx, n)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil && n > least && (postgres.TimedOut(err) || postgres.Retriable(err)):
			r.done.TimedOut++
			n, pause = max(n/2, least), min(2*pause, longestPause)
		case err != nil || last:
			return err
		}
		if time.Now().After(r.until) {
			return errTimeOver
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
	}
}

// bound are a statement's own limits. What is chosen by an index is read by it, whatever the statistics say.
const bound = `
	SELECT set_config('statement_timeout', $1, true), set_config('lock_timeout', $2, true), set_config('enable_seqscan', 'off', true)`

// lockTime is for how long a statement waits for what another has locked.
const lockTime = 500 * time.Millisecond

// one runs a statement that answers one row, in a transaction of its own and within its time.
func (r *run) one(ctx context.Context, into []any, sql string, args ...any) error {
	began := time.Now()
	defer func() {
		r.done.Statements++
		r.done.Longest = max(r.done.Longest, time.Since(began))
	}()
	return postgres.InTx(ctx, r.cfg.DB.Pool, func(ctx context.Context, tx pgx.Tx) error {
		_, err := tx.Exec(ctx, bound, fmt.Sprint(r.statementTime.Milliseconds()), fmt.Sprint(lockTime.Milliseconds()))
		if err != nil {
			return err
		}
		return tx.QueryRow(ctx, sql, args...).Scan(into...)
	})
}

// named puts a table and conditions into a statement.
func named(sql string, names ...string) string { return strings.NewReplacer(names...).Replace(sql) }
