package servers

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// namespaces are ways of not seeing the processes of a server that works on the same folder.
var namespaces = map[string][]string{
	"pid":                 {"--pid", "--fork", "--mount-proc"},
	"pid and ipc":         {"--pid", "--ipc", "--fork", "--mount-proc"},
	"pid, ipc and net":    {"--pid", "--ipc", "--net", "--fork", "--mount-proc"},
	"pid and old /proc":   {"--pid", "--ipc", "--fork"},
	"a container, nearly": {"--pid", "--ipc", "--net", "--uts", "--cgroup", "--fork", "--mount-proc"},
}

// apart runs the helper in other namespaces, where it acquires, asks and releases.
func apart(t *testing.T, dir string, flags []string) (string, error) {
	t.Helper()
	unshare, err := exec.LookPath("unshare")
	if err != nil {
		t.Skip("there is no unshare on this machine")
	}
	if output, err := exec.CommandContext(t.Context(), unshare, append(flags, "true")...).CombinedOutput(); err != nil {
		t.Skipf("new namespaces take root with its rights: %v: %s", err, output)
	}
	cmd := exec.CommandContext(t.Context(), unshare, append(flags, os.Args[0])...)
	cmd.Env = append(os.Environ(), helperDir+"="+dir, helperOnce+"=1")
	output, err := cmd.CombinedOutput()
	return string(output), err
}

// inode tells whether a file was made anew.
func inode(t *testing.T, path string) uint64 {
	t.Helper()
	info, err := os.Lstat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Sys().(*syscall.Stat_t).Ino
}

// Somebody who cannot see the servers' processes uses them or is refused: their files stay as they are. That goes
// for servers of an earlier release too, which have claimed nothing.
func TestUnseenServersLiveOn(t *testing.T) {
	t.Parallel()
	for _, earlier := range []bool{false, true} {
		t.Run("earlier release "+strconv.FormatBool(earlier), func(t *testing.T) {
			t.Parallel()
			dir := folder(t)
			if earlier {
				startUnclaimed(t, both(dir))
			}
			s := acquire(t, both(dir))
			query(t, s, "CREATE TABLE deposits AS SELECT generate_series(1, 1000) AS n")
			query(t, s, "CHECKPOINT") // Fast commits late
			for name, flags := range namespaces {
				if earlier && slices.Contains(flags, "--net") {
					continue // nothing tells of a Redis of an earlier release that neither answers nor is seen
				}
				t.Log(name)
				wantUndisturbed(t, s, flags)
			}
			s.watch.end()
			crashPostgres(t, s)
			if got := query(t, acquire(t, both(dir)), "SELECT count(*)::text FROM deposits"); got != "1000" {
				t.Errorf("%s deposits after a crash, want 1000", got)
			}
		})
	}
}

// wantUndisturbed runs a command in other namespaces and looks for what it has touched.
func wantUndisturbed(t *testing.T, s *Servers, flags []string) {
	t.Helper()
	dir := s.place.dir
	files := []string{
		filepath.Join(dir, "postgres", "data", "postmaster.pid"),
		filepath.Join(dir, "postgres", "socket", ".s.PGSQL.5432"),
		filepath.Join(dir, "postgres", "socket", ".s.PGSQL.5432.lock"),
		filepath.Join(dir, "redis", "redis.pid"),
		filepath.Join(dir, "redis", "redis.conf"),
	}
	before := make([]uint64, len(files))
	for i, path := range files {
		before[i] = inode(t, path)
	}
	pid, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}

	output, err := apart(t, dir, flags)
	if err != nil && !strings.Contains(output, "in use by somebody I cannot see") {
		t.Errorf("the other: %v: %s", err, output)
	}
	if err == nil && !strings.Contains(output, "released") {
		t.Errorf("the other says %q", output)
	}
	for i, path := range files {
		if got := inode(t, path); got != before[i] {
			t.Errorf("%s was made anew", path)
		}
	}
	if now, err := os.ReadFile(files[0]); err != nil || string(now) != string(pid) {
		t.Errorf("postmaster.pid reads %q, %v; it was %q", now, err, pid)
	}
	wantRunning(t, s, true)
	if got := query(t, s, "SELECT count(*)::text FROM deposits"); got != "1000" {
		t.Errorf("%s deposits, want 1000", got)
	}
}

// startUnclaimed starts servers as releases did that knew no claims.
func startUnclaimed(t *testing.T, opts Options) {
	t.Helper()
	s := acquire(t, opts)
	release(t, s)
	p, r, of := s.postgres, s.redis, s.place.account
	program, err := findRedis(t.Context(), exec.LookPath)
	if err != nil {
		t.Fatal(err)
	}
	_, err = of.spawn(t.Context(), nil, p.home, p.logFile, p.bin.program("postgres"), "-D", p.data, "-c", p.mark())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := of.spawn(t.Context(), nil, r.home, r.logFile, program, r.conf); err != nil {
		t.Fatal(err)
	}
	for !readPostmaster(p.data).ready || !r.answers(t.Context()) {
		time.Sleep(poll)
	}
	if claimed(p.data) || claimed(r.home) {
		t.Fatal("the earlier release's servers have claimed their folders")
	}
}

