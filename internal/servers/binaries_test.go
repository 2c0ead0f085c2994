package servers

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"evens/internal/redis"
)

// withoutRedis is a machine on which no Redis program can be found.
func withoutRedis(name string) (string, error) {
	if strings.Contains(name, "redis") || strings.Contains(name, "valkey") {
		return "", exec.ErrNotFound
	}
	return exec.LookPath(name)
}

func TestWithoutRedis(t *testing.T) {
	t.Parallel()
	var lines logLines
	opts := Options{Dir: folder(t), Redis: true, Log: lines.logger(), lookPath: withoutRedis}
	s := acquire(t, opts)
	wantRunning(t, s, true)
	if got := lines.count("level=WARN"); got != 1 {
		t.Errorf("%d warnings, want 1:\n%s", got, lines.String())
	}
	other := acquire(t, opts)
	if other.RedisURL() != s.RedisURL() {
		t.Error("a second command does not find the first one's Redis")
	}
	if got := lines.count("level=WARN"); got != 1 {
		t.Errorf("%d warnings after the second command, want 1:\n%s", got, lines.String())
	}

	client, err := redis.Open(s.RedisURL())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if err := redis.CheckEviction(t.Context(), client); err != nil {
		t.Error(err)
	}
	if err := client.Set(t.Context(), "short", "life", 50*time.Millisecond).Err(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(100 * time.Millisecond)
	if n, err := client.Exists(t.Context(), "short").Result(); err != nil || n != 0 {
		t.Errorf("a key outlives its time (%d, %v)", n, err)
	}

	url := s.RedisURL()
	if err := s.StopRedis(t.Context()); err != nil {
		t.Fatal(err)
	}
	wantRunning(t, s, false)
	if err := s.StartRedis(t.Context()); err != nil {
		t.Fatal(err)
	}
	wantRunning(t, s, true)
	if s.RedisURL() != url {
		t.Error("after an outage the in-process Redis has another URL")
	}
	release(t, other)
	release(t, s)
	wantRunning(t, s, false)
}

func TestWithoutPostgres(t *testing.T) {
	t.Parallel()
	bin, err := findPostgres(t.Context(), exec.LookPath, nil, 0)
	if _, pathErr := exec.LookPath("postgres"); pathErr != nil && (err == nil || !strings.Contains(err.Error(), "make setup")) {
		t.Errorf("findPostgres() with nowhere to look = %v, %v, want an error naming `make setup`", bin, err)
	}
	_, err = findPostgres(t.Context(), exec.LookPath, postgresGlobs, 9)
	if err == nil || !strings.Contains(err.Error(), "written by PostgreSQL 9") {
		t.Errorf("findPostgres() of version 9 = %v, want it named", err)
	}
}

func TestVersions(t *testing.T) {
	t.Parallel()
	tests := map[string]int{
		"postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)": 15,
		"postgres (PostgreSQL) 19beta1":                        19,
		"Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc": 7,
		"Valkey server v=8.1.1 sha=00000000:0 malloc=jemalloc": 8,
		"something else 12":                                    0,
	}
	dir := filepath.Dir(folder(t))
	n := 0
	for text, want := range tests {
		n++
		program := filepath.Join(dir, fmt.Sprint("program", n))
		if err := os.WriteFile(program, []byte("#!/bin/sh\necho '"+text+"'\n"), 0o755); err != nil {
			t.Fatal(err)
		}
		if got := version(t.Context(), program); got != want {
			t.Errorf("version of %q = %d, want %d", text, got, want)
		}
	}
}

// An old Redis is as good as none, and the warning says why.
func TestOldRedis(t *testing.T) {
	t.Parallel()
	program := filepath.Join(filepath.Dir(folder(t)), "redis-server")
	if err := os.WriteFile(program, []byte("#!/bin/sh\necho 'Redis server v=6.0.16 sha=0'\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	_, err := findRedis(t.Context(), func(string) (string, error) { return program, nil })
	if !errors.Is(err, errNoRedis) || !strings.Contains(err.Error(), "only 6") {
		t.Errorf("findRedis() = %v, want errNoRedis and the version", err)
	}
}

func TestPostgresSettings(t *testing.T) {
	t.Parallel()
	tests := []struct {
		memory  uint64
		fast    bool
		buffers string
	}{
		{0, false, "128MB"}, {512 * mib, false, "128MB"}, {4096 * mib, false, "512MB"},
		{65536 * mib, false, "1024MB"}, {65536 * mib, true, "128MB"},
	}
	for _, tt := range tests {
		got := string(postgresSettings("/s", tt.memory, tt.fast))
		if !strings.Contains(got, "\nshared_buffers = "+tt.buffers+"\n") {
			t.Errorf("%d MiB of memory, fast %t: want shared_buffers %s in\n%s", tt.memory/mib, tt.fast, tt.buffers, got)
		}
	}
	if machineMemory(t.Context()) == 0 {
		t.Error("machineMemory() = 0 on this machine")
	}
}
