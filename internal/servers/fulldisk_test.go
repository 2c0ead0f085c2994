package servers

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// A PostgreSQL that ended on a full disk is back, with what was committed, once there is room.
func TestEndedOnAFullDisk(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	disk := filepath.Dir(dir)
	if output, err := exec.CommandContext(t.Context(), "mount", "-t", "tmpfs", "-o", "size=160m,mode=755", "tmpfs", disk).CombinedOutput(); err != nil {
		t.Skipf("a small disk takes root with its rights: %v: %s", err, output)
	}
	t.Cleanup(func() {
		// A process that has ended may have its files for a moment longer.
		output, err := exec.Command("umount", disk).CombinedOutput()
		for deadline := time.Now().Add(time.Minute); err != nil && time.Now().Before(deadline); time.Sleep(poll) {
			output, err = exec.Command("umount", disk).CombinedOutput()
		}
		if err != nil {
			t.Errorf("umount: %v: %s", err, output)
		}
	})
	var lines logLines
	s := acquire(t, Options{Dir: dir, Postgres: true, Redis: true, Log: lines.logger()})
	query(t, s, "CREATE TABLE kept AS SELECT 'yes' AS v")
	keep(t, s)
	filler := filepath.Join(disk, "filler")
	fill(t, filler)
	for deadline := time.Now().Add(time.Minute); lines.count("does not come up again") == 0; time.Sleep(poll) {
		// Each writes a megabyte of WAL, for which there is no room; the error is what it is about.
		_, _ = tryQuery(t.Context(), s.DatabaseURL(), `SELECT pg_logical_emit_message(true, 'x', repeat('x', 1000000))::text`)
		if time.Now().After(deadline) {
			t.Fatalf("PostgreSQL lives on a full disk:\n%s", &lines)
		}
	}
	killAll(t, s.redis.pid(t.Context()), s.redis.conf)
	for deadline := time.Now().Add(time.Minute); lines.count("server=Redis") == 0; time.Sleep(poll) {
		if time.Now().After(deadline) {
			t.Fatalf("nothing is said of Redis:\n%s", &lines)
		}
	}
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	wantBack(t, s)
	if got := query(t, s, "SELECT v FROM kept"); got != "yes" {
		t.Errorf("after a full disk the row reads %q, want yes", got)
	}
	if got := kept(t, s); got != "yes" {
		t.Errorf("after a full disk Redis keeps %q, want yes", got)
	}
	if aside, _ := filepath.Glob(filepath.Join(dir, "redis.broken-*")); len(aside) > 0 {
		t.Errorf("put aside for want of room: %v", aside)
	}
}

// fill takes the room that a disk has left.
func fill(t *testing.T, path string) {
	t.Helper()
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for block := make([]byte, 64<<10); err == nil; {
		_, err = file.Write(block)
	}
}
