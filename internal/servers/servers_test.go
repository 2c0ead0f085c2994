package servers

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"evens/internal/redis"
)

func TestStartAndStop(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	opts := Options{Dir: dir, Postgres: true, Redis: true}

	s := acquire(t, opts)
	wantRunning(t, s, true)
	if !s.Started() {
		t.Error("Started() = false for a new folder")
	}
	query(t, s, "CREATE TABLE kept (v text)")
	query(t, s, "INSERT INTO kept VALUES ('yes')")
	client, err := redis.Open(s.RedisURL())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if err := client.Set(t.Context(), "kept", "yes", 0).Err(); err != nil {
		t.Fatal(err)
	}
	release(t, s)
	release(t, s)
	wantRunning(t, s, false)

	again := acquire(t, opts)
	if got := query(t, again, "SELECT v FROM kept"); got != "yes" {
		t.Errorf("after a restart the row reads %q, want yes", got)
	}
	if got, err := client.Get(t.Context(), "kept").Result(); got != "yes" {
		t.Errorf("after a restart the key reads %q (%v), want yes at the same URL", got, err)
	}
}

func TestSettings(t *testing.T) {
	t.Parallel()
	settings := func(s *Servers) map[string]string {
		got := map[string]string{}
		for _, name := range []string{
			"fsync", "synchronous_commit", "full_page_writes", "listen_addresses", "max_wal_size", "checkpoint_timeout",
			"wal_compression", "jit", "autovacuum", "TimeZone", "server_encoding", "unix_socket_permissions",
		} {
			got[name] = query(t, s, "SHOW "+name)
		}
		return got
	}
	durable := settings(acquire(t, Options{Dir: folder(t), Postgres: true}))
	want := map[string]string{
		"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on", "listen_addresses": "",
		"max_wal_size": "4GB", "checkpoint_timeout": "15min", "wal_compression": "pglz", "jit": "off", "autovacuum": "on",
		"TimeZone": "UTC", "server_encoding": "UTF8", "unix_socket_permissions": "0700",
	}
	for name, value := range want {
		if durable[name] != value {
			t.Errorf("%s = %q, want %q", name, durable[name], value)
		}
	}
	fast := settings(acquire(t, Options{Dir: folder(t), Postgres: true, Fast: true}))
	for _, name := range []string{"fsync", "synchronous_commit", "full_page_writes"} {
		if fast[name] != "off" {
			t.Errorf("with Fast, %s = %q, want off", name, fast[name])
		}
	}

	s := acquire(t, Options{Dir: folder(t), Redis: true, RedisDatabases: 1024})
	client, err := redis.Open(strings.TrimSuffix(s.RedisURL(), "/0") + "/1023")
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if err := redis.CheckEviction(t.Context(), client); err != nil {
		t.Error(err)
	}
	for name, value := range map[string]string{
		"appendonly": "yes", "appendfsync": "everysec", "maxmemory-policy": "noeviction",
		"bind": "127.0.0.1", "protected-mode": "yes", "databases": "1024",
	} {
		got, err := client.ConfigGet(t.Context(), name).Result()
		if err != nil || got[name] != value {
			t.Errorf("redis %s = %q (%v), want %q", name, got[name], err, value)
		}
	}
	stranger, err := redis.Open("redis://127.0.0.1:" + s.redisPort(t))
	if err != nil {
		t.Fatal(err)
	}
	defer stranger.Close()
	if err := stranger.Ping(t.Context()).Err(); err == nil {
		t.Error("Redis serves someone without the password")
	}
}

func (s *Servers) redisPort(t *testing.T) string {
	t.Helper()
	port, _ := s.redis.before()
	return port
}

// psql and pgbench find the server by the URL alone; what is in the environment does not
// lead them, or PostgreSQL itself, astray.
func TestClientPrograms(t *testing.T) {
	t.Setenv("PGPORT", "1")
	t.Setenv("PGDATA", "/nowhere")
	// Too long for a socket, and with what a URL and a list of folders would choke on.
	dir := filepath.Join(filepath.Dir(folder(t)), strings.Repeat("long, ", 20)+"it's 100% +", ".evens")
	s := acquire(t, both(dir))
	wantRunning(t, s, true)
	psql := exec.CommandContext(t.Context(), filepath.Join(s.BinDir(), "psql"), "-Atc", "SELECT current_user, current_database()", s.DatabaseURL())
	if output, err := psql.CombinedOutput(); err != nil || string(output) != "evens|evens\n" {
		t.Errorf("psql prints %q (%v), want evens|evens", output, err)
	}
	pgbench := exec.CommandContext(t.Context(), filepath.Join(s.BinDir(), "pgbench"), "-i", "-q", s.DatabaseURL())
	if output, err := pgbench.CombinedOutput(); err != nil {
		t.Errorf("pgbench: %v\n%s", err, output)
	}
	bin, err := FindPostgres(t.Context())
	if err != nil || bin != s.BinDir() {
		t.Errorf("FindPostgres() = %q, %v, want %q", bin, err, s.BinDir())
	}
}