// crashPostgres kills the server as a power cut does.
func crashPostgres(t *testing.T, s *Servers) {
	t.Helper()
	killAll(t, readPostmaster(s.postgres.data).pid, s.postgres.mark())
}

// The folder is mounted at another path for a second container: one folder, one set of servers.
func TestMountedAtAnotherPath(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	s := acquire(t, both(dir))
	query(t, s, "CREATE TABLE kept (v text)")
	other := filepath.Join(filepath.Dir(dir), "mounted")
	if err := os.Mkdir(other, 0o755); err != nil {
		t.Fatal(err)
	}
	flags := []string{"--pid", "--ipc", "--mount", "--fork", "--mount-proc"}
	mount := []string{"sh", "-c", `mount --bind "$1" "$2" && shift 2 && exec "$@"`, "sh", dir, other}
	output, err := apart(t, other, append(flags, mount...))
	if err != nil || !strings.Contains(output, "released") {
		t.Errorf("the other: %v: %s", err, output)
	}
	wantRunning(t, s, true)
	for _, mark := range []string{other, "config_file=" + other} {
		if left := processesOf(t, mark); len(left) > 0 {
			t.Errorf("processes %v of a second set of servers", left)
		}
	}
	s.watch.end()
	crashPostgres(t, s)
	query(t, acquire(t, both(dir)), "SELECT count(*)::text FROM kept")
}

// In the other direction: the servers run in a namespace of their own, and outlive what started them.
func TestServersStartedApart(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	if output, err := apart(t, dir, namespaces["pid and ipc"]); err != nil || !strings.Contains(output, "released") {
		t.Fatalf("the other: %v: %s", err, output)
	}
	s := acquire(t, both(dir))
	if !s.Started() {
		t.Error("the servers of another namespace were left running by their last user")
	}
}

// A server that holds the folder and answers nobody here: the socket is away, as in a container with another /tmp.
func TestUnreachableServerRefuses(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	s := acquire(t, both(dir))
	pidFile := filepath.Join(dir, "postgres", "data", "postmaster.pid")
	socket := filepath.Join(dir, "postgres", "socket", ".s.PGSQL.5432")
	if err := errors.Join(os.Rename(socket, socket+".away"), os.Remove(filepath.Join(dir, "redis", "url"))); err != nil {
		t.Fatal(err)
	}
	output, err := apart(t, dir, namespaces["pid, ipc and net"])
	if err == nil || !strings.Contains(output, "in use by somebody I cannot see") || !strings.Contains(output, dir) {
		t.Errorf("the other: %v: %s; want a refusal that names the folder", err, output)
	}
	if _, err := os.Stat(pidFile); err != nil {
		t.Error(err)
	}
	if err := os.Rename(socket+".away", socket); err != nil {
		t.Fatal(err)
	}
	wantRunning(t, s, true)
}

// A copied folder has the pid file, the socket's path and Redis's address of the original: it gets servers of its own.
func TestCopiedFolder(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	release(t, acquire(t, both(dir)))
	s := acquire(t, both(dir))
	query(t, s, "CREATE TABLE original (v text)")
	twin := folder(t)
	query(t, s, "CHECKPOINT")
	if output, err := exec.CommandContext(t.Context(), "cp", "-a", dir, twin).CombinedOutput(); err != nil {
		t.Fatalf("cp: %v: %s", err, output)
	}
	other := acquire(t, both(twin))
	if s.DatabaseURL() == other.DatabaseURL() || s.RedisURL() == other.RedisURL() {
		t.Error("the copy has the original's servers")
	}
	query(t, other, "DROP TABLE original")
	query(t, s, "SELECT count(*)::text FROM original")
	release(t, other)
	wantRunning(t, s, true)
}

// The claim lives as long as the server and no longer, and each of its processes has part in it.
func TestClaimLastsAsLongAsTheServer(t *testing.T) {
	t.Parallel()
	s := acquire(t, both(folder(t)))
	s.watch.end()
	folders := []string{s.postgres.data, filepath.Join(s.postgres.home, "socket"), s.redis.home}
	for _, path := range folders {
		if _, err := claimFolder(path); !errors.Is(err, errUnseen) {
			t.Errorf("claimFolder(%s) beside a server = %v, want errUnseen", path, err)
		}
		if !claimed(path) {
			t.Errorf("claimed(%s) = false beside a server", path)
		}
	}
	release(t, s)
	for _, path := range folders {
		// A process that is just being started by another test has every open file for a moment.
		c, err := claimFolder(path)
		for deadline := time.Now().Add(time.Minute); errors.Is(err, errUnseen) && time.Now().Before(deadline); time.Sleep(poll) {
			c, err = claimFolder(path)
		}
		if err != nil {
			t.Errorf("claimFolder(%s) without a server = %v", path, err)
		}
		c.release()
	}
}
