package testbed

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	goredis "github.com/redis/go-redis/v9"

	"evens/internal/redis"
)

func TestMain(m *testing.M) { Main(m) }

func TestDatabase(t *testing.T) {
	t.Parallel()
	var used []string
	t.Run("many at once", func(t *testing.T) {
		var mu sync.Mutex
		for i := range 6 {
			t.Run(fmt.Sprint(i), func(t *testing.T) {
				t.Parallel()
				url := Database(t)
				mu.Lock()
				used = append(used, url)
				mu.Unlock()
				conn, err := pgx.Connect(t.Context(), url)
				if err != nil {
					t.Fatal(err)
				}
				// Left open on purpose: a test that forgets to close is cleared away all the same.
				var migrated bool
				err = conn.QueryRow(t.Context(), "SELECT to_regclass('goose_db_version') IS NOT NULL").Scan(&migrated)
				if err != nil || !migrated {
					t.Errorf("schema migrated = %t (%v), want true", migrated, err)
				}
				if _, err := conn.Exec(t.Context(), "CREATE TABLE mine ()"); err != nil {
					t.Errorf("the database is not this test's own: %v", err)
				}
			})
		}
	})
	for _, url := range used {
		conn, err := pgx.Connect(t.Context(), url)
		if err == nil {
			t.Errorf("%s is still there after its test", url)
			_ = conn.Close(t.Context())
		}
	}
}

func TestEmptyDatabase(t *testing.T) {
	t.Parallel()
	conn, err := pgx.Connect(t.Context(), EmptyDatabase(t))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context()))
	var tables int
	err = conn.QueryRow(t.Context(), "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").Scan(&tables)
	if err != nil || tables != 0 {
		t.Errorf("%d tables (%v), want none", tables, err)
	}
}

func TestRedis(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for range 4 {
		url := Redis(t)
		if seen[url] || strings.HasSuffix(url, "/0") {
			t.Errorf("%d databases and one of them twice, or the one with the books", len(seen))
		}
		seen[url] = true
		client := openRedis(t, url)
		if n, err := client.DBSize(t.Context()).Result(); err != nil || n != 0 {
			t.Errorf("the database has %d keys (%v), want none", n, err)
		}
		if err := client.Set(t.Context(), "k", "v", 0).Err(); err != nil {
			t.Error(err)
		}
	}
}

// With few databases and one of them someone else's, tests wait for each other and leave that
// one alone.
func TestRedisScarce(t *testing.T) {
	t.Parallel()
	s := PrivateServers(t)
	admin := openRedis(t, s.RedisURL())
	foreign, err := withIndex(s.RedisURL(), 1)
	if err != nil {
		t.Fatal(err)
	}
	if err := openRedis(t, foreign).Set(t.Context(), "theirs", "kept", 0).Err(); err != nil {
		t.Fatal(err)
	}
	const count = 16
	if n := countDatabases(t.Context(), admin); n != count {
		t.Fatalf("countDatabases() = %d, want %d", n, count)
	}
	var wg sync.WaitGroup
	for range 40 {
		wg.Go(func() {
			index, err := takeRedis(t.Context(), s.RedisURL())
			if err != nil || index < 2 || index >= count {
				t.Errorf("takeRedis() = %d, %v, want 2 to %d", index, err, count-1)
				return
			}
			if err := returnRedis(t.Context(), s.RedisURL(), index); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if got := openRedis(t, foreign).Get(t.Context(), "theirs").Val(); got != "kept" {
		t.Errorf("someone else's key reads %q, want kept", got)
	}
}

func openRedis(t *testing.T, url string) goredis.UniversalClient {
	t.Helper()
	client, err := redis.Open(url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := client.Close(); err != nil {
			t.Error(err)
		}
	})
	return client
}

func BenchmarkDatabase(b *testing.B) {
	for b.Loop() {
		clone(b, bedOf(b).DatabaseURL, "template0")
	}
}
