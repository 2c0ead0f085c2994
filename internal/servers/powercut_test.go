package servers

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"evens/internal/redis"
)

// torn are ways in which a power cut leaves a file that was being written.
var torn = map[string]func(whole []byte) []byte{
	"empty":      func([]byte) []byte { return nil },
	"zero bytes": func(whole []byte) []byte { return make([]byte, len(whole)) },
	"a blank":    func([]byte) []byte { return []byte("\n") },
	"garbage":    func([]byte) []byte { return []byte("\xff\xfe{]garbage\x00\x00") },
	"half":       func(whole []byte) []byte { return whole[:len(whole)/2] },
	"a digit":    func(whole []byte) []byte { return whole[:1] },
	"below zero": func(whole []byte) []byte { return append([]byte("-1\n"), whole...) },
	"too large":  func(whole []byte) []byte { return append([]byte("99999999999"), whole...) },
	"zero tail":  func(whole []byte) []byte { return append(bytes.Clone(whole), make([]byte, 16)...) },
}

// damage rewrites a file in place: its owner and mode stay.
func damage(t *testing.T, path string, how func([]byte) []byte) {
	t.Helper()
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, how(whole), 0o600); err != nil {
		t.Fatal(err)
	}
}

// powerCut ends both servers at once, and what watches them.
func powerCut(t *testing.T, s *Servers) {
	t.Helper()
	s.watch.end()
	crashPostgres(t, s)
	killAll(t, s.redis.pid(t.Context()), s.redis.conf)
	s.users.release()
	s.users = nil
}

// Whatever small file of ours or the servers' a power cut tears, everything starts again, and the books are there.
func TestTornFiles(t *testing.T) {
	t.Parallel()
	cuts := [][]string{
		{"postgres/data/postmaster.pid"},
		{
			"redis/url", "redis/redis.pid", "redis/redis.conf", "postgres/data/postmaster.opts", "postgres/data/postmaster.pid",
			"postgres/data/evens.conf", "postgres/socket/.s.PGSQL.5432.lock",
		},
	}
	dir := folder(t)
	s := acquire(t, both(dir))
	query(t, s, "CREATE TABLE kept AS SELECT 'yes' AS v")
	query(t, s, "CHECKPOINT") // Fast commits late
	for name, how := range torn {
		for _, files := range cuts {
			powerCut(t, s)
			for _, file := range files {
				damage(t, filepath.Join(dir, file), how)
			}
			var err error
			if s, err = Acquire(t.Context(), both(dir)); err != nil {
				t.Fatalf("%s in %v: %v", name, files, err)
			}
			wantRunning(t, s, true)
			if got := query(t, s, "SELECT v FROM kept"); got != "yes" {
				t.Errorf("%s in %v: the row reads %q, want yes", name, files, got)
			}
		}
	}
	release(t, s)
}

// appendOnly is what Redis keeps.
const appendOnly = "redis/appendonlydir/appendonly.aof"

