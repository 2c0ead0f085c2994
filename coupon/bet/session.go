package bet

import (
	"context"
	"sync"
)

// session is one login: its pointer is its identity, its cookies may be renewed by any answer.
type session struct {
	cookies *jar
}

// keeper hands out the session all callers share. However many find it gone at once, one of
// them makes the new one and the others wait for it.
type keeper struct {
	logIn func(ctx context.Context) (*session, error)
	vault vault

	mu      sync.Mutex
	current *session
	opening *opening
	// opened is set once a session was ever asked for. Only then the vault is consulted: after
	// that its content is what was just refused.
	opened bool
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
		go k.open(context.WithoutCancel(ctx), o)
	}
	k.mu.Unlock()
	select {
	case <-o.done:
		return o.session, o.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// forget drops a session that BeT refused, unless another one took its place already.
func (k *keeper) forget(s *session) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.current == s {
		k.current = nil
	}
}

// open makes a session: the kept one the first time, a login otherwise.
func (k *keeper) open(ctx context.Context, o *opening) {
	if !k.opened {
		k.opened = true // openings never overlap, so this needs no lock
		o.session = k.vault.load(ctx)
	}
	if o.session == nil {
		o.session, o.err = k.logIn(ctx)
		if o.err == nil {
			k.vault.save(ctx, o.session)
		}
	}
	k.mu.Lock()
	k.current, k.opening = o.session, nil
	k.mu.Unlock()
	close(o.done)
}