func TestSideBySide(t *testing.T) {
	t.Parallel()
	one, two := acquire(t, both(folder(t))), acquire(t, both(folder(t)))
	query(t, one, "CREATE TABLE mine (v text)")
	if got := query(t, two, "SELECT coalesce(to_regclass('mine')::text, 'none')"); got != "none" {
		t.Errorf("the second folder's database has the first one's table")
	}
	if one.RedisURL() == two.RedisURL() {
		t.Errorf("both folders have the same Redis")
	}
	release(t, one)
	wantRunning(t, one, false)
	wantRunning(t, two, true)
}

func TestLastUserStops(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	first := acquire(t, Options{Dir: dir, Postgres: true, Fast: true})
	second := acquire(t, both(dir))
	if second.Started() {
		t.Error("Started() = true for a server that was running")
	}
	if first.DatabaseURL() != second.DatabaseURL() {
		t.Errorf("one folder has two databases: %s and %s", first.DatabaseURL(), second.DatabaseURL())
	}
	if first.RedisURL() != "" {
		t.Error("a Redis nobody asked for")
	}
	release(t, second)
	wantRunning(t, first, true)
	wantRunning(t, second, true)
	release(t, first)
	wantRunning(t, second, false)
}

func TestManyComeAndGo(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	var wg sync.WaitGroup
	for range 6 {
		wg.Go(func() {
			for range 3 {
				s, err := Acquire(t.Context(), both(dir))
				if err != nil {
					t.Error(err)
					return
				}
				wantRunning(t, s, true)
				if err := s.Release(t.Context()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if pid := readPostmaster(filepath.Join(dir, "postgres", "data")).pid; pid != 0 {
		t.Errorf("PostgreSQL %d still runs after everyone left", pid)
	}
}

func TestNothingWanted(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	s := acquire(t, Options{Dir: dir})
	if s.DatabaseURL() != "" || s.RedisURL() != "" || s.BinDir() != "" {
		t.Errorf("URLs of servers nobody asked for: %q, %q, %q", s.DatabaseURL(), s.RedisURL(), s.BinDir())
	}
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the data folder was made for nothing (%v)", err)
	}
}

func TestOutage(t *testing.T) {
	t.Parallel()
	s := acquire(t, both(folder(t)))
	query(t, s, "CREATE TABLE kept (v text)")
	url, redisURL := s.DatabaseURL(), s.RedisURL()
	if err := errors.Join(s.StopPostgres(t.Context()), s.StopRedis(t.Context())); err != nil {
		t.Fatal(err)
	}
	wantRunning(t, s, false)
	if err := errors.Join(s.StartPostgres(t.Context()), s.StartRedis(t.Context())); err != nil {
		t.Fatal(err)
	}
	wantRunning(t, s, true)
	if s.DatabaseURL() != url || s.RedisURL() != redisURL {
		t.Error("after an outage the URLs are others")
	}
	query(t, s, "SELECT count(*)::text FROM kept")
}

// Ctrl-C reaches a whole process group: our servers are not in it, and the command has time to
// stop them in order.
func TestInterrupt(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	p := startHelper(t, dir)
	if err := syscall.Kill(-p.cmd.Process.Pid, syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if line := p.line(); line != "released" {
		t.Errorf("after Ctrl-C the helper says %q, want released", line)
	}
	if err := p.cmd.Wait(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "postgres", "data", "postmaster.pid")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("PostgreSQL was not stopped in order (%v)", err)
	}
}

func TestReleaseWithoutPatience(t *testing.T) {
	t.Parallel()
	s := acquire(t, both(folder(t)))
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Release(over); err != nil {
		t.Error(err)
	}
	wantRunning(t, s, false)
}

func TestCancelledAcquire(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	ctx, cancel := context.WithTimeout(t.Context(), 150*time.Millisecond)
	defer cancel()
	if _, err := Acquire(ctx, both(dir)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Acquire() with little time = %v, want context.DeadlineExceeded", err)
	}
	wantRunning(t, acquire(t, both(dir)), true)
}