// Redis only reminds: what it cannot read again is put aside, and it starts with nothing at the same address.
func TestBrokenRedisIsPutAside(t *testing.T) {
	t.Parallel()
	for name, breakIt := range map[string]func(t *testing.T, dir string){
		"zero bytes at the end": func(t *testing.T, dir string) {
			damage(t, filepath.Join(dir, appendOnly+".1.incr.aof"), torn["zero tail"])
		},
		"garbage at the end": func(t *testing.T, dir string) {
			damage(t, filepath.Join(dir, appendOnly+".1.incr.aof"), func(whole []byte) []byte { return append(whole, "garbage\r\n*1"...) })
		},
		"zero bytes": func(t *testing.T, dir string) {
			damage(t, filepath.Join(dir, appendOnly+".1.incr.aof"), torn["zero bytes"])
		},
		"a base of zeros": func(t *testing.T, dir string) {
			damage(t, filepath.Join(dir, appendOnly+".1.base.rdb"), torn["zero bytes"])
		},
		"half a base":   func(t *testing.T, dir string) { damage(t, filepath.Join(dir, appendOnly+".1.base.rdb"), torn["half"]) },
		"an empty list": func(t *testing.T, dir string) { damage(t, filepath.Join(dir, appendOnly+".manifest"), torn["empty"]) },
		"a list of zeros": func(t *testing.T, dir string) {
			damage(t, filepath.Join(dir, appendOnly+".manifest"), torn["zero bytes"])
		},
		"a file is missing": func(t *testing.T, dir string) {
			if err := os.Remove(filepath.Join(dir, appendOnly+".1.incr.aof")); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := folder(t)
			var lines logLines
			opts := Options{Dir: dir, Redis: true, Log: lines.logger()}
			s := acquire(t, opts)
			keep(t, s)
			release(t, s)
			breakIt(t, dir)
			again := acquire(t, opts)
			wantRunning(t, again, true)
			if s.RedisURL() != again.RedisURL() {
				t.Error("Redis has moved")
			}
			aside, err := filepath.Glob(filepath.Join(dir, "redis.broken-2*"))
			if err != nil || len(aside) != 1 {
				t.Fatalf("put aside: %v, %v; want one folder", aside, err)
			}
			if _, err := os.Stat(filepath.Join(aside[0], "appendonlydir")); err != nil {
				t.Error(err)
			}
			if n := lines.count("aside="); n != 1 || strings.Contains(lines.String(), "redis://") {
				t.Errorf("%d lines say what was put aside, want 1 without a password:\n%s", n, &lines)
			}
			keep(t, again)
			release(t, again)
			if got := kept(t, acquire(t, opts)); got != "yes" {
				t.Errorf("the new Redis keeps %q, want yes", got)
			}
		})
	}
}

// An end that is only missing costs that end: Redis itself cuts it off.
func TestTruncatedAppendOnlyFile(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	s := acquire(t, Options{Dir: dir, Redis: true})
	keep(t, s)
	release(t, s)
	damage(t, filepath.Join(dir, appendOnly+".1.incr.aof"), func(whole []byte) []byte { return append(whole, "*3\r\n$3\r\nSE"...) })
	if got := kept(t, acquire(t, Options{Dir: dir, Redis: true})); got != "yes" {
		t.Errorf("what was before the torn end reads %q, want yes", got)
	}
	if aside, _ := filepath.Glob(filepath.Join(dir, "redis.broken-*")); len(aside) > 0 {
		t.Errorf("put aside: %v", aside)
	}
}

// What is wrong with the machine is not wrong with the files.
func TestMachineReasonsPutNothingAside(t *testing.T) {
	t.Parallel()
	const begin = "# Server initialized\n"
	for name, tt := range map[string]struct {
		log    string
		broken bool
	}{
		"format":           {begin + "Bad file format reading the append only file", true},
		"crash":            {begin + "=== REDIS BUG REPORT START", true},
		"disk full":        {begin + "Error writing: No space left on device", false},
		"rights":           {begin + "Can't open the append-only file: Permission denied", false},
		"memory":           {begin + "Out Of Memory allocating 4096 bytes!", false},
		"asked to end":     {begin + "Received SIGTERM scheduling shutdown...", false},
		"it was ready":     {begin + "Ready to accept connections\n", false},
		"not even so far":  {"*** FATAL CONFIG FILE ERROR ***", false},
		"nothing was said": {"", false},
	} {
		if got := cannotLoad(0, tt.log); got != tt.broken {
			t.Errorf("%s: cannotLoad() = %t, want %t", name, got, tt.broken)
		}
	}
}

func keep(t *testing.T, s *Servers) {
	t.Helper()
	client, err := redis.Open(s.RedisURL())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if err := client.Set(t.Context(), "kept", "yes", 0).Err(); err != nil {
		t.Fatal(err)
	}
}

func kept(t *testing.T, s *Servers) string {
	t.Helper()
	client, err := redis.Open(s.RedisURL())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	got, err := client.Get(t.Context(), "kept").Result()
	if err != nil {
		t.Errorf("read what Redis keeps: %v", err)
	}
	return got
}

func TestDataChecksums(t *testing.T) {
	t.Parallel()
	if got := query(t, acquire(t, Options{Dir: folder(t), Postgres: true}), "SHOW data_checksums"); got != "on" {
		t.Errorf("data_checksums = %q, want on", got)
	}
}
