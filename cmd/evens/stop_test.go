package main

import (
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"evens/internal/servers"
	"evens/internal/testbed"
)

// Stop signals at random moments of placements, of every kind, at many processes: whatever BeT has taken is in a table
// when the next process has started.
func TestNoAcceptanceIsLostByAStop(t *testing.T) {
	t.Parallel()
	const processes, placements, limit = 8, 5, 3 * time.Second
	rounds := 9 // of that many processes: every kind of stop, several times
	if testing.Short() {
		rounds = 6
	}
	if text := os.Getenv("EVENS_TEST_ROUNDS"); text != "" {
		var err error
		if rounds, err = strconv.Atoi(text); err != nil {
			t.Fatal(err)
		}
	}
	seed := uint64(time.Now().UnixNano())
	if text := os.Getenv("EVENS_TEST_SEED"); text != "" {
		var err error
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("EVENS_TEST_SEED=%d", seed)
	chance := &dice{rand: rand.New(rand.NewPCG(seed, 0))}
	private := testbed.PrivateServers(t)
	b := openBetting(t, private.DatabaseURL(), private.RedisURL(), 40, func() (time.Duration, time.Duration) {
		return chance.upTo(300 * time.Millisecond), chance.upTo(300 * time.Millisecond)
	})
	// A killed server has what it has committed, as one that is not for tests.
	for _, sql := range []string{`ALTER SYSTEM SET synchronous_commit = on`, `SELECT pg_reload_conf()`} {
		if _, err := b.db.Pool.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	folders := make([]string, processes)
	for n := range folders {
		folders[n] = t.TempDir()
	}
	stops, kept := make(map[string]int), 0
	for round := range rounds {
		counters := make([]*counter, processes)
		for n := range counters {
			counters[n] = b.serve(t, folders[n], "EVENS_STOP_TIMEOUT="+limit.String(), "EVENS_LOG_LEVEL=error")
		}
		var placing sync.WaitGroup
		for n, c := range counters {
			c.opens(t)
			for p := range placements {
				placing.Go(func() { c.place((round*processes+n)*placements + p) })
			}
		}
		b.stopAll(t, chance, private, counters, round, stops)
		for _, c := range counters {
			if _, took := c.ends(t, 4*limit); took > 2*limit {
				t.Errorf("round %d: a process ended %s after its stop, %s are promised", round, took, limit)
			}
			kept += spooled(t, c.dataDir)
		}
		placing.Wait()
		if err := private.StartPostgres(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	for _, folder := range folders {
		last := b.serve(t, folder)
		last.opens(t)
		if n := spooled(t, folder); n != 0 {
			t.Errorf("%d answers are left in the spool after a start", n)
		}
		last.kill()
	}
	lost := b.unknown(t)
	t.Logf("%v; %d coupons at BeT, %d answers by way of the spool", stops, len(b.bet.Coupons()), kept)
	if len(lost) > 0 {
		t.Errorf("BeT has %d coupons that nobody here knows: %v", len(lost), lost)
	}
	if len(b.bet.Coupons()) < rounds*processes || kept == 0 && rounds >= 20 {
		t.Errorf("%d coupons at BeT, %d answers in the spool: this test sees nothing", len(b.bet.Coupons()), kept)
	}
	b.clean(t)
}

// dice are thrown by many.
type dice struct {
	mu   sync.Mutex
	rand *rand.Rand
}

func (d *dice) upTo(limit time.Duration) time.Duration { return time.Duration(d.n(int(limit))) }

func (d *dice) n(n int) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.rand.IntN(n)
}

// stopAll stops the processes of a round, each at a moment of its own. In every third round PostgreSQL goes with them.
func (b *betting) stopAll(t *testing.T, chance *dice, private *servers.Servers, counters []*counter, round int, stops map[string]int) {
	t.Helper()
	const longest = 600 * time.Millisecond
	send := func(c *counter, after time.Duration, signals ...syscall.Signal) {
		time.Sleep(after)
		for n, sig := range signals {
			if n > 0 {
				time.Sleep(after / 4)
			}
			_ = c.Process.Signal(sig) // it may have ended by the first
		}
	}
	var all sync.WaitGroup
	defer all.Wait()
	switch round % 6 {
	case 2: // the whole group
		parent, children := b.postmaster(t)
		time.Sleep(chance.upTo(longest))
		for _, c := range counters {
			send(c, 0, syscall.SIGTERM)
		}
		for _, pid := range append([]int{parent}, children...) {
			_ = syscall.Kill(pid, syscall.SIGTERM)
		}
		stops["the group"] += len(counters)
	case 5: // the database is killed; it may come back while the processes still try
		parent, _ := b.postmaster(t)
		time.Sleep(chance.upTo(longest))
		_ = syscall.Kill(parent, syscall.SIGKILL)
		for _, c := range counters {
			send(c, chance.upTo(longest/8), syscall.SIGTERM)
		}
		if chance.n(2) == 0 {
			if err := private.StartPostgres(t.Context()); err != nil {
				t.Error(err)
			}
		}
		stops["the database killed"] += len(counters)
	default:
		kinds := []struct {
			name    string
			signals []syscall.Signal
		}{
			{"TERM", []syscall.Signal{syscall.SIGTERM}},
			{"INT", []syscall.Signal{syscall.SIGINT}},
			{"HUP", []syscall.Signal{syscall.SIGHUP}},
			{"TERM twice", []syscall.Signal{syscall.SIGTERM, syscall.SIGTERM}},
		}
		for n, c := range counters {
			kind := kinds[(n+round)%len(kinds)]
			stops[kind.name]++
			all.Go(func() { send(c, chance.upTo(longest), kind.signals...) })
		}
	}
}

// Placements stop first: one under way is finished, others are refused at once, and the process ends well.
func TestPlacementsStopFirst(t *testing.T) {
	t.Parallel()
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP} {
		t.Run(sig.String(), func(t *testing.T) {
			t.Parallel()
			b := openBetting(t, testbed.EmptyDatabase(t), testbed.Redis(t), 2, thinksFor(0, 4*time.Second))
			c := b.serve(t, t.TempDir(), "EVENS_LOG_LEVEL=info")
			c.opens(t)
			first := make(chan int, 1)
			go func() {
				status, _, _ := c.place(0)
				first <- status
			}()
			eventually(t, time.Minute, "BeT is asked", func() bool { return len(b.bet.Coupons()) == 1 })
			c.signal(t, sig)
			eventually(t, 5*time.Second, "the signal is heard", func() bool { return strings.Contains(c.log.String(), "no coupon is placed any more") })
			status, again, text := c.place(1)
			if status != http.StatusServiceUnavailable || again == "" || !strings.Contains(text, `"unavailable"`) {
				t.Errorf("a new placement: HTTP %d, Retry-After %q, %s", status, again, text)
			}
			if status := <-first; status != http.StatusCreated {
				t.Errorf("the placement under way: HTTP %d", status)
			}
			if code, took := c.ends(t, 20*time.Second); code != 0 || took > 8*time.Second {
				t.Errorf("it ended with %d after %s:\n%s", code, took, c.log)
			}
			if lost := b.unknown(t); len(lost) > 0 || len(b.bet.Coupons()) != 1 {
				t.Errorf("lost: %v of %d", lost, len(b.bet.Coupons()))
			}
		})
	}
}

// A second signal does not wait for who is slow, nor for a database that is away; what BeT still answers is kept.
func TestASecondSignalForces(t *testing.T) {
	t.Parallel()
	private := testbed.PrivateServers(t)
	b := openBetting(t, private.DatabaseURL(), private.RedisURL(), 2, thinksFor(0, 1500*time.Millisecond))
	idle := b.serve(t, t.TempDir())
	idle.opens(t)
	slow, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", strings.TrimPrefix(idle.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer slow.Close()
	if _, err := io.WriteString(slow, "POST /api/bet/result HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{"); err != nil {
		t.Fatal(err)
	}
	time.Sleep(300 * time.Millisecond) // until it is read
	idle.signal(t, syscall.SIGTERM)
	time.Sleep(300 * time.Millisecond)
	idle.signal(t, syscall.SIGTERM)
	if _, took := idle.ends(t, 20*time.Second); took > 3*time.Second {
		t.Errorf("it ended %s after the second signal", took)
	}
	dir := t.TempDir()
	busy := b.serve(t, dir)
	busy.opens(t)
	go busy.place(0)
	eventually(t, time.Minute, "BeT is asked", func() bool { return len(b.bet.Coupons()) == 1 })
	if err := private.StopPostgres(t.Context()); err != nil {
		t.Fatal(err)
	}
	busy.signal(t, syscall.SIGTERM)
	time.Sleep(100 * time.Millisecond)
	busy.signal(t, syscall.SIGTERM)
	if code, took := busy.ends(t, 20*time.Second); code == 0 || took > 4*time.Second {
		t.Errorf("it ended with %d, %s after the second signal, want an error soon after BeT's answer", code, took)
	}
	if n := spooled(t, dir); n != 1 {
		t.Errorf("%d answers in the spool, want 1:\n%s", n, busy.log)
	}
	if !strings.Contains(busy.log.String(), b.bet.Coupons()[0].BetCode) {
		t.Errorf("BeT's code is not in the log:\n%s", busy.log)
	}
	if err := private.StartPostgres(t.Context()); err != nil {
		t.Fatal(err)
	}
	next := b.serve(t, dir)
	next.opens(t)
	if lost := b.unknown(t); len(lost) > 0 || spooled(t, dir) != 0 {
		t.Errorf("lost: %v; %d left in the spool", lost, spooled(t, dir))
	}
}

// The database is away for longer than the process tries; the process goes on, and its own sweep takes the answer from
// the spool when the database is back.
func TestTheRunningProcessTakesItsSpool(t *testing.T) {
	t.Parallel()
	b := openBetting(t, testbed.EmptyDatabase(t), testbed.Redis(t), 1, thinksFor(0, 0))
	dir := t.TempDir()
	c := b.serve(t, dir)
	c.opens(t)
	if status, _, text := c.place(0); status != http.StatusCreated {
		t.Fatalf("HTTP %d %s", status, text)
	}
	code := b.bet.Coupons()[0].BetCode
	// As if the tries had ended: the answer is in a file, and in no table.
	exec := func(sql string) {
		if _, err := b.db.Pool.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	exec(`DELETE FROM selections`)
	exec(`UPDATE coupons SET status = 'placing', bet_code = NULL, answered_status = NULL, open_since = placed_at`)
	var coupon, player string
	if err := b.db.Pool.QueryRow(t.Context(), `SELECT id, player_id FROM coupons`).Scan(&coupon, &player); err != nil {
		t.Fatal(err)
	}
	line := `{"version":1,"at":"2026-06-01T18:00:00Z","coupon_id":"` + coupon + `","player_id":"` + player + `","status":"accepted","bet_code":"` + code +
		`","answer":{"BetCode":"` + code + `"},"raw":"{}"}`
	if err := os.WriteFile(filepath.Join(dir, "spool", "left.jsonl"), []byte(line+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	eventually(t, time.Minute, "the answer is written down", func() bool { return len(b.unknown(t)) == 0 })
	eventually(t, time.Minute, "the spool is empty", func() bool { return spooled(t, dir) == 0 })
	b.clean(t)
}
