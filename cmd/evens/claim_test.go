package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"evens/internal/claim"
	"evens/internal/redis"
	"evens/internal/testbed"
	"evens/jobs"
	"evens/settlement"
)

// ready asks /readyz: the status and the part of the installation.
func ready(t *testing.T, ops string) (status int, part string) {
	t.Helper()
	response, err := http.Get("http://" + ops + "/readyz")
	if err != nil {
		return 0, err.Error()
	}
	defer response.Body.Close()
	var answer struct{ Parts map[string]string }
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, answer.Parts["installation"]
}

// within opens Redis as the installation's processes do.
func (i *installation) within(t *testing.T) goredis.UniversalClient {
	t.Helper()
	identity, err := claim.Read(t.Context(), i.db.Pool)
	if err != nil {
		t.Fatal(err)
	}
	client, err := redis.OpenIn(i.redisURL, identity.Space())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	return client
}

// Two brands have one Redis in their settings. Each is paid within the time that it takes alone: the sweep, which would
// mend what the other took, does not come.
func TestTwoInstallationsOnOneRedis(t *testing.T) {
	t.Parallel()
	const coupons = 2_000
	redisURL := testbed.Redis(t)
	var urls []string
	var both []*installation
	for range 2 {
		i := install(t, testbed.Database(t), redisURL)
		address, ops := freeAddress(t), freeAddress(t)
		process := i.start(t, []string{"up"}, "EVENS_LISTEN="+address, "EVENS_OPS_LISTEN="+ops, "EVENS_SWEEP_INTERVAL=10m")
		eventually(t, time.Minute, "it is ready", func() bool { status, _ := ready(t, ops); return status == http.StatusOK })
		t.Cleanup(func() {
			process.kill()
			if strings.Contains(process.log.String(), "does not have") {
				t.Error("a worker met another installation's job")
			}
		})
		urls, both = append(urls, "http://"+address+"/api/bet/result"), append(both, i)
	}
	for n, i := range both {
		push := i.seed(t, coupons)
		if err := push(urls[n]); err != nil {
			t.Fatal(err)
		}
	}
	for _, i := range both {
		eventually(t, time.Minute, "all coupons are settled", func() bool { return i.count(t, countSettled) == coupons })
		i.clean(t)
	}
}

// A folder is copied with its server and started beside the original, on one Redis: it says why it does not start, and
// the original goes on.
func TestACopiedFolderDoesNotStart(t *testing.T) {
	if testing.Short() {
		t.Skip("starts two servers of its own")
	}
	t.Parallel()
	dir, err := os.MkdirTemp("/tmp", "evens-copy-")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o755); err != nil { // root's servers run as another user
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	redisURL := testbed.Redis(t)
	up := func(folder string) (*process, string) {
		i := &installation{redisURL: redisURL}
		ops := freeAddress(t)
		return i.start(t, []string{"up"}, "EVENS_DATABASE_URL=", "EVENS_BET_URL=", "EVENS_DATA_DIR="+filepath.Join(dir, folder),
			"EVENS_LISTEN="+freeAddress(t), "EVENS_OPS_LISTEN="+ops), ops
	}
	isReady := func(ops string) func() bool {
		return func() bool { status, part := ready(t, ops); return status == http.StatusOK && part == "ok" }
	}
	first, ops := up("a")
	eventually(t, time.Minute, "the original is ready", isReady(ops))
	if err := first.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := first.Wait(); err != nil {
		t.Fatal(err)
	}
	if output, err := exec.CommandContext(t.Context(), "cp", "-a", filepath.Join(dir, "a"), filepath.Join(dir, "b")).CombinedOutput(); err != nil {
		t.Fatalf("cp: %v %s", err, output)
	}
	plain, err := redis.Open(redisURL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = plain.Close() })
	claimed := func() string {
		keys := plain.Keys(t.Context(), "evens-*:evens:claim").Val()
		if len(keys) != 1 {
			t.Fatalf("claims: %v", keys)
		}
		return plain.Get(t.Context(), keys[0]).Val()
	}
	before := claimed()
	_, ops = up("a")
	eventually(t, time.Minute, "the original is ready again", isReady(ops))
	eventually(t, time.Minute, "the original turns its row, which the copy has as it was", func() bool { return claimed() != before })
	second, _ := up("b")
	ended := make(chan error, 1)
	go func() { ended <- second.Wait() }()
	select {
	case err := <-ended:
		if err == nil || !strings.Contains(second.log.String(), claim.ErrTaken.Error()) {
			t.Errorf("the copy ended with %v:\n%s", err, second.log)
		}
	case <-time.After(60 * time.Second):
		t.Fatal("the copy works beside the original")
	}
	if status, part := ready(t, ops); status != http.StatusOK {
		t.Errorf("the original: %d %s", status, part)
	}
}

