package bet

import (
	"context"
	"log/slog"
	"time"
)

// vault keeps a session beyond the process. It only ever saves a login: whatever goes wrong
// with it is logged and otherwise as if nothing had been kept.
type vault struct {
	store   SessionStore
	seal    sealer
	timeout time.Duration
	now     func() time.Time
	log     *slog.Logger
}

// load returns the kept session, nil without a usable one.
func (v vault) load(ctx context.Context) *session {
	if v.store == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, v.timeout)
	defer cancel()
	sealed, err := v.store.Load(ctx)
	if err != nil {
		v.log.Warn("bet session not loaded", "error", err)
		return nil
	}
	if len(sealed) == 0 {
		return nil
	}
	plain, err := v.seal.open(sealed)
	if err != nil {
		v.log.Warn("kept bet session does not open, another password or owner", "error", err)
		return nil
	}
	cookies := newJar(v.now)
	if err := cookies.unmarshal(plain); err != nil {
		v.log.Warn("kept bet session unreadable", "error", err)
		return nil
	}
	if len(cookies.Cookies(nil)) == 0 {
		return nil // all expired
	}
	v.log.Info("bet session taken over")
	return &session{cookies: cookies}
}

// save keeps the session for the next process.
func (v vault) save(ctx context.Context, s *session) {
	if v.store == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, v.timeout)
	defer cancel()
	plain, err := s.cookies.marshal()
	if err == nil {
		err = v.store.Save(ctx, v.seal.seal(plain))
	}
	if err != nil {
		v.log.Warn("bet session not saved", "error", err)
	}
}
