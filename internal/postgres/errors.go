package postgres

import (
	"context"
	"errors"
	"io"
	"net"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// ErrUnavailable stands for a database that cannot be reached or is shutting down: nothing is
// known to have happened, and the caller may try again.
var ErrUnavailable = errors.New("database unavailable")

// Violates reports whether err is a violation of the constraint of that name.
func Violates(err error, constraint string) bool {
	pgErr, ok := errors.AsType[*pgconn.PgError](err)
	return ok && pgErr.ConstraintName == constraint
}

// Unavailable reports whether err means that the server was not there to decide: refused or
// cut connections, shutdown, start-up, too many clients, a statement or a lock past its time.
func Unavailable(err error) bool {
	if err == nil {
		return false
	}
	if errors.Is(err, ErrUnavailable) || errors.Is(err, context.DeadlineExceeded) {
		return true
	}
	if pgErr, ok := errors.AsType[*pgconn.PgError](err); ok {
		switch pgErr.Code {
		case "57P01", "57P02", "57P03", "53300", statementCancelled, "25P03", "57P05", lockTimeout:
			return true
		}
		return len(pgErr.Code) == 5 && pgErr.Code[:2] == "08"
	}
	if _, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		return true
	}
	if _, ok := errors.AsType[net.Error](err); ok {
		return true
	}
	return pgconn.SafeToRetry(err) || errors.Is(err, net.ErrClosed) || isCut(err)
}

// Retriable reports whether the whole transaction may be run again at once: the server chose
// it as the victim of a deadlock or a serialisation conflict, or would not have it wait for a lock
// any longer.
func Retriable(err error) bool {
	pgErr, ok := errors.AsType[*pgconn.PgError](err)
	return ok && (pgErr.Code == "40P01" || pgErr.Code == "40001" || pgErr.Code == lockTimeout)
}

// The server's codes for waits that were cut short.
const (
	lockTimeout        = "55P03"
	statementCancelled = "57014"
)

// LockTimeout reports whether a transaction was ended because a row that it wanted was locked by
// another for longer than it may wait. Nothing has happened.
func LockTimeout(err error) bool {
	pgErr, ok := errors.AsType[*pgconn.PgError](err)
	return ok && pgErr.Code == lockTimeout
}

// TimedOut reports whether the time for it was over before the server had done it.
func TimedOut(err error) bool {
	pgErr, ok := errors.AsType[*pgconn.PgError](err)
	return ok && pgErr.Code == statementCancelled || errors.Is(err, context.DeadlineExceeded)
}

// NotFound reports whether a query for one row found none.
func NotFound(err error) bool { return errors.Is(err, pgx.ErrNoRows) }

// isCut recognises a connection that ended in the middle of an exchange.
func isCut(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}

func isUndefinedTable(err error) bool {
	pgErr, ok := errors.AsType[*pgconn.PgError](err)
	return ok && pgErr.Code == "42P01"
}

// isForbidden recognises what the role of a connection may not do.
func isForbidden(err error) bool {
	pgErr, ok := errors.AsType[*pgconn.PgError](err)
	return ok && pgErr.Code == "42501"
}
