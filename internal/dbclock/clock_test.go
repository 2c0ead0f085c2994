package dbclock

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"evens/internal/postgres"
	"evens/internal/testbed"
)

func TestMain(m *testing.M) { testbed.Main(m) }

// world is a machine and a database whose clocks are set at will. Real time passes by elapse alone.
type world struct {
	elapsed    time.Duration
	wall, base time.Time
	trip       time.Duration // of a question, half of it before the answer is given
	err        error
	log        bytes.Buffer
}

var noon = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

func (w *world) pass(d time.Duration) {
	w.elapsed += d
	w.wall, w.base = w.wall.Add(d), w.base.Add(d)
}

func (w *world) machine() *Local {
	return &Local{Wall: func() time.Time { return w.wall }, Elapsed: func() time.Duration { return w.elapsed }}
}

func (w *world) ask(context.Context) (time.Time, error) {
	w.pass(w.trip / 2)
	at := w.base
	w.pass(w.trip - w.trip/2)
	return at, w.err
}

func open(skew time.Duration) (*world, *Clock) {
	w := &world{wall: noon.Add(skew), base: noon, trip: 2 * time.Millisecond}
	return w, New(w.machine(), slog.New(slog.NewTextHandler(&w.log, nil)))
}

func (w *world) measure(t *testing.T, c *Clock) {
	t.Helper()
	if err := c.Measure(t.Context(), w.ask); err != nil {
		t.Fatal(err)
	}
}

// off is by how much a clock is wrong.
func (w *world) off(c *Clock) time.Duration { return c.Now().Sub(w.base) }

func (w *world) right(t *testing.T, c *Clock, within time.Duration) {
	t.Helper()
	if off := w.off(c); off.Abs() > within {
		t.Errorf("the clock is off by %s, want at most %s", off, within)
	}
}

// Whatever a machine's clock says, the process goes by the database's.
func TestFollowsTheDatabase(t *testing.T) {
	t.Parallel()
	for _, skew := range []time.Duration{0, time.Second, time.Hour, -time.Hour, 3 * 365 * 24 * time.Hour} {
		w, c := open(skew)
		w.measure(t, c)
		w.right(t, c, time.Millisecond)
		w.pass(24 * time.Hour)
		w.right(t, c, time.Millisecond)
		if got := c.Skew(); (got - skew).Abs() > time.Millisecond {
			t.Errorf("Skew() = %s, want %s", got, skew)
		}
		if advice := c.Advice(); (advice != "") != (skew.Abs() > Limit) {
			t.Errorf("skew %s: Advice() = %q", skew, advice)
		}
	}
}

// A step of the machine's clock moves nothing, and shows at once.
func TestAStepOfTheMachinesClockMovesNothing(t *testing.T) {
	t.Parallel()
	for _, step := range []time.Duration{time.Hour, -time.Hour} {
		w, c := open(0)
		w.measure(t, c)
		w.wall = w.wall.Add(step)
		w.pass(time.Minute)
		w.right(t, c, time.Millisecond)
		if got := c.Skew(); (got - step).Abs() > time.Millisecond {
			t.Errorf("Skew() = %s after a step of %s", got, step)
		}
		w.measure(t, c)
		w.right(t, c, time.Millisecond)
	}
}

// While the database is away the clock goes on from what it knew.
func TestGoesOnWhileTheDatabaseIsAway(t *testing.T) {
	t.Parallel()
	w, c := open(-time.Hour)
	w.measure(t, c)
	w.err = errors.New("away")
	for range 100 {
		w.pass(time.Minute)
		if err := c.Measure(t.Context(), w.ask); !errors.Is(err, w.err) {
			t.Fatalf("Measure() = %v, want what the database said", err)
		}
	}
	w.right(t, c, time.Millisecond)
}

// After a fail-over the clock is the new server's, forwards and backwards.
func TestFollowsAFailOver(t *testing.T) {
	t.Parallel()
	for _, by := range []time.Duration{time.Minute, -time.Minute} {
		w, c := open(0)
		w.measure(t, c)
		w.base = w.base.Add(by)
		w.measure(t, c)
		w.right(t, c, time.Millisecond)
	}
}

// A machine whose crystal is slow or fast is corrected at each measurement, and time never runs back.
func TestDriftIsCorrectedWithoutRunningBack(t *testing.T) {
	t.Parallel()
	for _, drift := range []time.Duration{300 * time.Microsecond, -300 * time.Microsecond} { // a second: more than a real crystal
		w, c := open(0)
		w.trip = 100 * time.Microsecond
		w.measure(t, c)
		last := c.Now()
		for range 10_000 {
			w.pass(time.Second)
			w.base = w.base.Add(drift)
			w.measure(t, c)
			w.right(t, c, time.Millisecond)
			if now := c.Now(); now.Before(last) {
				t.Fatalf("the clock went back from %s to %s", last, now)
			} else {
				last = now
			}
		}
	}
}

