package bet

import (
	"bytes"
	"context"
	"sync"
	"time"
)

// SessionStore keeps one session for all processes that are one partner user. Its bytes are
// opaque and useless without the password; whatever a store loses or mixes up costs a login.
type SessionStore interface {
	// Load returns what is kept; the zero KeptSession where nothing is.
	Load(ctx context.Context) (KeptSession, error)
	// Claim gives by the right to log in, until a time: false while another has it, or when the
	// sealed session is not the one that by has seen.
	Claim(ctx context.Context, by string, seen []byte, until time.Time) (bool, error)
	// Save keeps what came of the login that by had claimed, and ends the claim. It does nothing
	// where the claim has gone to another.
	Save(ctx context.Context, by string, kept KeptSession) error
	// Replace exchanges the sealed session where it is still the one seen; nil drops it.
	Replace(ctx context.Context, seen, sealed []byte) error
	// Answered says that BeT has answered on a session: Logins is zero from now on.
	Answered(ctx context.Context, seen []byte) error
}

// KeptSession is what processes know together of the session at BeT.
type KeptSession struct {
	// Sealed is the session, empty where there is none.
	Sealed []byte
	// Key tells of which login and password the rest speaks.
	Key []byte
	// Logins counts those since BeT last answered on a session; one that BeT refused counts as two
	// at least. LoginAt is the last one's time, Refused that BeT did not take it.
	Logins  int
	LoginAt time.Time
	Refused bool
}

// memory is a SessionStore of one process, for clients without a store and while theirs is away.
type memory struct {
	now func() time.Time

	mu    sync.Mutex
	kept  KeptSession
	by    string
	until time.Time
}

func (m *memory) Load(context.Context) (KeptSession, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.kept, nil
}

func (m *memory) Claim(_ context.Context, by string, seen []byte, until time.Time) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.by != "" && m.until.After(m.now()) || !bytes.Equal(m.kept.Sealed, seen) {
		return false, nil
	}
	m.by, m.until = by, until
	return true, nil
}

func (m *memory) Save(_ context.Context, by string, kept KeptSession) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.by == by {
		m.kept, m.by = kept, ""
	}
	return nil
}

func (m *memory) Replace(_ context.Context, seen, sealed []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if bytes.Equal(m.kept.Sealed, seen) {
		m.kept.Sealed = sealed
	}
	return nil
}

func (m *memory) Answered(_ context.Context, seen []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if bytes.Equal(m.kept.Sealed, seen) {
		m.kept.Logins = 0
	}
	return nil
}
