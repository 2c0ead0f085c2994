package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Querier is what a transaction's statements need; *Session and pgx.Tx are ones.
type Querier interface {
	Exec(ctx context.Context, sql string, arguments ...any) (pgconn.CommandTag, error)
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
	SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults
}

// Session is a transaction that saves round trips: BEGIN travels with the first pipeline, COMMIT
// with the last. A batch of money takes two or three round trips instead of six.
type Session struct {
	conn  *pgx.Conn
	begun bool
}

// rollbackTimeout bounds the wait for a rollback: a connection that does not answer is closed.
const rollbackTimeout = 2 * time.Second

// InSession runs fn in one transaction on a connection of the pool. fn ends it with
// [Session.Commit]; a transaction that fn leaves open is rolled back.
func InSession(ctx context.Context, pool *pgxpool.Pool, fn func(ctx context.Context, s *Session) error) error {
	conn, err := pool.Acquire(ctx)
	if err != nil {
		return fmt.Errorf("take a connection: %w", err)
	}
	defer conn.Release() // closes the connection where a transaction is left open
	s := &Session{conn: conn.Conn()}
	defer s.rollback(ctx)
	return fn(ctx, s)
}

func (s *Session) rollback(ctx context.Context) {
	if !s.begun || s.conn.IsClosed() {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), rollbackTimeout)
	defer cancel()
	// When it fails, Release sees the open transaction and closes the connection.
	_, _ = s.conn.Exec(ctx, "rollback")
}

// SendBatch sends a pipeline, with BEGIN before it when it is the first.
func (s *Session) SendBatch(ctx context.Context, batch *pgx.Batch) pgx.BatchResults {
	if !s.begun {
		s.begun = true
		first := &pgx.Batch{}
		first.Queue("begin")
		first.QueuedQueries = append(first.QueuedQueries, batch.QueuedQueries...)
		return &skipFirst{BatchResults: s.conn.SendBatch(ctx, first)}
	}
	return s.conn.SendBatch(ctx, batch)
}

// skipFirst hides BEGIN's own result from whoever reads the pipeline's results in order.
type skipFirst struct {
	pgx.BatchResults
	skipped bool
	err     error
}

func (r *skipFirst) skip() {
	if !r.skipped {
		r.skipped = true
		_, r.err = r.BatchResults.Exec()
	}
}

// Exec implements pgx.BatchResults.
func (r *skipFirst) Exec() (pgconn.CommandTag, error) {
	r.skip()
	return r.BatchResults.Exec()
}

// Query implements pgx.BatchResults.
func (r *skipFirst) Query() (pgx.Rows, error) {
	r.skip()
	return r.BatchResults.Query()
}

// QueryRow implements pgx.BatchResults.
func (r *skipFirst) QueryRow() pgx.Row {
	r.skip()
	return r.BatchResults.QueryRow()
}

// Query runs one statement of the transaction.
func (s *Session) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	if err := s.begin(ctx); err != nil {
		return nil, err
	}
	return s.conn.Query(ctx, sql, args...)
}

// Exec runs one statement of the transaction.
func (s *Session) Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error) {
	if err := s.begin(ctx); err != nil {
		return pgconn.CommandTag{}, err
	}
	return s.conn.Exec(ctx, sql, args...)
}

// QueryRow runs one statement of the transaction.
func (s *Session) QueryRow(ctx context.Context, sql string, args ...any) pgx.Row {
	if err := s.begin(ctx); err != nil {
		return failedRow{err}
	}
	return s.conn.QueryRow(ctx, sql, args...)
}

type failedRow struct{ err error }

// Scan implements pgx.Row.
func (r failedRow) Scan(...any) error { return r.err }

func (s *Session) begin(ctx context.Context) error {
	if s.begun {
		return nil
	}
	s.begun = true
	if _, err := s.conn.Exec(ctx, "begin"); err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	return nil
}

// Commit sends the last pipeline and COMMIT behind it. After an error of the server nothing has
// happened; after a lost connection nobody knows.
func (s *Session) Commit(ctx context.Context, batch *pgx.Batch) error {
	if !s.begun {
		return nil // nothing was read, so there is nothing to write
	}
	var ended bool
	batch.Queue("commit").Exec(func(pgconn.CommandTag) error {
		ended = true
		return nil
	})
	err := s.conn.SendBatch(ctx, batch).Close()
	s.begun = !ended
	return err
}
