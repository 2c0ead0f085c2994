package testbed

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strconv"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"evens/internal/redis"
)

// Redis takes an empty Redis database that no other test has, empties it again at the end of
// the test, and returns its URL.
func Redis(t testing.TB) string {
	t.Helper()
	bed := bedOf(t)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	index, err := takeRedis(ctx, bed.RedisURL)
	if err != nil {
		t.Fatalf("take a redis database: %v", err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := returnRedis(ctx, bed.RedisURL, index); err != nil {
			t.Errorf("return redis database %d: %v", index, err)
		}
	})
	url, err := withIndex(bed.RedisURL, index)
	if err != nil {
		t.Fatal(err)
	}
	return url
}

// holdTime is after which a database of a killed test may be taken again.
const holdTime = time.Hour

func holdKey(index int) string { return "evens:testbed:db:" + strconv.Itoa(index) }

// takeRedis goes round the databases, from where the last one taken was, and waits if all are
// in use. Database 0 keeps the books. One with keys in it is someone else's and left alone.
func takeRedis(ctx context.Context, raw string) (int, error) {
	books, err := redis.Open(raw)
	if err != nil {
		return 0, err
	}
	defer books.Close()
	count := countDatabases(ctx, books)
	for tried := 1; ; tried++ {
		n, err := books.Incr(ctx, "evens:testbed:next").Result()
		if err != nil {
			return 0, err
		}
		index := 1 + int((n-1)%int64(count-1))
		err = books.SetArgs(ctx, holdKey(index), os.Getpid(), goredis.SetArgs{Mode: "NX", TTL: holdTime}).Err()
		if err != nil && !errors.Is(err, goredis.Nil) {
			return 0, err
		}
		if err == nil {
			empty, err := isEmpty(ctx, raw, index)
			if err != nil {
				return 0, err
			}
			if empty {
				return index, nil
			}
		}
		if tried%(count-1) != 0 {
			continue
		}
		select {
		case <-ctx.Done():
			return 0, fmt.Errorf("none of %d is free: %w", count-1, context.Cause(ctx))
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// countDatabases takes Redis's default where the server does not tell.
func countDatabases(ctx context.Context, client goredis.UniversalClient) int {
	config, err := client.ConfigGet(ctx, "databases").Result()
	if err != nil {
		return 16
	}
	count, err := strconv.Atoi(config["databases"])
	if err != nil || count < 2 {
		return 16
	}
	return count
}

func isEmpty(ctx context.Context, raw string, index int) (bool, error) {
	var size int64
	err := atIndex(raw, index, func(client goredis.UniversalClient) (err error) {
		size, err = client.DBSize(ctx).Result()
		return err
	})
	return size == 0, err
}

func returnRedis(ctx context.Context, raw string, index int) error {
	err := atIndex(raw, index, func(client goredis.UniversalClient) error { return client.FlushDB(ctx).Err() })
	if err != nil {
		return err
	}
	return atIndex(raw, 0, func(client goredis.UniversalClient) error { return client.Del(ctx, holdKey(index)).Err() })
}

func atIndex(raw string, index int, do func(goredis.UniversalClient) error) error {
	url, err := withIndex(raw, index)
	if err != nil {
		return err
	}
	client, err := redis.Open(url)
	if err != nil {
		return err
	}
	defer client.Close()
	return do(client)
}

// withIndex is the same server's URL for another database.
func withIndex(raw string, index int) (string, error) {
	u, err := url.Parse(raw)
	if err != nil || u.Scheme != "redis" && u.Scheme != "rediss" {
		return "", errors.New("the redis url for tests must be of the form redis://host:port")
	}
	u.Path = "/" + strconv.Itoa(index)
	return u.String(), nil
}
