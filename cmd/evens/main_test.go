package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"evens/audit"
	"evens/bench"
	"evens/internal/postgres"
	"evens/internal/redis"
	"evens/internal/testbed"
	"evens/internal/testbed/testlog"
	"evens/sim/betsim"
)

// asProgram makes the test binary be evens itself, so that tests can start and kill real processes.
const asProgram = "EVENS_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		_ = os.Unsetenv(asProgram)
		main()
		return
	}
	testbed.Main(m, removeProgram)
}

// installation is one database, one Redis, and processes of ours on them.
type installation struct {
	databaseURL, redisURL string // databaseURL is the owner's
	runtimeURL            string // what processes are given
	betURL                string
	db                    *postgres.DB
}

func install(t *testing.T, databaseURL, redisURL string) *installation {
	t.Helper()
	if err := postgres.Migrate(t.Context(), databaseURL); err != nil {
		t.Fatal(err)
	}
	db, err := postgres.Open(t.Context(), postgres.Config{URL: databaseURL, MaxConns: 4, HotConns: 2})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	betURL, stop := serveSim(betsim.New(betsim.Config{Seed: 1}))
	t.Cleanup(stop)
	return &installation{databaseURL: databaseURL, runtimeURL: asRuntime(t, databaseURL), redisURL: redisURL, betURL: betURL, db: db}
}

// process is a running evens.
type process struct {
	*exec.Cmd
	log *testlog.Buffer
}

// start runs `evens args…` as a process of its own. It is killed when the test ends.
func (i *installation) start(t *testing.T, args []string, environ ...string) *process {
	t.Helper()
	p := &process{Cmd: i.command(t, args, environ...), log: &testlog.Buffer{}}
	p.Stderr = p.log
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.kill()
		if t.Failed() {
			t.Logf("evens %s:\n%s", strings.Join(args, " "), p.log)
		}
	})
	return p
}

// command is `evens args…`, not started yet.
func (i *installation) command(t *testing.T, args []string, environ ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(program(), args...)
	cmd.Env = append(os.Environ(), asProgram+"=1",
		"EVENS_DATABASE_URL="+i.runtimeURL, "EVENS_REDIS_URL="+i.redisURL, "EVENS_SWEEP_INTERVAL=1s", "EVENS_LOG_LEVEL=warn",
		"EVENS_OPS_LISTEN=127.0.0.1:0", "EVENS_BET_URL="+i.betURL, "EVENS_BET_LOGIN=demo", "EVENS_BET_PASSWORD=demo")
	cmd.Env = append(cmd.Env, environ...)
	return cmd
}

// kill is SIGKILL: nothing is said good-bye to.
func (p *process) kill() {
	if p.ProcessState == nil {
		_ = p.Process.Kill()
		_ = p.Wait()
	}
}

// freeAddress is a loopback address nobody listened on a moment ago.
func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

// eventually polls until the condition holds.
func eventually(t *testing.T, limit time.Duration, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(limit); !holds(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within %s: %s", limit, what)
		}
	}
}

func (i *installation) count(t *testing.T, query string) int {
	t.Helper()
	var n int
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := i.db.Pool.QueryRow(ctx, query).Scan(&n); err != nil {
		return -1 // the database is away: the caller asks again
	}
	return n
}

const (
	countSettled = `SELECT count(*) FROM coupons WHERE status IN ('won', 'lost', 'refunded')`
	countTwice   = `SELECT count(*) FROM settlements WHERE n > 1`
)

// clean audits the books.
func (i *installation) clean(t *testing.T) {
	t.Helper()
	report, err := audit.Run(t.Context(), i.db)
	if err != nil {
		t.Fatal(err)
	}
	if !report.Clean {
		var text bytes.Buffer
		_ = report.Print(&text)
		t.Fatalf("the audit found violations:\n%s", &text)
	}
}

// seed fills the database with accepted coupons, and returns how to push all their results.
func (i *installation) seed(t *testing.T, n int) (push func(url string) error) {
	t.Helper()
	if err := bench.Seed(t.Context(), i.db.Pool, n, io.Discard); err != nil {
		t.Fatal(err)
	}
	return func(url string) error {
		return bench.Settle{N: n, ResultURL: url}.Push(context.Background())
	}
}

// answers reports whether a URL answers with the status.
func answers(url string, status int) bool {
	client := http.Client{Timeout: 2 * time.Second}
	response, err := client.Get(url)
	if err != nil {
		return false
	}
	defer response.Body.Close()
	return response.StatusCode == status
}

