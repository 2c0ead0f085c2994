package testbed

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"evens/internal/servers"
)

const (
	// releaseTime bounds the clearing up at the end.
	releaseTime = time.Minute
	// redisDatabases lets a thousand tests have one at the same time.
	redisDatabases = 1024
)

// Bed is the servers that tests share.
type Bed struct {
	// DatabaseURL and RedisURL are the servers' addresses; tests take databases of their own
	// from there.
	DatabaseURL, RedisURL string

	servers  *servers.Servers
	template func() error
}

// shared is the bed of this test binary, set by Main before any test runs.
var shared *Bed

// Main runs the package's tests with servers, ends what else the tests share, and exits. Call it from TestMain.
func Main(m *testing.M, end ...func()) { os.Exit(run(m, end)) }

func run(m *testing.M, end []func()) int {
	ctx := context.Background()
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	bed, err := Acquire(ctx, log)
	if err != nil {
		fmt.Fprintln(os.Stderr, "testbed:", err)
		return 1
	}
	shared = bed
	code := m.Run()
	for _, f := range end {
		f()
	}
	if err := bed.Release(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "testbed:", err)
		return max(code, 1)
	}
	return code
}

// Acquire finds or starts the servers for tests. Whoever acquires releases.
func Acquire(ctx context.Context, log *slog.Logger) (*Bed, error) {
	bed := &Bed{
		DatabaseURL: cmp.Or(os.Getenv("EVENS_TEST_DATABASE_URL"), os.Getenv("EVENS_DATABASE_URL")),
		RedisURL:    cmp.Or(os.Getenv("EVENS_TEST_REDIS_URL"), os.Getenv("EVENS_REDIS_URL")),
	}
	dir, err := dataDir()
	if err != nil {
		return nil, err
	}
	begin := time.Now()
	bed.servers, err = servers.Acquire(ctx, servers.Options{
		Dir: dir, Fast: true, Log: log, RedisDatabases: redisDatabases,
		Postgres: bed.DatabaseURL == "", Redis: bed.RedisURL == "",
	})
	if err != nil {
		return nil, err
	}
	bed.DatabaseURL = cmp.Or(bed.DatabaseURL, bed.servers.DatabaseURL())
	bed.RedisURL = cmp.Or(bed.RedisURL, bed.servers.RedisURL())
	bed.template = sync.OnceValue(func() error { return ensureTemplate(bed.DatabaseURL) })
	if bed.servers.Started() {
		if err := dropBefore(ctx, bed.DatabaseURL, begin); err != nil {
			return nil, errors.Join(err, bed.Release(ctx))
		}
	}
	return bed, nil
}

// Release lets go of the servers; the last one to do so stops them.
func (b *Bed) Release(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), releaseTime)
	defer cancel()
	return b.servers.Release(ctx)
}

// bedOf fails the test where Main has been forgotten.
func bedOf(t testing.TB) *Bed {
	t.Helper()
	if shared == nil {
		t.Fatal("no servers: the package needs `func TestMain(m *testing.M) { testbed.Main(m) }`")
	}
	return shared
}

// PrivateServers starts a PostgreSQL and a Redis that nobody else uses, empty and without a
// schema, for tests that stop them or change them as a whole. It takes about a second.
func PrivateServers(t testing.TB) *servers.Servers {
	t.Helper()
	// Not t.TempDir, which only its owner may enter, and whose path is too long for a socket.
	dir, err := os.MkdirTemp("/tmp", "evens-testbed-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	// Root's servers run as another user, who has to get there.
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	s, err := servers.Acquire(t.Context(), servers.Options{
		Dir: filepath.Join(dir, "e"), Postgres: true, Redis: true, Fast: true,
		Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), releaseTime)
		defer cancel()
		if err := s.Release(ctx); err != nil {
			t.Error(err)
		}
	})
	return s
}

// dataDir is `.evens-test` in the module's root, or a folder of the user's own where someone
// else's run made that one.
func dataDir() (string, error) {
	root, err := moduleRoot()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(root, ".evens-test")
	err = os.MkdirAll(dir, 0o755)
	if err == nil {
		var file *os.File
		if file, err = os.OpenFile(filepath.Join(dir, "start.lock"), os.O_RDWR|os.O_CREATE, 0o600); err == nil {
			return dir, file.Close()
		}
	}
	if !errors.Is(err, fs.ErrPermission) {
		return "", err
	}
	return filepath.Join(os.TempDir(), "evens-test-"+strconv.Itoa(os.Getuid())), nil
}

// moduleRoot is the folder of go.mod, at or above the package a test runs in.
func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("no go.mod here or above: run inside the module")
		}
		dir = parent
	}
}