// Somebody else claims the keys of an installation that works: it is not ready, says why, and its worker takes no job
// until the keys are its own again.
func TestAWorkerStopsWhileAnotherClaimsItsKeys(t *testing.T) {
	t.Parallel()
	i := install(t, testbed.Database(t), testbed.Redis(t))
	address, ops := freeAddress(t), freeAddress(t)
	i.start(t, []string{"up"}, "EVENS_LISTEN="+address, "EVENS_OPS_LISTEN="+ops)
	eventually(t, time.Minute, "it is ready", func() bool { status, _ := ready(t, ops); return status == http.StatusOK })
	client := i.within(t)
	if err := client.Set(t.Context(), "evens:claim", "1000000 another", time.Hour).Err(); err != nil {
		t.Fatal(err)
	}
	status, part := ready(t, ops)
	if status != http.StatusServiceUnavailable || part != claim.ErrTaken.Error() {
		t.Errorf("ready: %d %q, want 503 and %q", status, part, claim.ErrTaken)
	}
	workers := func() int { return len(client.Keys(t.Context(), "evens-*:asynq:servers:*").Val()) }
	eventually(t, time.Minute, "the worker has stopped", func() bool { return workers() == 0 })
	push := i.seed(t, 100)
	if err := push("http://" + address + "/api/bet/result"); err != nil {
		t.Errorf("results are not taken meanwhile: %v", err)
	}
	if n := i.count(t, countSettled); n != 0 {
		t.Errorf("%d coupons were settled meanwhile", n)
	}
	if err := client.Del(t.Context(), "evens:claim").Err(); err != nil {
		t.Fatal(err)
	}
	eventually(t, time.Minute, "all coupons are settled", func() bool { return i.count(t, countSettled) == 100 })
	if status, part := ready(t, ops); status != http.StatusOK {
		t.Errorf("ready: %d %s", status, part)
	}
	i.clean(t)
}

// What the release before has put into its queues, under keys without a space, is not waited for: the sweep finds it
// in the tables.
func TestJobsOfTheReleaseBeforeAreSweptAgain(t *testing.T) {
	t.Parallel()
	const coupons = 2_000
	i := install(t, testbed.Database(t), testbed.Redis(t))
	push := i.seed(t, coupons)
	api := freeAddress(t)
	process := i.start(t, []string{"api"}, "EVENS_LISTEN="+api)
	eventually(t, time.Minute, "the api listens", func() bool { return answers("http://"+api+"/v1/openapi.json", 200) })
	if err := push("http://" + api + "/api/bet/result"); err != nil {
		t.Fatal(err)
	}
	process.kill()
	plain, err := redis.Open(i.redisURL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = plain.Close() })
	if err := plain.FlushDB(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	rows, err := i.db.Pool.Query(t.Context(), `SELECT id, rung FROM result_chunks WHERE done_at IS NULL`)
	if err != nil {
		t.Fatal(err)
	}
	var chunks []settlement.Chunk
	for rows.Next() {
		var chunk settlement.Chunk
		if err := rows.Scan(&chunk.ID, &chunk.Rung); err != nil {
			t.Fatal(err)
		}
		chunks = append(chunks, chunk)
	}
	if rows.Err() != nil || len(chunks) == 0 {
		t.Fatal(len(chunks), rows.Err())
	}
	cfg := &Config{LogLevel: "error"}
	bell := jobs.NewBell(plain, cfg.logger(io.Discard))
	bell.Ring(chunks)
	pending := func() int64 { return plain.LLen(t.Context(), "asynq:{settlement}:pending").Val() }
	eventually(t, time.Minute, "the jobs are in the old queue", func() bool { return pending() == int64(len(chunks)) })
	bell.Close()
	i.start(t, []string{"up"}, "EVENS_LISTEN="+freeAddress(t))
	eventually(t, time.Minute, "all coupons are settled", func() bool { return i.count(t, countSettled) == coupons })
	i.clean(t)
}

