// Package dbclock tells the database's time. Processes run on machines whose clocks differ; the rows that
// they write and judge share one database, so its clock is the one that counts.
package dbclock

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

// Limit is how far the machine's clock may be from the database's before somebody is told.
const Limit = 2 * time.Second

const (
	measureEvery   = 5 * time.Second
	measureTimeout = 2 * time.Second
	// Of some measurements the one with the shortest round trip is the most exact.
	measurements = 3
	// standStill is up to which correction backwards the clock stands still, and does not run back.
	standStill = time.Second
)

// Source asks the database once for its time.
type Source func(ctx context.Context) (time.Time, error)

// Local is the machine's own time. Both fields are required.
type Local struct {
	// Wall is its clock, which people and time servers may set at any moment.
	Wall func() time.Time
	// Elapsed never jumps: the time since some fixed moment.
	Elapsed func() time.Duration
}

// Machine is the machine that the process runs on.
func Machine() *Local {
	start := time.Now()
	return &Local{
		Wall:    func() time.Time { return time.Now().UTC().Round(0) }, // without Go's monotonic reading
		Elapsed: func() time.Duration { return time.Since(start) },
	}
}

// Clock follows the database's clock. Between two measurements it goes on by the machine's monotonic time,
// so neither a step of the machine's clock nor an outage of the database moves it. Until the first
// measurement it is the machine's clock. It is safe for concurrent use.
type Clock struct {
	local *Local
	log   *slog.Logger
	state atomic.Pointer[reading]

	mu      sync.Mutex // held while measuring
	skewed  bool       // the last that was told
	toldFor time.Duration
}

// reading is what the time was at a moment, and which time the clock does not go back behind.
type reading struct {
	elapsed time.Duration
	time    time.Time
	floor   time.Time
}

// New returns a clock that has not been measured yet.
func New(local *Local, log *slog.Logger) *Clock {
	c := &Clock{local: local, log: log}
	c.state.Store(&reading{elapsed: local.Elapsed(), time: local.Wall()})
	return c
}

// Now is the database's time, in UTC.
func (c *Clock) Now() time.Time { return c.state.Load().at(c.local.Elapsed()) }

func (r *reading) at(elapsed time.Duration) time.Time {
	now := r.time.Add(elapsed - r.elapsed)
	if now.Before(r.floor) {
		return r.floor
	}
	return now
}

// Skew is by how much the machine's clock is ahead of the database's; negative: behind.
func (c *Clock) Skew() time.Duration { return c.local.Wall().Sub(c.Now()) }

// Advice says what an operator should mend; empty: the clocks agree.
func (c *Clock) Advice() string {
	skew := c.Skew()
	if skew.Abs() <= Limit {
		return ""
	}
	return fmt.Sprintf("the clock of this machine is %s the database's: set both by a time server", describe(skew))
}

func describe(skew time.Duration) string {
	if skew < 0 {
		return skew.Abs().Round(100*time.Millisecond).String() + " behind"
	}
	return skew.Round(100*time.Millisecond).String() + " ahead of"
}

// Measure asks the database for its time and corrects the clock by it. After an error the clock goes on
// as it did.
func (c *Clock) Measure(ctx context.Context, ask Source) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	best, err := c.sample(ctx, ask)
	for range measurements - 1 {
		if err != nil {
			break
		}
		var next sample
		if next, err = c.sample(ctx, ask); err == nil && next.trip < best.trip {
			best = next
		}
	}
	if err != nil {
		return fmt.Errorf("read the database's clock: %w", err)
	}
	c.correct(best)
	c.tell(ctx)
	return nil
}

// sample is one answer: the database's time at a moment half-way between question and answer.
type sample struct {
	elapsed time.Duration
	time    time.Time
	trip    time.Duration
}

func (c *Clock) sample(ctx context.Context, ask Source) (sample, error) {
	asked := c.local.Elapsed()
	at, err := ask(ctx)
	trip := c.local.Elapsed() - asked
	return sample{elapsed: asked + trip/2, time: at.UTC().Round(0), trip: trip}, err
}

// correct follows an answer that the clock contradicts: the answer was given somewhere between question
// and answer, so what lies within half the round trip is no contradiction.
func (c *Clock) correct(s sample) {
	state := c.state.Load()
	off := s.time.Sub(state.at(s.elapsed))
	if off.Abs() <= s.trip/2 {
		return
	}
	next := &reading{elapsed: s.elapsed, time: s.time}
	if off < 0 && off > -standStill {
		next.floor = state.at(c.local.Elapsed())
	}
	c.state.Store(next)
}

// tell logs once what changed about the skew.
func (c *Clock) tell(ctx context.Context) {
	skew := c.Skew()
	skewed := skew.Abs() > Limit
	switch {
	case skewed && (!c.skewed || (skew-c.toldFor).Abs() > Limit):
		c.log.WarnContext(ctx, "the clock of this machine is "+describe(skew)+" the database's; the database's is used",
			"skew_seconds", skew.Seconds())
		c.toldFor = skew
	case !skewed && c.skewed:
		c.log.InfoContext(ctx, "the clock of this machine agrees with the database's again", "skew_seconds", skew.Seconds())
	}
	c.skewed = skewed
}

// Follow measures every few seconds until ctx ends.
func (c *Clock) Follow(ctx context.Context, ask Source) {
	tick := time.NewTicker(measureEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		trying, cancel := context.WithTimeout(ctx, measureTimeout)
		if err := c.Measure(trying, ask); err != nil {
			c.log.DebugContext(ctx, "the clock goes on unmeasured", "error", err)
		}
		cancel()
	}
}

// Database asks a database. What it waits for a connection of the pool counts into the round trip, and
// the shortest of some is used.
func Database(pool *pgxpool.Pool) Source {
	return func(ctx context.Context) (at time.Time, err error) {
		err = pool.QueryRow(ctx, `SELECT clock_timestamp()`).Scan(&at)
		return at, err
	}
}
