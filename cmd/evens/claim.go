package main

import (
	"context"
	"sync"
	"time"

	"evens/internal/claim"
	"evens/jobs"
)

// startPatience bounds the first look at Redis: a process starts without one too.
const startPatience = 3 * time.Second

// claimKeys refuses to start beside a copy of this installation on one Redis, and keeps the claim up until the system
// closes. While it is not known whose the keys are, the process goes on: PostgreSQL decides about money, Redis reminds.
func (s *system) claimKeys(ctx context.Context) error {
	first, cancel := context.WithTimeout(ctx, startPatience)
	defer cancel()
	err := s.claim.Hold(first)
	if claim.Foreign(err) {
		return err
	}
	if err == nil {
		err = jobs.RegisterQueues(first, s.redis)
	}
	if err != nil {
		s.log.Warn("this installation's keys in redis are not claimed yet", "error", err)
	}
	watching, stop := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { s.claim.Watch(watching, s.log, func(err error) { s.told(watching, err) }) })
	s.onClose(func() {
		stop()
		wg.Wait()
	})
	return nil
}

// told hears how the claim stands, every few seconds.
func (s *system) told(ctx context.Context, err error) {
	switch {
	case claim.Foreign(err):
		s.own.set(false)
	case err == nil:
		s.own.set(true)
		ctx, cancel := context.WithTimeout(ctx, startPatience)
		defer cancel()
		if err := jobs.RegisterQueues(ctx, s.redis); err != nil {
			s.log.Warn("the queues are not registered", "error", err)
		}
	}
}

// whileOwn runs start while the keys in Redis are this installation's, and stop when they are not any more or ctx
// ends.
func (s *system) whileOwn(ctx context.Context, start func() (stop func(), err error)) error {
	for s.own.wait(ctx, true) {
		stop, err := start()
		if err != nil {
			return err
		}
		s.own.wait(ctx, false)
		stop()
	}
	return nil
}

// standing is whether something holds, for those who wait for it.
type standing struct {
	mu      sync.Mutex
	holds   bool
	changed chan struct{}
}

func newStanding(holds bool) *standing { return &standing{holds: holds, changed: make(chan struct{})} }

func (s *standing) set(holds bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.holds == holds {
		return
	}
	s.holds = holds
	close(s.changed)
	s.changed = make(chan struct{})
}

// wait returns true once it is as wanted, false when ctx ends before.
func (s *standing) wait(ctx context.Context, wanted bool) bool {
	for {
		s.mu.Lock()
		holds, changed := s.holds, s.changed
		s.mu.Unlock()
		if ctx.Err() != nil {
			return false
		}
		if holds == wanted {
			return true
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return false
		}
	}
}