// Redis forgets everything, and nobody works: what is asked for after that shows in the metrics and on the dashboard,
// although the producer has registered its queue long ago.
func TestQueuesAreSeenAfterRedisForgot(t *testing.T) {
	t.Parallel()
	i := install(t, testbed.Database(t), testbed.Redis(t))
	push := i.seed(t, 1_000)
	api, ops := freeAddress(t), freeAddress(t)
	i.start(t, []string{"api"}, "EVENS_LISTEN="+api, "EVENS_OPS_LISTEN="+ops)
	eventually(t, time.Minute, "the api listens", func() bool { return answers("http://"+api+"/v1/openapi.json", 200) })
	metrics := func() string {
		response, err := http.Get("http://" + ops + "/metrics")
		if err != nil {
			return err.Error()
		}
		defer response.Body.Close()
		text, err := io.ReadAll(response.Body)
		if err != nil {
			return err.Error()
		}
		return string(text)
	}
	waits := func() bool {
		text := metrics()
		return strings.Contains(text, `evens_queue_tasks{queue="settlement",state="pending"}`) &&
			!strings.Contains(text, `evens_queue_tasks{queue="settlement",state="pending"} 0`)
	}
	if err := push("http://" + api + "/api/bet/result"); err != nil {
		t.Fatal(err)
	}
	eventually(t, time.Minute, "jobs wait", waits)
	client := i.within(t)
	if err := client.FlushDB(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	if _, err := i.db.Pool.Exec(t.Context(), `TRUNCATE results, result_chunks`); err != nil { // the same push again
		t.Fatal(err)
	}
	if err := push("http://" + api + "/api/bet/result"); err != nil {
		t.Fatal(err)
	}
	eventually(t, time.Minute, "jobs wait, and are seen", waits)
	eventually(t, time.Minute, "all queues are on the dashboard", func() bool {
		return client.SCard(t.Context(), "asynq:queues").Val() == 5
	})
}

// Without Redis nothing is told about the queues but that they cannot be read.
func TestQueuesWithoutRedisAreUnknown(t *testing.T) {
	t.Parallel()
	private := testbed.PrivateServers(t)
	i := install(t, private.DatabaseURL(), "redis://"+freeAddress(t))
	ops := freeAddress(t)
	i.start(t, []string{"api"}, "EVENS_LISTEN="+freeAddress(t), "EVENS_OPS_LISTEN="+ops)
	var text bytes.Buffer
	eventually(t, time.Minute, "metrics are served", func() bool {
		response, err := http.Get("http://" + ops + "/metrics")
		if err != nil {
			return false
		}
		defer response.Body.Close()
		text.Reset()
		_, err = text.ReadFrom(response.Body)
		return err == nil && response.StatusCode == http.StatusOK
	})
	if strings.Contains(text.String(), "evens_queue_tasks{") || !strings.Contains(text.String(), `evens_backlog_up{source="redis"} 0`) {
		t.Errorf("metrics without Redis:\n%s", text.String())
	}
}
