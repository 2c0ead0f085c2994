package servers

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// killHelper leaves the servers of dir running without a user.
func killHelper(t *testing.T, dir string) {
	t.Helper()
	p := startHelper(t, dir)
	if err := p.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = p.cmd.Wait() // says that it was killed
}

func TestAdoptAfterKill(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	killHelper(t, dir)
	s := acquire(t, Options{Dir: dir, Postgres: true, Redis: true})
	if s.Started() {
		t.Error("Started() = true although the killed run's server was there")
	}
	wantRunning(t, s, true)
	release(t, s)
	wantRunning(t, s, false)
}

// Everything of a run was killed, and its process id has since gone to someone else, who even
// runs as the servers' user: PostgreSQL by itself would refuse to start.
func TestForeignPidFile(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	killHelper(t, dir)
	data := filepath.Join(dir, "postgres", "data")
	pidFile := filepath.Join(data, "postmaster.pid")
	old, err := os.ReadFile(pidFile)
	if err != nil {
		t.Fatal(err)
	}
	killAll(t, readPid(pidFile), "config_file="+filepath.Join(data, "evens.conf"))
	killAll(t, readPid(filepath.Join(dir, "redis", "redis.pid")), filepath.Join(dir, "redis", "redis.conf"))

	owner, ok := ownerOf(data)
	if !ok {
		owner = currentAccount()
	}
	other := exec.CommandContext(t.Context(), "sleep", "60")
	other.SysProcAttr = owner.attributes()
	if os.Geteuid() != 0 {
		other.SysProcAttr.Credential = nil
	}
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = other.Process.Kill(); _ = other.Wait() }()
	foreign := strconv.Itoa(other.Process.Pid)
	_, rest, _ := strings.Cut(string(old), "\n")
	for path, text := range map[string]string{
		pidFile: foreign + "\n" + rest,
		filepath.Join(dir, "postgres", "socket", ".s.PGSQL.5432.lock"): foreign + "\n",
		filepath.Join(dir, "redis", "redis.pid"):                       foreign + "\n",
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s := acquire(t, Options{Dir: dir, Postgres: true, Redis: true})
	wantRunning(t, s, true)
	release(t, s)
	if err := other.Process.Signal(syscall.Signal(0)); err != nil {
		t.Errorf("the stranger whose process id it was: %v", err)
	}
}