// A worker that is killed in the middle of its work, twenty times, costs nothing but time.
func TestWorkerKilledTwentyTimes(t *testing.T) {
	t.Parallel()
	const coupons = 20_000
	i := install(t, testbed.Database(t), testbed.Redis(t))
	push := i.seed(t, coupons)
	api := freeAddress(t)
	i.start(t, []string{"api"}, "EVENS_LISTEN="+api)
	i.start(t, []string{"cron"})
	eventually(t, time.Minute, "the api listens", func() bool { return answers("http://"+api+"/v1/openapi.json", 200) })
	if err := push("http://" + api + "/api/bet/result"); err != nil {
		t.Fatal(err)
	}
	for kill := range 20 {
		worker := i.start(t, []string{"worker"}, "EVENS_WORKER_CONCURRENCY=2")
		before := i.count(t, countSettled)
		// Killed once it works, or after a moment: sometimes before, sometimes within a commit.
		for wait := time.Now(); time.Since(wait) < time.Second+time.Duration(kill)*37*time.Millisecond; time.Sleep(7 * time.Millisecond) {
			if i.count(t, countSettled) > before {
				break
			}
		}
		worker.kill()
	}
	i.start(t, []string{"worker"})
	eventually(t, 90*time.Second, "all coupons are settled", func() bool { return i.count(t, countSettled) == coupons })
	if twice := i.count(t, countTwice); twice != 0 {
		t.Errorf("%d coupons were settled twice", twice)
	}
	i.clean(t)
}

// Redis forgets everything in the middle: the sweep rings for what the tables know.
func TestRedisForgetsEverything(t *testing.T) {
	t.Parallel()
	const coupons = 20_000
	private := testbed.PrivateServers(t)
	i := install(t, private.DatabaseURL(), private.RedisURL())
	push := i.seed(t, coupons)
	api := freeAddress(t)
	i.start(t, []string{"api"}, "EVENS_LISTEN="+api)
	eventually(t, time.Minute, "the api listens", func() bool { return answers("http://"+api+"/v1/openapi.json", 200) })
	if err := push("http://" + api + "/api/bet/result"); err != nil {
		t.Fatal(err)
	}
	flush(t, private.RedisURL())
	i.start(t, []string{"worker"}, "EVENS_WORKER_CONCURRENCY=1")
	i.start(t, []string{"cron"})
	eventually(t, time.Minute, "some coupons are settled", func() bool { return i.count(t, countSettled) > 0 })
	flush(t, private.RedisURL())
	eventually(t, time.Minute, "all coupons are settled", func() bool { return i.count(t, countSettled) == coupons })
	i.clean(t)
}

// PostgreSQL stops at once and comes back: callers hear 503, and nothing is lost.
func TestDatabaseStopsAtOnce(t *testing.T) {
	t.Parallel()
	const coupons = 5_000
	private := testbed.PrivateServers(t)
	i := install(t, private.DatabaseURL(), private.RedisURL())
	push := i.seed(t, coupons)
	address := freeAddress(t)
	i.start(t, []string{"up"}, "EVENS_LISTEN="+address)
	resultURL := "http://" + address + "/api/bet/result"
	eventually(t, time.Minute, "the api listens", func() bool { return answers("http://"+address+"/v1/openapi.json", 200) })
	if err := private.StopPostgres(t.Context()); err != nil {
		t.Fatal(err)
	}
	status, code := postResult(t, resultURL)
	if status != http.StatusServiceUnavailable || code != "unavailable" {
		t.Errorf("a push to a service without its database: HTTP %d %q, want 503 unavailable", status, code)
	}
	if err := private.StartPostgres(t.Context()); err != nil {
		t.Fatal(err)
	}
	eventually(t, time.Minute, "results are taken again", func() bool {
		status, _ := postResult(t, resultURL)
		return status == http.StatusOK
	})
	if err := push(resultURL); err != nil {
		t.Fatal(err)
	}
	// Again, with work under way.
	if err := private.StopPostgres(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := private.StartPostgres(t.Context()); err != nil {
		t.Fatal(err)
	}
	eventually(t, 90*time.Second, "all coupons are settled", func() bool { return i.count(t, countSettled) == coupons })
	i.clean(t)
}

// postResult pushes one result of a coupon nobody has, and returns status and problem code.
func postResult(t *testing.T, url string) (status int, code string) {
	t.Helper()
	body := `{"remote_host":"x","Heads":[{"KeyHead":{"Id":"1","BarCode":"nobody"},"Status":4,"ExtStatus":0,"AmountOut":1,"DateRecive":"1597075782"}]}`
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, err.Error()
	}
	defer response.Body.Close()
	var problem struct{ Code string }
	_ = json.NewDecoder(response.Body).Decode(&problem) // an answer without a body has no code
	return response.StatusCode, problem.Code
}

// A worker that is asked to end finishes what it has in hand.
func TestWorkerEndsOrderly(t *testing.T) {
	t.Parallel()
	i := install(t, testbed.Database(t), testbed.Redis(t))
	address := freeAddress(t)
	worker := i.start(t, []string{"up"}, "EVENS_LISTEN="+address, "EVENS_LOG_LEVEL=info")
	eventually(t, time.Minute, "it has started", func() bool { return answers("http://"+address+"/v1/openapi.json", 200) })
	if err := worker.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- worker.Wait() }()
	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("evens up ended with %v, want exit code 0", err)
		}
	case <-time.After(20 * time.Second):
		t.Error("evens up did not end within 20 s of SIGTERM")
	}
}

func flush(t *testing.T, url string) {
	t.Helper()
	client, err := redis.Open(url)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if err := client.FlushAll(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
}