// An answer that took long says little: what it does not contradict is kept, and the quickest of some counts.
func TestSlowAnswersSayLittle(t *testing.T) {
	t.Parallel()
	w, c := open(0)
	w.measure(t, c)
	w.trip = 4 * time.Second
	lopsided := func(ctx context.Context) (time.Time, error) { // all of the wait comes before the answer
		w.pass(w.trip)
		return w.base, nil
	}
	if err := c.Measure(t.Context(), lopsided); err != nil {
		t.Fatal(err)
	}
	w.right(t, c, time.Millisecond)

	w, c = open(time.Hour)
	trips := []time.Duration{3 * time.Second, time.Millisecond, 2 * time.Second}
	err := c.Measure(t.Context(), func(ctx context.Context) (time.Time, error) {
		w.trip, trips = trips[0], trips[1:]
		w.pass(w.trip) // as lopsided
		return w.base, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	w.right(t, c, time.Millisecond)
}

// A skew is told once, and again when it changes or ends.
func TestASkewIsToldOnceAChange(t *testing.T) {
	t.Parallel()
	w, c := open(time.Hour)
	for _, step := range []struct {
		wall time.Duration
		told string
	}{
		{0, "1h0m0s ahead of"}, {0, ""}, {time.Second, ""},
		{-3 * time.Hour, "1h59m59s behind"}, {0, ""},
		{2*time.Hour - time.Second, "agrees"}, {0, ""}, {time.Second, ""},
	} {
		w.wall = w.wall.Add(step.wall)
		w.log.Reset()
		w.measure(t, c)
		told := w.log.String()
		if step.told == "" && told != "" || !strings.Contains(told, step.told) {
			t.Errorf("after %s: told %q, want %q", step.wall, told, step.told)
		}
	}
}

// Follow measures every few seconds, outlives an outage, and ends.
func TestFollowMeasuresAgainAndAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var server atomic.Int64 // nanoseconds ahead of the machine
		var away atomic.Bool
		c := New(Machine(), slog.New(slog.DiscardHandler))
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			c.Follow(ctx, func(context.Context) (time.Time, error) {
				if away.Load() {
					return time.Time{}, errors.New("away")
				}
				return time.Now().Add(time.Duration(server.Load())), nil
			})
		}()
		off := func() time.Duration { return time.Until(c.Now()) }
		for _, ahead := range []time.Duration{time.Hour, -time.Minute} {
			server.Store(int64(ahead))
			time.Sleep(measureEvery + time.Second)
			synctest.Wait()
			if off() != ahead {
				t.Errorf("the clock is %s ahead, want %s", off(), ahead)
			}
		}
		away.Store(true)
		server.Store(0)
		time.Sleep(time.Hour)
		synctest.Wait()
		if off() != -time.Minute {
			t.Errorf("the clock is %s ahead after an outage, want what it was", off())
		}
		away.Store(false)
		time.Sleep(measureEvery + time.Second)
		synctest.Wait()
		if off() != 0 {
			t.Errorf("the clock is %s ahead, want it right again", off())
		}
		cancel()
		<-ended
	})
}

// Two processes on machines two hours apart tell one time: that of a real database.
func TestProcessesAgree(t *testing.T) {
	t.Parallel()
	db, err := postgres.Open(t.Context(), postgres.Config{URL: testbed.Database(t), MaxConns: 2, HotConns: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	clocks := make([]*Clock, 0, 2)
	for _, skew := range []time.Duration{time.Hour, -time.Hour} {
		machine := Machine()
		wall := machine.Wall
		machine.Wall = func() time.Time { return wall().Add(skew) }
		c := New(machine, slog.New(slog.DiscardHandler))
		if err := c.Measure(t.Context(), Database(db.Pool)); err != nil {
			t.Fatal(err)
		}
		clocks = append(clocks, c)
	}
	if apart := clocks[0].Now().Sub(clocks[1].Now()); apart.Abs() > time.Second {
		t.Errorf("the processes' times are %s apart", apart)
	}
	var ahead bool
	err = db.Pool.QueryRow(t.Context(), `SELECT abs(extract(epoch FROM clock_timestamp() - $1::timestamptz)) > 1`, clocks[0].Now()).Scan(&ahead)
	if err != nil || ahead {
		t.Errorf("the process's time is not the database's: %v", err)
	}
}
