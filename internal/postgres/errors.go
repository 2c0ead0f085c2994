package postgres

import (
	"context"
	"errors"
	"io"
	"net"
	"slices"
	"strings"

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

// The server's codes that are told apart (PostgreSQL's documentation, appendix A).
const (
	lockTimeout        = "55P03"
	statementCancelled = "57014"
	serialization      = "40001"
	deadlock           = "40P01"
	readOnly           = "25006"
	idleTooLong        = "25P03" // idle_in_transaction_session_timeout
	transactionTooLong = "25P04" // transaction_timeout
	noStatement        = "26000" // a prepared statement that the session does not have
	notSupported       = "0A000"
)

// The classes of codes that speak of the server's state, and of nothing that a caller asked for.
const (
	classConnection   = "08"
	classRollback     = "40" // deadlocks, serialisation conflicts
	classResources    = "53" // disk full, out of memory, too many connections
	classIntervention = "57" // shutdown, start-up, a statement past its time
	classSystem       = "58" // I/O errors, files that are missing
	classInternal     = "XX" // internal errors, broken pages and indexes
)

// Unavailable reports whether err is the database's fault and not the caller's: it could not be reached, or would
// not or could not do its work at that moment. Refused and cut connections, shutdown, a read-only server after a
// fail-over, a full disk, locks and statements past their time, conflicts, outdated plans and internal errors are.
// The caller may try again, and is answered as unavailable when that does not help.
func Unavailable(err error) bool {
	if err == nil {
		return false
	}
	if errors.Is(err, ErrUnavailable) || errors.Is(err, context.DeadlineExceeded) {
		return true
	}
	// Whatever a server answers to a connection, no caller has asked for it.
	if _, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		return true
	}
	if pgErr, ok := errors.AsType[*pgconn.PgError](err); ok {
		return serversFault(pgErr)
	}
	if _, ok := errors.AsType[net.Error](err); ok {
		return true
	}
	return pgconn.SafeToRetry(err) || errors.Is(err, net.ErrClosed) || isCut(err)
}

func serversFault(err *pgconn.PgError) bool {
	switch class(err) {
	case classConnection, classRollback, classResources, classIntervention, classSystem, classInternal:
		return true
	}
	return slices.Contains([]string{lockTimeout, readOnly, idleTooLong, transactionTooLong}, err.Code) || stalePlan(err)
}

// class is the first two characters of a code.
func class(err *pgconn.PgError) string { return err.Code[:min(len(err.Code), 2)] }

// stalePlan recognises a statement that was prepared before the schema changed, or that the session has lost. The
// first has no code of its own.
func stalePlan(err *pgconn.PgError) bool {
	return err.Code == noStatement || err.Code == notSupported && strings.Contains(err.Message, "cached plan")
}

// Retriable reports whether the whole transaction may be run again at once, for nothing has happened: the server chose
// it as the victim of a deadlock or a serialisation conflict, would not have it wait for a lock any longer, or its
// session was at fault, which is closed by then: it was read-only, or had an outdated plan.
func Retriable(err error) bool {
	pgErr, ok := errors.AsType[*pgconn.PgError](err)
	return ok && (slices.Contains([]string{deadlock, serialization, lockTimeout, readOnly}, pgErr.Code) || stalePlan(pgErr))
}

// OfOneWork reports whether an error of the database may come from one of several works that shared a statement:
// they are tried apart then. A conflict is between some of them, a broken page is under one. A server that is away,
// full or read-only is so for all of them.
func OfOneWork(err error) bool {
	pgErr, ok := errors.AsType[*pgconn.PgError](err)
	return ok && slices.Contains([]string{classRollback, classSystem, classInternal}, class(pgErr))
}

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
