package coupon

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"evens/coupon/bet"
	"evens/internal/postgres"
)

// Sessions keeps BeT's session for all processes, sealed by its client. It is a bet.SessionStore.
//
// The right to log in is a row's mark with an end, no lock: nothing is held in the database while
// BeT is asked.
type Sessions struct {
	db  *postgres.DB
	now func() time.Time
}

// NewSessions returns the sessions kept in db.
func NewSessions(db *postgres.DB, now func() time.Time) *Sessions { return &Sessions{db: db, now: now} }

// Index: provider_sessions_pkey, in all of them.
const (
	loadSession = `
	SELECT sealed, coalesce(login_key, ''), logins, login_at, login_refused FROM provider_sessions WHERE provider = $1`

	claimSession = `
	INSERT INTO provider_sessions AS s (provider, sealed, updated_at, claimed_by, claimed_until)
	SELECT $1, '', $5, $2, $4 WHERE $3::bytea = ''
	    ON CONFLICT (provider) DO NOTHING`

	claimKeptSession = `
	UPDATE provider_sessions SET claimed_by = $2, claimed_until = $4
	 WHERE provider = $1 AND sealed = $3 AND (claimed_until IS NULL OR claimed_until <= $5)`

	saveSession = `
	UPDATE provider_sessions
	   SET sealed = $3, login_key = $4, logins = $5, login_at = $6, login_refused = $7, updated_at = $8,
	       claimed_by = NULL, claimed_until = NULL
	 WHERE provider = $1 AND claimed_by = $2`

	replaceSession = `UPDATE provider_sessions SET sealed = $3, updated_at = $4 WHERE provider = $1 AND sealed = $2`

	markAnswered = `UPDATE provider_sessions SET logins = 0 WHERE provider = $1 AND sealed = $2 AND logins > 0`
)

// Load implements bet.SessionStore.
func (s *Sessions) Load(ctx context.Context) (bet.KeptSession, error) {
	rows, err := s.db.Pool.Query(ctx, loadSession, Provider)
	if err != nil {
		return bet.KeptSession{}, fmt.Errorf("load the bookmaker's session: %w", err)
	}
	found, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (bet.KeptSession, error) {
		var kept bet.KeptSession
		var at pgtype.Timestamptz
		err := row.Scan(&kept.Sealed, &kept.Key, &kept.Logins, &at, &kept.Refused)
		kept.LoginAt = postgres.Time(at)
		return kept, err
	})
	if err != nil {
		return bet.KeptSession{}, fmt.Errorf("load the bookmaker's session: %w", err)
	}
	if len(found) == 0 {
		return bet.KeptSession{}, nil
	}
	return found[0], nil
}

// Claim implements bet.SessionStore.
func (s *Sessions) Claim(ctx context.Context, by string, seen []byte, until time.Time) (bool, error) {
	for _, query := range []string{claimSession, claimKeptSession} {
		tag, err := s.db.Pool.Exec(ctx, query, bet.Provider, by, notNull(seen), until, s.now())
		if err != nil {
			return false, fmt.Errorf("claim the bookmaker's login: %w", err)
		}
		if tag.RowsAffected() > 0 {
			return true, nil
		}
	}
	return false, nil
}

// Save implements bet.SessionStore.
func (s *Sessions) Save(ctx context.Context, by string, kept bet.KeptSession) error {
	_, err := s.db.Pool.Exec(ctx, saveSession, bet.Provider, by, notNull(kept.Sealed), kept.Key, kept.Logins,
		postgres.NullTime(kept.LoginAt), kept.Refused, s.now())
	if err != nil {
		return fmt.Errorf("save the bookmaker's session: %w", err)
	}
	return nil
}

// Replace implements bet.SessionStore.
func (s *Sessions) Replace(ctx context.Context, seen, sealed []byte) error {
	if _, err := s.db.Pool.Exec(ctx, replaceSession, bet.Provider, notNull(seen), notNull(sealed), s.now()); err != nil {
		return fmt.Errorf("replace the bookmaker's session: %w", err)
	}
	return nil
}

// Answered implements bet.SessionStore.
func (s *Sessions) Answered(ctx context.Context, seen []byte) error {
	if _, err := s.db.Pool.Exec(ctx, markAnswered, bet.Provider, notNull(seen)); err != nil {
		return fmt.Errorf("mark the bookmaker's session: %w", err)
	}
	return nil
}

// notNull is what the column has for no session.
func notNull(sealed []byte) []byte {
	if sealed == nil {
		return []byte{}
	}
	return sealed
}
