package servers

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"evens/internal/redis"
	"evens/internal/testbed/testlog"
)

// helperDir makes the test binary a command that uses the servers of that folder, until Ctrl-C or, with helperOnce,
// no longer than it takes to ask them something.
const (
	helperDir  = "EVENS_SERVERS_HELPER"
	helperOnce = "EVENS_SERVERS_HELPER_ONCE"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(helperDir); dir != "" {
		os.Exit(helper(dir))
	}
	os.Exit(m.Run())
}

// helper acquires, says so, and at Ctrl-C shows that the servers are still there for it.
func helper(dir string) int {
	ctx := context.Background()
	interrupted := make(chan os.Signal, 1)
	signal.Notify(interrupted, os.Interrupt)
	opts := Options{Dir: dir, Postgres: true, Redis: true}
	if os.Getenv(helperOnce) != "" {
		opts.unseenWait = time.Second
	}
	s, err := Acquire(ctx, opts)
	if err != nil {
		fmt.Println(err)
		return 1
	}
	fmt.Println("acquired")
	if os.Getenv(helperOnce) == "" {
		<-interrupted
	}
	conn, err := pgx.Connect(ctx, s.DatabaseURL())
	if err != nil {
		fmt.Println(err)
		return 1
	}
	if err := conn.Close(ctx); err != nil {
		fmt.Println(err)
		return 1
	}
	if err := s.Release(ctx); err != nil {
		fmt.Println(err)
		return 1
	}
	fmt.Println("released")
	return 0
}

// process is a helper that has acquired.
type process struct {
	cmd    *exec.Cmd
	output *bufio.Scanner
}

// startHelper returns when the helper has acquired. It leads a process group of its own.
func startHelper(t *testing.T, dir string) *process {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), helperDir+"="+dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p := &process{cmd: cmd, output: bufio.NewScanner(pipe)}
	if line := p.line(); line != "acquired" {
		t.Fatalf("helper says %q, want acquired", line)
	}
	return p
}

func (p *process) line() string {
	if !p.output.Scan() {
		return ""
	}
	return p.output.Text()
}

// folder is a place that every user of the machine can enter, and the path short enough for a
// socket; t.TempDir is neither.
func folder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "evens-servers-test-")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return filepath.Join(dir, ".evens")
}

func both(dir string) Options { return Options{Dir: dir, Postgres: true, Redis: true, Fast: true} }

// acquire releases at the end of the test what the test itself has not.
func acquire(t *testing.T, opts Options) *Servers {
	t.Helper()
	s, err := Acquire(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { release(t, s) })
	return s
}

func release(t *testing.T, s *Servers) {
	t.Helper()
	if err := s.Release(context.WithoutCancel(t.Context())); err != nil {
		t.Error(err)
	}
}

// query runs one statement and returns its one value as text.
func query(t *testing.T, s *Servers, sql string) string {
	t.Helper()
	value, err := tryQuery(t.Context(), s.DatabaseURL(), sql)
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return value
}

func tryQuery(ctx context.Context, url, sql string) (value string, err error) {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return "", err
	}
	defer conn.Close(ctx)
	rows, err := conn.Query(ctx, sql, pgx.QueryExecModeSimpleProtocol)
	if err != nil {
		return "", err
	}
	defer rows.Close()
	for rows.Next() {
		if err := rows.Scan(&value); err != nil {
			return "", err
		}
	}
	return value, rows.Err()
}

func redisPing(ctx context.Context, url string) error {
	client, err := redis.Open(url)
	if err != nil {
		return err
	}
	defer client.Close()
	return client.Ping(ctx).Err()
}

// wantRunning checks by asking the servers themselves.
func wantRunning(t *testing.T, s *Servers, want bool) {
	t.Helper()
	if s.opts.Postgres {
		_, err := tryQuery(t.Context(), s.DatabaseURL(), "SELECT 'up'")
		if got := err == nil; got != want {
			t.Errorf("PostgreSQL answers = %t (%v), want %t", got, err, want)
		}
	}
	if s.opts.Redis {
		err := redisPing(t.Context(), s.RedisURL())
		if got := err == nil; got != want {
			t.Errorf("Redis answers = %t (%v), want %t", got, err, want)
		}
	}
}

// logLines collects what is logged, a line each.
type logLines struct{ testlog.Buffer }

func (l *logLines) logger() *slog.Logger { return slog.New(slog.NewTextHandler(l, nil)) }

func (l *logLines) count(part string) int {
	n := 0
	for line := range strings.Lines(l.String()) {
		if strings.Contains(line, part) {
			n++
		}
	}
	return n
}
