package bet

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
)

// session is one login: its pointer is its identity, its cookies may be renewed by any answer.
type session struct {
	cookies *jar
	// logins is how many logins without an answer it is the last of, loginAt its time.
	logins  int
	loginAt time.Time
	// proven is set once BeT itself has answered on it.
	proven atomic.Bool

	mu     sync.Mutex
	plain  string // the cookies as they are kept
	sealed []byte // and sealed: what the store knows the session by
}

// seal is what the store knows the session by.
func (s *session) seal() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sealed
}

// How long a login is let be after some that did not help: nothing after the first, then 5 s,
// doubling up to 5 minutes.
const (
	firstPause   = 5 * time.Second
	longestPause = 5 * time.Minute
)

func pause(logins int) time.Duration {
	if logins < 2 {
		return 0
	}
	return min(firstPause<<min(logins-2, 10), longestPause)
}

// errPaused says that no login is tried for a while, since the last ones did not help.
var errPaused = errors.New("bet logins are paused")

// keeper hands out the session that all callers share, here and in other processes. However many
// find it gone at once, one of them in one process makes the new one, and the others wait for it.
type keeper struct {
	logIn func(ctx context.Context) (*session, error)
	vault vault
	key   []byte
	// claimFor is longer than logIn takes.
	claimFor time.Duration
	now      func() time.Time

	mu      sync.Mutex
	current *session
	dead    []byte // the seal of the session dropped last
	opening *opening
	doubted time.Time
}

// opening is a session being made. Its fields may be read once done is closed.
type opening struct {
	done    chan struct{}
	session *session
	err     error
}

// get returns the current session, or waits for one until ctx ends.
func (k *keeper) get(ctx context.Context) (*session, error) {
	k.mu.Lock()
	if s := k.current; s != nil {
		k.mu.Unlock()
		return s, nil
	}
	o := k.opening
	if o == nil {
		o = &opening{done: make(chan struct{})}
		k.opening = o
		// The opening outlives a caller that gives up, since others wait for it; the timeouts of
		// its calls end it.
		go k.open(context.WithoutCancel(ctx), o, k.dead)
	}
	k.mu.Unlock()
	select {
	case <-o.done:
		return o.session, o.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// open makes a session for all who wait.
func (k *keeper) open(ctx context.Context, o *opening, dead []byte) {
	// Whoever claimed the login has twice its time; then something is wrong with the clocks.
	ctx, cancel := context.WithTimeout(ctx, 2*k.claimFor)
	defer cancel()
	o.session, o.err = k.renew(ctx, dead)
	k.mu.Lock()
	k.current, k.opening = o.session, nil
	k.mu.Unlock()
	close(o.done)
}

// waitForLogin is how often it is looked whether another process has logged in.
const waitForLogin = 50 * time.Millisecond

// renew takes over the kept session, unless it is the dead one; else it logs in, when no other
// process does.
func (k *keeper) renew(ctx context.Context, dead []byte) (*session, error) {
	by := uuid.NewString()
	for {
		kept, store := k.vault.load(ctx)
		if !bytes.Equal(kept.Sealed, dead) {
			if s := k.vault.open(kept); s != nil {
				s.proven.Store(kept.Logins == 0)
				return s, nil
			}
		}
		if !bytes.Equal(kept.Key, k.key) {
			kept.Logins, kept.Refused = 0, false // of another password: it may be right now
		}
		if until := kept.LoginAt.Add(pause(kept.Logins)); kept.Logins > 0 && k.now().Before(until) {
			return nil, paused(kept, until)
		}
		claimed, err := store.Claim(ctx, by, kept.Sealed, k.now().Add(k.claimFor))
		if err != nil {
			k.vault.log.Warn("bet login not claimed", "error", err)
			return k.claimedLogin(ctx, by, kept, k.vault.memory)
		}
		if claimed {
			return k.claimedLogin(ctx, by, kept, store)
		}
		select {
		case <-time.After(waitForLogin):
		case <-ctx.Done():
			return nil, errors.New("another process is logging in to bet")
		}
	}
}

func paused(kept KeptSession, until time.Time) error {
	text := until.UTC().Format(time.TimeOnly)
	if kept.Refused {
		return fmt.Errorf("%w: %w until %s", ErrLogin, errPaused, text)
	}
	return fmt.Errorf("%w until %s: sessions were refused when they were new", errPaused, text)
}

// claimedLogin logs in and keeps what came of it.
func (k *keeper) claimedLogin(ctx context.Context, by string, kept KeptSession, store SessionStore) (*session, error) {
	s, err := k.logIn(ctx)
	now := k.now()
	switch {
	case err == nil:
		plain, marshalErr := s.cookies.marshal()
		if marshalErr != nil {
			return nil, fmt.Errorf("write the bet session down: %w", marshalErr)
		}
		s.plain, s.sealed = string(plain), k.vault.seal.seal(plain)
		kept = KeptSession{Sealed: s.sealed, Key: k.key, Logins: kept.Logins + 1, LoginAt: now}
		s.logins, s.loginAt = kept.Logins, now
	case errors.Is(err, ErrLogin):
		kept = KeptSession{Key: k.key, Logins: max(kept.Logins+1, 2), LoginAt: now, Refused: true}
	}
	k.vault.do(ctx, "saved", func(ctx context.Context) error { return store.Save(ctx, by, kept) })
	return s, err
}

// forget drops a session on which BeT did not answer as it does, unless another one took its
// place already. A session that is the last of several logins without an answer is not what is
// wrong: it stays until the next login is due.
func (k *keeper) forget(ctx context.Context, s *session) {
	k.mu.Lock()
	drop := k.current == s && (s.proven.Load() || !k.now().Before(s.loginAt.Add(pause(s.logins))))
	if drop {
		k.current, k.dead = nil, s.seal()
	}
	k.mu.Unlock()
	if drop { // no process shall take it over
		k.vault.log.Info("bet session dropped")
		k.vault.do(ctx, "dropped", func(ctx context.Context) error { return k.vault.store.Replace(ctx, s.seal(), nil) })
	}
}

// doubt forgets a session, at most every few seconds: it is for answers that may as well be about
// the request, or that other calls on the session contradict.
func (k *keeper) doubt(ctx context.Context, s *session) {
	k.mu.Lock()
	now := k.now()
	again := now.Sub(k.doubted) < firstPause
	if !again {
		k.doubted = now
	}
	k.mu.Unlock()
	if !again {
		k.forget(ctx, s)
	}
}

// is reports whether a session is the one that is handed out.
func (k *keeper) is(s *session) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.current == s
}

// answered notes that BeT itself has answered on a session.
func (k *keeper) answered(ctx context.Context, s *session) {
	if s.proven.Swap(true) {
		return
	}
	k.vault.do(ctx, "marked as good", func(ctx context.Context) error { return k.vault.store.Answered(ctx, s.seal()) })
}

// renewed keeps the cookies that an answer has changed, for the other processes.
func (k *keeper) renewed(ctx context.Context, s *session, r reply) {
	if !r.setsCookies {
		return
	}
	plain, err := s.cookies.marshal()
	if err != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if string(plain) == s.plain {
		return
	}
	seen := s.sealed
	s.plain, s.sealed = string(plain), k.vault.seal.seal(plain)
	k.vault.do(ctx, "saved", func(ctx context.Context) error { return k.vault.store.Replace(ctx, seen, s.sealed) })
}
