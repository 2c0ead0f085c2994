package postgres

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/pressly/goose/v3/lock"
)

// wait is what a statement stands before, in words.
type wait struct{ what, by string }

const (
	// toldEvery is how often a statement that goes on says so.
	toldEvery = 10 * time.Second
	// looks is how often during a wait for a lock it is looked at.
	looks = 4
	// shownHolders bounds a line's length.
	shownHolders = 5
)

// look watches the session of that process until the returned function is called: it remembers what it waited
// for, and tells how far a build is.
func (s *stepper) look(ctx context.Context, process uint32, statement string) (end func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	s.last = wait{what: "a lock", by: "others"}
	go func() {
		defer close(done)
		ticks := time.NewTicker(max(s.LockWait/looks, time.Millisecond))
		defer ticks.Stop()
		began, told := time.Now(), time.Now()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticks.C:
			}
			if now, is := s.waitsFor(ctx, process); is {
				s.last = now
			}
			if time.Since(told) >= toldEvery {
				told = time.Now()
				first, _, _ := strings.Cut(strings.TrimSpace(statement), "\n")
				s.Log.Info("the migration goes on", append([]any{"statement", first, "running", time.Since(began).Round(time.Second)},
					s.progress(ctx, process)...)...)
			}
		}
	}()
	return func() {
		cancel()
		<-done
	}
}

// readWait has no statement's text in it: there may be a player's data in that. Another role's session may show no
// more than its name.
const readWait = `
	SELECT coalesce((SELECT coalesce(relation::regclass::text, locktype) FROM pg_locks
	                  WHERE pid = $1 AND NOT granted LIMIT 1), ''),
	       CASE WHEN h.pid = 0 THEN 'a prepared transaction'
	            ELSE concat('pid ', h.pid, ' (', concat_ws(', ', nullif(a.application_name, ''), a.usename::text,
	                 nullif(a.backend_type, 'client backend'), a.state,
	                 'since ' || date_trunc('second', clock_timestamp() - a.xact_start)), ')') END
	  FROM (SELECT DISTINCT pid FROM unnest(pg_blocking_pids($1)) AS h (pid)) h LEFT JOIN pg_stat_activity a USING (pid)
	 ORDER BY a.xact_start, h.pid`

// waitsFor says what the process waits for at the moment; false: for nothing. A look that fails shows nothing, and
// the work goes on.
func (s *stepper) waitsFor(ctx context.Context, process uint32) (wait, bool) {
	rows, err := s.watch.Query(ctx, readWait, int64(process))
	if err != nil {
		return wait{}, false
	}
	var what, by string
	var holders []string
	_, err = pgx.ForEachRow(rows, []any{&what, &by}, func() error {
		holders = append(holders, by)
		return nil
	})
	if err != nil || len(holders) == 0 {
		return wait{}, false
	}
	if more := len(holders) - shownHolders; more > 0 {
		holders = append(holders[:shownHolders], fmt.Sprintf("%d more", more))
	}
	return wait{what: what, by: strings.Join(holders, ", ")}, true
}

const readProgress = `
	SELECT relid::regclass::text, coalesce(nullif(index_relid, 0)::regclass::text, ''), phase,
	       CASE WHEN blocks_total > 0 THEN 100 * blocks_done / blocks_total
	            WHEN tuples_total > 0 THEN 100 * tuples_done / tuples_total
	            WHEN lockers_total > 0 THEN 100 * lockers_done / lockers_total ELSE 0 END
	  FROM pg_stat_progress_create_index WHERE pid = $1`

// progress says how far an index is, and whom it waits for; nothing for other statements.
func (s *stepper) progress(ctx context.Context, process uint32) (attrs []any) {
	var table, index, phase string
	var percent int64
	if err := s.watch.QueryRow(ctx, readProgress, int64(process)).Scan(&table, &index, &phase, &percent); err == nil {
		attrs = append(attrs, "table", table, "index", index, "phase", phase, "percent_of_phase", percent)
	}
	if now, is := s.waitsFor(ctx, process); is {
		attrs = append(attrs, "waits_for", now.what, "held_by", now.by)
	}
	return attrs
}

// askAgain is how often the migrations' lock is asked for. To wait for it inside the server would be a
// transaction that the other migrator's concurrent builds wait for.
const askAgain = time.Second

// oneMigrator lets one process migrate and the others wait, for as long as it takes. The lock is goose's own, so
// that releases that leave it to goose keep out as well.
type oneMigrator struct{ log *slog.Logger }

// SessionLock implements goose's lock.SessionLocker.
func (l oneMigrator) SessionLock(ctx context.Context, conn *sql.Conn) error {
	var told time.Time
	for {
		var locked bool
		if err := conn.QueryRowContext(ctx, `SELECT pg_try_advisory_lock($1)`, lock.DefaultLockID).Scan(&locked); err != nil {
			return fmt.Errorf("lock the migrations: %w", err)
		}
		if locked {
			return nil
		}
		if time.Since(told) >= toldEvery {
			told = time.Now()
			l.log.Info("another process migrates: waiting for it")
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w: another process migrates", context.Cause(ctx))
		case <-time.After(askAgain):
		}
	}
}

// SessionUnlock implements goose's lock.SessionLocker. Where it fails the session has ended, and the lock with it.
func (l oneMigrator) SessionUnlock(ctx context.Context, conn *sql.Conn) error {
	var unlocked bool
	if err := conn.QueryRowContext(ctx, `SELECT pg_advisory_unlock($1)`, lock.DefaultLockID).Scan(&unlocked); err != nil {
		return fmt.Errorf("unlock the migrations: %w", err)
	}
	return nil
}
