package servers

import "context"

// StopPostgres stops PostgreSQL under everyone who uses it, in order. It is for tests of
// outages, as its three siblings are; a held server that was stopped needs no Start before
// Release.
func (s *Servers) StopPostgres(ctx context.Context) error {
	s.watch.pause(s.postgres)
	return s.postgres.stop(ctx)
}

// StartPostgres brings PostgreSQL back, at the same URL and with its data.
func (s *Servers) StartPostgres(ctx context.Context) error {
	defer s.watch.resume(s.postgres)
	_, err := s.postgres.ensure(ctx, false)
	return err
}

// StopRedis stops Redis under everyone who uses it. What is not durable is gone: all of it
// with Options.Fast or where Redis runs in this process.
func (s *Servers) StopRedis(ctx context.Context) error {
	s.watch.pause(s.redis)
	return s.redis.stop(ctx)
}

// StartRedis brings Redis back at the same URL.
func (s *Servers) StartRedis(ctx context.Context) error {
	defer s.watch.resume(s.redis)
	return s.redis.ensure(ctx, false)
}
