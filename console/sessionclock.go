package console

import (
	"context"
	"time"

	"github.com/alexedwards/scs/v2"
)

// The library of the sessions dates their ends by the machine's clock; what is kept, for other processes
// too, goes by the database's.

// datedStore keeps sessions with their ends by now.
type datedStore struct {
	scs.Store
	now func() time.Time
}

// Commit implements scs.Store.
func (s datedStore) Commit(token string, data []byte, expiry time.Time) error {
	return s.Store.Commit(token, data, ours(expiry, s.now))
}

// FindCtx implements scs.CtxStore.
func (s datedStore) FindCtx(ctx context.Context, token string) (data []byte, found bool, err error) {
	if store, ok := s.Store.(scs.CtxStore); ok {
		return store.FindCtx(ctx, token)
	}
	return s.Find(token)
}

// CommitCtx implements scs.CtxStore.
func (s datedStore) CommitCtx(ctx context.Context, token string, data []byte, expiry time.Time) error {
	if store, ok := s.Store.(scs.CtxStore); ok {
		return store.CommitCtx(ctx, token, data, ours(expiry, s.now))
	}
	return s.Commit(token, data, expiry)
}

// DeleteCtx implements scs.CtxStore.
func (s datedStore) DeleteCtx(ctx context.Context, token string) error {
	if store, ok := s.Store.(scs.CtxStore); ok {
		return store.DeleteCtx(ctx, token)
	}
	return s.Delete(token)
}

// datedCodec does the same for the end that is written into a session.
type datedCodec struct {
	scs.Codec
	now func() time.Time
}

// Encode implements scs.Codec.
func (c datedCodec) Encode(deadline time.Time, values map[string]any) ([]byte, error) {
	return c.Codec.Encode(ours(deadline, c.now), values)
}

// Decode implements scs.Codec.
func (c datedCodec) Decode(data []byte) (time.Time, map[string]any, error) {
	deadline, values, err := c.Codec.Decode(data)
	return time.Now().Add(deadline.Sub(c.now())), values, err
}

// ours is a time of the machine's clock by now.
func ours(at time.Time, now func() time.Time) time.Time { return now().Add(time.Until(at)) }
