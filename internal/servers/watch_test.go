package servers

import (
	"context"
	"errors"
	"os"
	"slices"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// Killed under those who use them, the servers are back by themselves, with their data and at their URLs.
func TestKilledServersComeBack(t *testing.T) {
	t.Parallel()
	var lines logLines
	opts := Options{Dir: folder(t), Postgres: true, Redis: true, Log: lines.logger()}
	s := acquire(t, opts)
	second := acquire(t, opts) // both watch: one of them starts what has ended
	query(t, s, "CREATE TABLE kept AS SELECT 'yes' AS v")
	url, redisURL := s.DatabaseURL(), s.RedisURL()
	for range 2 {
		crashPostgres(t, s)
		killAll(t, s.redis.pid(t.Context()), s.redis.conf)
		wantBack(t, s)
		if got := query(t, s, "SELECT v FROM kept"); got != "yes" {
			t.Errorf("after it was killed the row reads %q, want yes", got)
		}
	}
	if s.DatabaseURL() != url || s.RedisURL() != redisURL {
		t.Error("servers that were started again have other URLs")
	}
	for deadline := time.Now().Add(time.Minute); lines.count("was started again") < 4; time.Sleep(poll) {
		if time.Now().After(deadline) {
			t.Fatalf("want 4 lines that say that a server was started again:\n%s", &lines)
		}
	}
	for _, mark := range []string{s.redis.conf, s.postgres.mark()} {
		if n := len(processesOf(t, mark)); n != 1 {
			t.Errorf("%d servers of %s, want 1", n, mark)
		}
	}
	release(t, s)
	wantRunning(t, second, true)
	release(t, second)
	wantRunning(t, second, false)
}

// wantBack waits until both servers answer.
func wantBack(t *testing.T, s *Servers) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(5 * poll) {
		_, err := tryQuery(t.Context(), s.DatabaseURL(), "SELECT 'up'")
		if err = errors.Join(err, redisPing(t.Context(), s.RedisURL())); err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("the servers did not come back: %v", err)
		}
	}
}

// A folder that was taken away under its users is not filled with a new, empty cluster.
func TestNoEmptyClusterInAPlaceOfAnother(t *testing.T) {
	t.Parallel()
	var lines logLines
	s := acquire(t, Options{Dir: folder(t), Postgres: true, Fast: true, Log: lines.logger()})
	away := s.postgres.data + ".away"
	if err := os.Rename(s.postgres.data, away); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(readPostmaster(away).pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(time.Minute); lines.count("the data that were served are gone") == 0; time.Sleep(poll) {
		if time.Now().After(deadline) {
			t.Fatalf("nothing is said of the lost data:\n%s", &lines)
		}
	}
	if _, err := os.Stat(s.postgres.data); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a new cluster was made: %v", err)
	}
	if err := os.Rename(away, s.postgres.data); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(time.Minute); lines.count("was started again") == 0; time.Sleep(poll) {
		if time.Now().After(deadline) {
			t.Fatalf("PostgreSQL does not come back with its data:\n%s", &lines)
		}
	}
	wantRunning(t, s, true)
}

// A test's outage lasts until the test ends it.
func TestOutageIsNotMended(t *testing.T) {
	t.Parallel()
	s := acquire(t, both(folder(t)))
	if err := errors.Join(s.StopPostgres(t.Context()), s.StopRedis(t.Context())); err != nil {
		t.Fatal(err)
	}
	time.Sleep(3 * watchEvery) // nothing tells of what does not happen
	wantRunning(t, s, false)
}

// mortal is a server that ends at once, or does not start, as often as it is told.
type mortal struct {
	mu     sync.Mutex
	lives  bool
	fail   error
	starts []time.Time
}

func (m *mortal) name() string { return "mortal" }

func (m *mortal) alive(context.Context) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.lives
}

func (m *mortal) revive(context.Context) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.starts = append(m.starts, time.Now())
	return m.fail == nil, m.fail
}

func (m *mortal) become(alive bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.lives, m.starts = alive, nil
}

func (m *mortal) started() []time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.starts)
}

func (m *mortal) pauses() []time.Duration {
	var list []time.Duration
	starts := m.started()
	for i := 1; i < len(starts); i++ {
		list = append(list, starts[i].Sub(starts[i-1]).Truncate(time.Second))
	}
	return list
}

// One that ends again and again, or does not start, is started after ever longer pauses; after a quiet time at once.
func TestPausesGrow(t *testing.T) {
	t.Parallel()
	for name, fail := range map[string]error{"it ends again": nil, "it does not start": errors.New("no space left on device")} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var lines logLines
				server := &mortal{lives: true, fail: fail}
				var w watch
				w.begin([]watchable{server}, lines.logger())
				time.Sleep(time.Minute)
				server.become(false)
				time.Sleep(4 * time.Minute)
				want := []time.Duration{1, 2, 4, 8, 16, 32, 60, 60}
				for i := range want {
					want[i] *= time.Second
				}
				if got := server.pauses(); !slices.Equal(got, want) {
					t.Errorf("pauses %v, want %v", got, want)
				}
				if n := lines.count("mortal"); n != len(want)+1 {
					t.Errorf("%d lines, want one a try:\n%s", n, &lines)
				}
				server.become(true)
				time.Sleep(2 * calm)
				server.become(false)
				begin := time.Now()
				time.Sleep(2 * watchEvery)
				if starts := server.started(); len(starts) == 0 || starts[0].Sub(begin) > watchEvery {
					t.Errorf("after a quiet time it is started at %v, want at once", starts)
				}
				w.end() // synctest fails the test for a goroutine that stays
			})
		})
	}
}

// What a server in the middle of a start is told at the end of its last user: it does not stay behind.
func TestReleaseWhileStartedAgain(t *testing.T) {
	t.Parallel()
	s := acquire(t, both(folder(t)))
	mark := s.postgres.mark()
	for range 3 {
		crashPostgres(t, s)
		time.Sleep(watchEvery / 2)
		release(t, s)
		if left := processesOf(t, mark); len(left) > 0 {
			t.Errorf("processes %v are left", left)
		}
		s = acquire(t, both(s.place.dir))
		time.Sleep(watchEvery / 2)
	}
}
