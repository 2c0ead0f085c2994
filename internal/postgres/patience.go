package postgres

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
)

// stepper runs a migration's statements. One that waits for a lock too long gives up and is tried again: alone
// where it is a transaction of its own, else with its whole transaction.
type stepper struct {
	Migrator
	watch *pgxpool.Pool // looks at the session that works
	last  wait          // what the last statement waited for
}

// firstPause is that after the first try in vain; those behind it get what they came for meanwhile.
const firstPause = 500 * time.Millisecond

// patiently tries until it is done. Only what gave way to others is tried again.
func (s *stepper) patiently(ctx context.Context, do func() error) error {
	pauses := backoff.NewExponentialBackOff()
	pauses.InitialInterval, pauses.MaxInterval = firstPause, s.Pause
	began := time.Now()
	for {
		err := do()
		if !gaveWay(err) {
			return err
		}
		pause := pauses.NextBackOff()
		s.Log.Info("the migration gives way and tries again", "waits_for", s.last.what, "held_by", s.last.by,
			"waiting", time.Since(began).Round(time.Second), "pause", pause.Round(time.Millisecond))
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w: waiting for %s, held by %s", context.Cause(ctx), s.last.what, s.last.by)
		case <-time.After(pause):
		}
	}
}

// gaveWay reports whether a statement did not get its lock, or was the victim of a deadlock.
func gaveWay(err error) bool {
	const deadlock = "40P01"
	pgErr, ok := errors.AsType[*pgconn.PgError](err)
	return ok && (pgErr.Code == lockTimeout || pgErr.Code == deadlock)
}

// patientConnector gives out connections whose statements are watched and have patience.
type patientConnector struct {
	driver.Connector
	steps *stepper
}

// Connect implements driver.Connector.
func (c patientConnector) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	own, is := conn.(*stdlib.Conn)
	if !is {
		return nil, fmt.Errorf("connection of another driver: %T", conn)
	}
	return &patientConn{Conn: own, steps: c.steps}, nil
}

type patientConn struct {
	*stdlib.Conn
	steps *stepper
}

// ExecContext implements driver.ExecerContext.
func (c *patientConn) ExecContext(
	ctx context.Context, query string, args []driver.NamedValue,
) (result driver.Result, err error) {
	const idle = 'I'
	if c.Conn.Conn().PgConn().TxStatus() != idle {
		return c.exec(ctx, query, args) // the transaction is tried again as a whole
	}
	if blocksNobody(query) {
		return c.build(ctx, query, args)
	}
	err = c.steps.patiently(ctx, func() (err error) {
		result, err = c.exec(ctx, query, args)
		return err
	})
	return result, err
}

// exec runs the statement, and has an eye on what it waits for.
func (c *patientConn) exec(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	defer c.steps.look(ctx, c.Conn.Conn().PgConn().PID(), query)()
	return c.Conn.ExecContext(ctx, query, args)
}

// build runs a statement behind which nobody has to wait: it may wait for as long as the oldest transaction
// lasts.
func (c *patientConn) build(
	ctx context.Context, query string, args []driver.NamedValue,
) (result driver.Result, err error) {
	set := func(wait time.Duration) error {
		_, err := c.Conn.Conn().Exec(ctx, `SELECT set_config('lock_timeout', $1, false)`, fmt.Sprint(wait.Milliseconds()))
		return err
	}
	if err := set(0); err != nil {
		return nil, fmt.Errorf("wait without a limit: %w", err)
	}
	err = c.steps.patiently(ctx, func() (err error) {
		if err := rebuildInvalid(ctx, c.Conn.Conn(), c.steps); err != nil {
			return err
		}
		result, err = c.exec(ctx, query, args)
		return err
	})
	if err != nil {
		return nil, err
	}
	if err := set(c.steps.LockWait); err != nil {
		return nil, fmt.Errorf("give way again: %w", err)
	}
	return result, nil
}

var (
	sqlComment = regexp.MustCompile(`(?m)--.*$`)
	sharesLock = regexp.MustCompile(`(?is)^((CREATE|DROP|REINDEX)\s.*\bCONCURRENTLY\b` +
		`|ALTER\s+TABLE\s+\S+\s+VALIDATE\s+CONSTRAINT\b[^,]*$)`)
)

// blocksNobody recognises statements whose lock lets others read and write, held and waited for: indexes built or
// dropped concurrently, and constraints validated.
func blocksNobody(query string) bool {
	return sharesLock.MatchString(strings.TrimSpace(sqlComment.ReplaceAllString(query, "")))
}

const findInvalid = `
	SELECT c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
	 WHERE NOT i.indisvalid AND c.relkind = 'i' AND c.relnamespace = current_schema()::regnamespace
	   AND pg_has_role(c.relowner, 'USAGE') ORDER BY c.relname`

// rebuiltName is what an index is called that a rebuild was building, or had replaced, when it broke off.
var rebuiltName = regexp.MustCompile(`_cc(new|old)\d*$`)

// rebuildInvalid finds what a concurrent build left that broke off: an index that costs every write and serves no
// reader. CREATE INDEX … IF NOT EXISTS would take it for done.
func rebuildInvalid(ctx context.Context, conn *pgx.Conn, steps *stepper) error {
	rows, err := conn.Query(ctx, findInvalid)
	if err != nil {
		return fmt.Errorf("look for invalid indexes: %w", err)
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return fmt.Errorf("look for invalid indexes: %w", err)
	}
	for _, name := range names {
		statement := "REINDEX INDEX CONCURRENTLY "
		if rebuiltName.MatchString(name) {
			statement = "DROP INDEX CONCURRENTLY IF EXISTS "
		}
		statement += pgx.Identifier{name}.Sanitize()
		steps.Log.Info("an index whose build broke off is built again", "index", name)
		done := steps.look(ctx, conn.PgConn().PID(), statement)
		_, err := conn.Exec(ctx, statement, pgx.QueryExecModeSimpleProtocol)
		done()
		if err != nil {
			return fmt.Errorf("build the index %s again: %w", name, err)
		}
	}
	return nil
}
