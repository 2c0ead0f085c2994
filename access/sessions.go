package access

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"evens/internal/postgres"
)

// SessionIdle is how long a console session lives without a request.
const SessionIdle = time.Hour

// sessionQuery ends a query about a session whose database does not answer.
const sessionQuery = 5 * time.Second

// Sessions keeps the console's sessions in PostgreSQL, where the operators are: who can be looked up
// can be logged in, whatever else is away. It is a store of the library scs.
type Sessions struct {
	db  *postgres.DB
	now func() time.Time
}

// NewSessions returns the sessions kept in db.
func NewSessions(db *postgres.DB, now func() time.Time) *Sessions { return &Sessions{db: db, now: now} }

const (
	findSession   = `UPDATE operator_sessions SET seen_at = $2 WHERE token = $1 AND expiry > $2 AND seen_at > $3 RETURNING data`
	commitSession = `
	INSERT INTO operator_sessions (token, data, expiry, seen_at) VALUES ($1, $2, $3, $4)
	    ON CONFLICT (token) DO UPDATE SET data = excluded.data, expiry = excluded.expiry, seen_at = excluded.seen_at`
	deleteSession = `DELETE FROM operator_sessions WHERE token = $1`
	pruneSessions = `
	DELETE FROM operator_sessions
	 WHERE token IN (SELECT token FROM operator_sessions WHERE expiry < $1 LIMIT 50 FOR UPDATE SKIP LOCKED)`
)

// FindCtx returns a session's data and counts it as used now.
func (s *Sessions) FindCtx(ctx context.Context, token string) (data []byte, found bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, sessionQuery)
	defer cancel()
	now := s.now()
	err = s.db.Pool.QueryRow(ctx, findSession, token, now, now.Add(-SessionIdle)).Scan(&data)
	if postgres.NotFound(err) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("find session: %w", err)
	}
	return data, true, nil
}

// CommitCtx writes a session, and takes away some that are over.
func (s *Sessions) CommitCtx(ctx context.Context, token string, data []byte, expiry time.Time) error {
	ctx, cancel := context.WithTimeout(ctx, sessionQuery)
	defer cancel()
	batch := &pgx.Batch{}
	batch.Queue(commitSession, token, data, expiry, s.now())
	batch.Queue(pruneSessions, s.now())
	if err := s.db.Pool.SendBatch(ctx, batch).Close(); err != nil {
		return fmt.Errorf("write session: %w", err)
	}
	return nil
}

// DeleteCtx ends a session.
func (s *Sessions) DeleteCtx(ctx context.Context, token string) error {
	ctx, cancel := context.WithTimeout(ctx, sessionQuery)
	defer cancel()
	if _, err := s.db.Pool.Exec(ctx, deleteSession, token); err != nil {
		return fmt.Errorf("end session: %w", err)
	}
	return nil
}

// Find is FindCtx; scs asks for it and calls the other.
func (s *Sessions) Find(token string) ([]byte, bool, error) {
	return s.FindCtx(context.Background(), token)
}

// Commit is CommitCtx; scs asks for it and calls the other.
func (s *Sessions) Commit(token string, data []byte, expiry time.Time) error {
	return s.CommitCtx(context.Background(), token, data, expiry)
}

// Delete is DeleteCtx; scs asks for it and calls the other.
func (s *Sessions) Delete(token string) error { return s.DeleteCtx(context.Background(), token) }