// killAll ends a server as a power cut would. PostgreSQL's children end on their own.
func killAll(t *testing.T, pid int, mark string) {
	t.Helper()
	if !running(t.Context(), pid, mark) {
		t.Fatalf("process %d is not %s", pid, mark)
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	for running(t.Context(), pid, mark) {
		time.Sleep(poll)
	}
}

// A power cut while transactions run: what was committed is there, at the first try.
func TestRestartAfterCrash(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	s := acquire(t, Options{Dir: dir, Postgres: true})
	query(t, s, "CREATE TABLE kept (v text)")
	query(t, s, "INSERT INTO kept VALUES ('yes')")
	killAll(t, readPostmaster(s.postgres.data).pid, s.postgres.mark())
	again := acquire(t, Options{Dir: dir, Postgres: true})
	if got := query(t, again, "SELECT v FROM kept"); got != "yes" {
		t.Errorf("after a crash the row reads %q, want yes", got)
	}
}

func TestInterruptedInitdb(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	if os.Geteuid() == 0 { // the folder is the account's from its first moment on
		of, err := unprivilegedAccount()
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(os.MkdirAll(dir, 0o755), of.mkdir(filepath.Join(dir, "postgres"))); err != nil {
			t.Fatal(err)
		}
	}
	half := filepath.Join(dir, "postgres", "data.new-1")
	if err := os.MkdirAll(half, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(half, "PG_VERSION"), []byte("15\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	wantRunning(t, acquire(t, Options{Dir: dir, Postgres: true, Fast: true}), true)
	if _, err := os.Stat(half); err == nil {
		t.Error("the half-made cluster is still there")
	}
}

func TestStartFailureShowsTheLog(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	release(t, acquire(t, both(dir)))
	if err := os.Remove(filepath.Join(dir, "postgres", "data", "global", "pg_control")); err != nil {
		t.Fatal(err)
	}
	_, err := Acquire(t.Context(), both(dir))
	if err == nil || !strings.Contains(err.Error(), "pg_control") {
		t.Fatalf("Acquire() of a broken cluster = %v, want PostgreSQL's own words", err)
	}
	if !strings.Contains(err.Error(), dir) {
		t.Errorf("Acquire() = %v, want the folder named", err)
	}
}

func TestRedisFailureShowsTheLog(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	s := acquire(t, Options{Dir: dir, Redis: true})
	release(t, s)
	// A folder where a file is to be written: no fault of what Redis kept.
	wrong := filepath.Join(dir, "redis", "redis.conf")
	if err := errors.Join(os.Remove(wrong), os.MkdirAll(filepath.Join(wrong, "x"), 0o755)); err != nil {
		t.Fatal(err)
	}
	_, err := Acquire(t.Context(), Options{Dir: dir, Redis: true})
	if err == nil || !strings.Contains(err.Error(), "redis.conf") {
		t.Fatalf("Acquire() without settings = %v, want the file named", err)
	}
	if strings.Contains(err.Error(), "redis://") {
		t.Errorf("Acquire() = %v spells out the URL", err)
	}
}

// Someone else took the port Redis had: it moves, and does not mistake the other for itself.
func TestPortTaken(t *testing.T) {
	t.Parallel()
	one, other := folder(t), folder(t)
	s := acquire(t, Options{Dir: one, Redis: true, Fast: true})
	port, _ := s.redis.before()
	release(t, s)

	squatter := newRedis(place{dir: other, home: other, account: s.place.account}, Options{RedisDatabases: 16, Log: s.log, Fast: true})
	squatter.address.set(redisAddress(port, "another"))
	program, err := findRedis(t.Context(), exec.LookPath)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(other, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := squatter.start(t.Context(), program, false); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := squatter.stop(t.Context()); err != nil {
			t.Error(err)
		}
	}()

	again := acquire(t, Options{Dir: one, Redis: true, Fast: true})
	if got, _ := again.redis.before(); got == port {
		t.Errorf("Redis is at port %s, which another server has", got)
	}
	wantRunning(t, again, true)
}

// Killed at any moment of a start, initdb included, a command leaves nothing behind that a
// later one cannot work with: no half cluster, no second server beside the first.
func TestKilledWhileStarting(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	for _, delay := range []time.Duration{50, 200, 400, 500, 600, 700, 40, 60, 80, 120} {
		cmd := exec.CommandContext(t.Context(), os.Args[0])
		cmd.Env = append(os.Environ(), helperDir+"="+dir)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(delay * time.Millisecond)
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // says that it was killed
	}
	s := acquire(t, Options{Dir: dir, Postgres: true, Redis: true})
	wantRunning(t, s, true)
	if n := len(processesOf(t, s.redis.conf)); n != 1 {
		t.Errorf("%d Redis servers of one folder, want 1", n)
	}
	release(t, s)
	for _, mark := range []string{s.redis.conf, s.postgres.mark()} {
		if left := processesOf(t, mark); len(left) > 0 {
			t.Errorf("processes %v of %s are left", left, mark)
		}
	}
}

// processesOf lists who has the mark on the command line, where /proc tells.
func processesOf(t *testing.T, mark string) []int {
	t.Helper()
	dirs, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		t.Fatal(err)
	}
	if len(dirs) == 0 {
		t.Skip("no /proc to count processes in")
	}
	var pids []int
	for _, dir := range dirs {
		pid, err := strconv.Atoi(filepath.Base(dir))
		if err == nil && running(t.Context(), pid, mark) {
			pids = append(pids, pid)
		}
	}
	return pids
}
