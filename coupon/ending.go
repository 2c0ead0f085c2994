package coupon

import (
	"context"
	"fmt"
	"sync"
	"time"

	"evens/internal/postgres"
)

// ErrStopping says that this process takes no more coupons. Nothing has happened: another process may take it.
var ErrStopping = fmt.Errorf("shutting down: %w", postgres.ErrUnavailable)

// ending is how a desk comes to its end: first it takes no more coupons, then it no longer waits for the database.
type ending struct {
	mu      sync.Mutex
	stopped bool
	under   sync.WaitGroup // placements under way
	tries   context.Context
	giveUp  context.CancelFunc
}

func newEnding() *ending {
	e := &ending{}
	e.tries, e.giveUp = context.WithCancel(context.Background())
	return e
}

// enter counts a placement, unless the desk is closed.
func (e *ending) enter() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.stopped {
		return false
	}
	e.under.Add(1)
	return true
}

// Stop has the desk refuse coupons with [ErrStopping] from now on. Placements under way go on: what BeT answers is
// tried to be written down until patience is over, and is spooled then.
func (d *Desk) Stop(patience time.Duration) {
	d.ending.mu.Lock()
	defer d.ending.mu.Unlock()
	if d.ending.stopped {
		return
	}
	d.ending.stopped = true
	time.AfterFunc(patience, d.ending.giveUp)
}

// Force is Stop without patience: what BeT has answered and answers from now on is spooled at once.
func (d *Desk) Force() {
	d.Stop(0)
	d.ending.giveUp()
}

// Wait returns when every placement under way has been recorded, or spooled. No new ones come after Stop.
func (d *Desk) Wait() { d.ending.under.Wait() }
