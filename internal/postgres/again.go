package postgres

import (
	"context"
	"time"
)

const (
	// changeWait is for longer than a migration's step keeps a table from others while it waits for it.
	changeWait = 2 * time.Second
	againPause = 10 * time.Millisecond
)

// Again runs a read of the hot pool again that a lock got in the way of: no row's, for reads wait for none, but a
// migration's that waits for the table. do starts from nothing each time.
func Again(ctx context.Context, do func() error) error {
	began := time.Now()
	for {
		err := do()
		if !LockTimeout(err) || time.Since(began) > changeWait {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(againPause):
		}
	}
}
