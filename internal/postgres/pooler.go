package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// ErrTransactionMode says that a pooler gives each transaction whatever session is free. Evens needs a session
// of its own for as long as a connection lasts: settings, prepared statements and advisory locks live there.
var ErrTransactionMode = errors.New("the database pooler is in transaction (or statement) mode: " +
	"Evens needs session mode, or a direct connection")

// poolerWait bounds the look at a pooler. One in session mode that has no second session to give keeps us
// waiting, which tells as much.
const poolerWait = 3 * time.Second

// refuseTransactionMode answers ErrTransactionMode where two connections that are open at the same time are seen to
// share a session, or one of them to change it. A direct connection is known by the process it was told of while
// connecting: a pooler makes up another number.
func refuseTransactionMode(ctx context.Context, pool *pgxpool.Pool) error {
	first, err := pool.Acquire(ctx)
	if err != nil {
		return fmt.Errorf("connect to the database: %w", err)
	}
	defer first.Release()
	process, err := serverProcess(ctx, first.Conn())
	if err != nil {
		return err
	}
	if process == first.Conn().PgConn().PID() {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, poolerWait)
	defer cancel()
	second, err := pgx.ConnectConfig(ctx, pool.Config().ConnConfig)
	if err != nil {
		return nil // no second session at the same time
	}
	defer second.Close(context.WithoutCancel(ctx))
	const rounds = 4
	var others uint32
	for range rounds {
		other, err := serverProcess(ctx, second)
		if err != nil {
			return nil // it waits for a session as long as the first one has it
		}
		again, err := serverProcess(ctx, first.Conn())
		if err != nil {
			return err
		}
		if other == again || again != process || others != 0 && other != others {
			return ErrTransactionMode
		}
		others = other
	}
	return nil
}

// serverProcess is the server's process behind the connection at the moment.
func serverProcess(ctx context.Context, conn *pgx.Conn) (uint32, error) {
	var pid int64
	// Not prepared: in transaction mode the next statement may find another session.
	if err := conn.QueryRow(ctx, `SELECT pg_backend_pid()`, pgx.QueryExecModeSimpleProtocol).Scan(&pid); err != nil {
		return 0, fmt.Errorf("ask for the database session: %w", err)
	}
	return uint32(pid), nil
}
