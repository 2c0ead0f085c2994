package bet

import (
	"context"
	"log/slog"
	"time"
)

// vault is a SessionStore that opens and seals, and never fails: while the store is away, what
// this process knows by itself takes its place.
type vault struct {
	store, memory SessionStore
	seal          sealer
	timeout       time.Duration
	now           func() time.Time
	log           *slog.Logger
}

// load returns what is kept, and the store that it came from.
func (v vault) load(ctx context.Context) (KeptSession, SessionStore) {
	ctx, cancel := context.WithTimeout(ctx, v.timeout)
	defer cancel()
	kept, err := v.store.Load(ctx)
	if err == nil {
		return kept, v.store
	}
	v.log.Warn("bet session not loaded", "error", err)
	kept, _ = v.memory.Load(ctx) // never fails
	return kept, v.memory
}

// open makes a session of what is kept: nil where there is none that can be used.
func (v vault) open(kept KeptSession) *session {
	if len(kept.Sealed) == 0 {
		return nil
	}
	plain, err := v.seal.open(kept.Sealed)
	if err != nil {
		v.log.Warn("kept bet session does not open, another password or owner", "error", err)
		return nil
	}
	cookies := newJar(v.now)
	if err := cookies.unmarshal(plain); err != nil {
		v.log.Warn("kept bet session unreadable", "error", err)
		return nil
	}
	if len(cookies.kept) == 0 {
		return nil // all expired
	}
	v.log.Info("bet session taken over")
	return &session{cookies: cookies, plain: string(plain), sealed: kept.Sealed, logins: kept.Logins, loginAt: kept.LoginAt}
}

// do runs one operation on a store within the vault's time, and logs what goes wrong.
func (v vault) do(ctx context.Context, what string, operation func(ctx context.Context) error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), v.timeout)
	defer cancel()
	if err := operation(ctx); err != nil {
		v.log.Warn("bet session not "+what, "error", err)
	}
}
