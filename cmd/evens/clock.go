package main

import (
	"context"
	"sync"

	"evens/internal/dbclock"
)

// followClock sets the process by the database's clock, before anything is written, and keeps it there.
func (s *system) followClock(ctx context.Context) error {
	ask := dbclock.Database(s.db.Pool)
	if err := s.clock.Measure(ctx, ask); err != nil {
		return err
	}
	s.clock.StampIDs()
	following, end := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { s.clock.Follow(following, ask) })
	s.onClose(func() {
		end()
		wg.Wait()
	})
	return nil
}
