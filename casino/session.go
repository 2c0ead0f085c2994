package casino

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"evens/internal/dbclock"
	"evens/internal/lookup"
	"evens/internal/postgres"
	"evens/player"
)

// SessionTTL is how long a launched game may be bet from, unless it is ended before (TG's
// document recommends it).
const SessionTTL = 24 * time.Hour

// Session is a launched game: whose, at which platform, and the token that stands for it there.
type Session struct {
	ID       uuid.UUID
	Player   player.Identity
	Provider string
	Game     string
	Demo     bool
	Expires  time.Time
}

// Sessions keeps game sessions. It is safe for concurrent use.
type Sessions struct {
	db     *postgres.DB
	now    func() time.Time
	lookup *lookup.Lookup[digest, Session]

	mu    sync.RWMutex
	known map[digest]Session
}

// mostSessions bounds the memory of sessions; beyond it they are forgotten and read again.
const mostSessions = 100_000

type digest [sha256.Size]byte

// NewSessions returns the sessions kept in db.
func NewSessions(db *postgres.DB, now func() time.Time) *Sessions {
	s := &Sessions{db: db, now: now, known: make(map[digest]Session)}
	s.lookup = lookup.New(s.fetch)
	return s
}

const insertSession = `
	INSERT INTO game_sessions (id, hash, player_id, provider, currency, game_id, mode, created_at, expires_at)
	VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`

// Open makes a session and its token, which is seen this once: 32 characters that cannot be
// guessed.
func (s *Sessions) Open(ctx context.Context, provider string, who player.Identity, game string, demo bool) (Session, string, error) {
	random := make([]byte, 16)
	_, _ = rand.Read(random) // never fails
	token := fmt.Sprintf("%x", random)
	now := s.now()
	session := Session{
		ID: dbclock.NewID(), Player: who, Provider: provider, Game: game, Demo: demo, Expires: now.Add(SessionTTL),
	}
	mode := "real"
	if demo {
		mode = "demo"
	}
	hash := digestOf(token)
	_, err := s.db.Pool.Exec(ctx, insertSession, session.ID, hash[:], who.ID, provider, string(who.Currency), game, mode, now, session.Expires)
	if err != nil {
		return Session{}, "", fmt.Errorf("open a game session: %w", err)
	}
	return session, token, nil
}

func digestOf(token string) digest { return sha256.Sum256([]byte(token)) }

// Find returns the session of a token, open or not, or ErrSession. What it was made for never
// changes, so it is remembered; whether it is open is asked with each bet.
func (s *Sessions) Find(ctx context.Context, provider, token string) (Session, error) {
	if token == "" || len(token) > MaxID {
		return Session{}, ErrSession
	}
	hash := digestOf(token)
	s.mu.RLock()
	session, ok := s.known[hash]
	s.mu.RUnlock()
	if !ok {
		var err error
		if session, ok, err = s.lookup.Get(ctx, hash); err != nil {
			return Session{}, fmt.Errorf("find game session: %w", err)
		}
		if ok {
			s.remember(hash, session)
		}
	}
	if !ok || session.Provider != provider {
		return Session{}, ErrSession
	}
	return session, nil
}

func (s *Sessions) remember(hash digest, session Session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.known) >= mostSessions {
		clear(s.known)
	}
	s.known[hash] = session
}

// Indexes: game_sessions_hash, players_pkey.
const readSessions = `
	SELECT s.hash, s.id, s.provider, s.game_id, s.mode = 'demo', s.expires_at, p.id, p.external_id, p.currency
	  FROM game_sessions s JOIN players p ON p.id = s.player_id
	 WHERE s.hash = ANY ($1)`

func (s *Sessions) fetch(ctx context.Context, hashes []digest) (map[digest]Session, error) {
	keys := make([][]byte, len(hashes))
	for i := range hashes {
		keys[i] = hashes[i][:]
	}
	rows, err := s.db.Pool.Query(ctx, readSessions, keys)
	if err != nil {
		return nil, err
	}
	found := make(map[digest]Session, len(hashes))
	var hash []byte
	var one Session
	who := &one.Player
	_, err = pgx.ForEachRow(rows, []any{&hash, &one.ID, &one.Provider, &one.Game, &one.Demo, &one.Expires, &who.ID, &who.ExternalID, &who.Currency}, func() error {
		found[digest(hash)] = one
		return nil
	})
	return found, err
}

// Index: game_sessions_pkey.
const readOpen = `SELECT EXISTS (SELECT FROM game_sessions WHERE id = $1 AND ended_at IS NULL AND expires_at > $2)`

// FindOpen is Find for a session that may be played in now, else ErrSession.
func (s *Sessions) FindOpen(ctx context.Context, provider, token string) (Session, error) {
	session, err := s.Find(ctx, provider, token)
	if err != nil {
		return Session{}, err
	}
	var open bool
	if err := s.db.Pool.QueryRow(ctx, readOpen, session.ID, s.now()).Scan(&open); err != nil {
		return Session{}, fmt.Errorf("find game session: %w", err)
	}
	if !open {
		return Session{}, ErrSession
	}
	return session, nil
}

// Indexes: game_sessions_pkey, game_sessions_player.
const (
	endSession  = `UPDATE game_sessions SET ended_at = $2 WHERE id = $1 AND ended_at IS NULL AND ($3::uuid IS NULL OR player_id = $3)`
	endSessions = `UPDATE game_sessions SET ended_at = $2 WHERE player_id = $1 AND ended_at IS NULL`
)

// End closes a session: no bet is taken from it any more. Where owner is valid it must be its
// player. It reports whether there was one to close.
func (s *Sessions) End(ctx context.Context, id uuid.UUID, owner uuid.NullUUID) (bool, error) {
	tag, err := s.db.Pool.Exec(ctx, endSession, id, s.now(), owner)
	if err != nil {
		return false, fmt.Errorf("end game session: %w", err)
	}
	return tag.RowsAffected() > 0, nil
}

// EndAll closes every session of a player, who has logged out.
func (s *Sessions) EndAll(ctx context.Context, id uuid.UUID) error {
	if _, err := s.db.Pool.Exec(ctx, endSessions, id, s.now()); err != nil {
		return fmt.Errorf("end a player's game sessions: %w", err)
	}
	return nil
}
