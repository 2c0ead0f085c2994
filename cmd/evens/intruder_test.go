package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"evens/access"
	"evens/internal/testbed"
	"evens/internal/testbed/testlog"
	"evens/player"
)

// The intruder plays an outsider with a network, a player with a browser, a viewer in the back office and a
// colleague with a shell against the program as it is built. Each attempt says what must not come of it; the
// books, keys and operators are compared as a whole beside that.

// gateClosed has the attempts of intruderlater_test.go made: those that limits, path secrets that are asked for, and
// signatures that belong to one route stop.
const gateClosed = true

// memoryLimit is what the process may have used at its highest, through all attempts.
const memoryLimit = 400 << 20

// grownBy is what is told of an attempt that made the process grow.
const grownBy = 16 << 20

// Secrets of the installation that is broken into.
const (
	resultSecret  = "result-path-secret-2f6c81d0"
	betronSecret  = "betron-path-secret-77e2a5b9"
	metricsSecret = "metrics-token-c1d2e3f4"
)

// target is the installation, with what each intruder has to begin with.
type target struct {
	*house
	ops     string
	program string
	process *exec.Cmd
	log     *testlog.Buffer
	token   string // of the player who intrudes
	ended   string // a token that was ended
	victim  player.Player
	coupons string // an API key with the scope coupons only
}

// buildProgram builds evens as it is shipped, without the race detector.
func buildProgram(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "evens")
	build := exec.Command("go", "build", "-buildvcs=false", "-trimpath", "-o", program, ".")
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, output)
	}
	return program
}

// openTarget starts the built program with all its doors, two players and an operator of each role.
func openTarget(t *testing.T) *target {
	t.Helper()
	i := install(t, testbed.EmptyDatabase(t), testbed.Redis(t))
	i.employ(t)
	h := i.newHouse(t)
	h.resultPrefix, h.betronSuffix = "/"+resultSecret, "/"+betronSecret
	x := &target{house: h, ops: "http://" + freeAddress(t), program: buildProgram(t), log: &testlog.Buffer{}}
	x.process = x.shell("up")
	x.process.Env = append(x.process.Env, h.environ...)
	x.process.Env = append(x.process.Env, "EVENS_OPS_LISTEN="+strings.TrimPrefix(x.ops, "http://"), "EVENS_BET_RESULT_SECRET="+resultSecret,
		"EVENS_BETRON_PATH_SECRET="+betronSecret, "EVENS_METRICS_TOKEN="+metricsSecret, "EVENS_LOG_LEVEL=error")
	x.process.Stderr = x.log
	if err := x.process.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = x.process.Process.Kill()
		_ = x.process.Wait()
		if t.Failed() {
			text := x.log.String()
			t.Logf("the program's log ends with\n%s", text[max(0, len(text)-4000):])
		}
	})
	h.enter(t)
	players := player.New(i.db, time.Now)
	var err error
	x.victim, _, err = players.Create(t.Context(), player.Registration{ExternalID: "victim", Name: "Victoria Victim", Email: "victoria@example.com", Currency: "USD"})
	if err != nil {
		t.Fatal(err)
	}
	tokens := access.NewTokens(i.db, time.Now)
	if x.token, _, err = tokens.Issue(t.Context(), h.who.ID, 0); err != nil {
		t.Fatal(err)
	}
	if x.ended, _, err = tokens.Issue(t.Context(), h.who.ID, 0); err != nil {
		t.Fatal(err)
	}
	if status, text := x.ask(t, request{method: "DELETE", url: h.url + "/v1/tokens/current", header: bearerOf(x.ended)}); status/100 != 2 {
		t.Fatalf("end a token: %d %s", status, text)
	}
	if _, x.coupons, err = access.NewKeys(i.db, time.Now).Create(t.Context(), "coupons only", []access.Scope{access.ScopeCoupons}); err != nil {
		t.Fatal(err)
	}
	x.deposit(t, "victim")
	return x
}

// deposit gives a player 100 by the gateway.
func (x *target) deposit(t *testing.T, who string) {
	t.Helper()
	for _, d := range x.doors() {
		if d.name == "gateway" {
			body := strings.Replace(strings.Replace(d.body, "p-1", who, 1), "ID", uuid.NewString(), 1)
			if status, text := x.call(t, d, strings.Replace(body, "5.00", "100.00", 1)); status != http.StatusOK {
				t.Fatalf("deposit: %d %s", status, text)
			}
		}
	}
}

// shell is a command of a colleague who has a shell on the machine, with the address that processes are given.
func (x *target) shell(args ...string) *exec.Cmd {
	cmd := exec.Command(x.program, args...)
	cmd.Env = append(os.Environ(), "EVENS_DATABASE_URL="+x.runtimeURL, "EVENS_REDIS_URL="+x.redisURL, "EVENS_BET_URL="+x.betURL,
		"EVENS_BET_LOGIN=demo", "EVENS_BET_PASSWORD=demo", "EVENS_LOG_LEVEL=error")
	return cmd
}

type request struct {
	method, url, body string
	header            http.Header
}

func bearerOf(token string) http.Header { return http.Header{"Authorization": {"Bearer " + token}} }

// noFollow answers redirects as they are.
var noFollow = &http.Client{
	Timeout:       20 * time.Second,
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

func (x *target) ask(t *testing.T, r request) (status int, text string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), r.method, r.url, strings.NewReader(r.body))
	if err != nil {
		return http.StatusBadRequest, err.Error() // nobody can send that
	}
	if r.header != nil {
		req.Header = r.header.Clone()
	}
	if req.Header.Get("Content-Type") == "" {
		req.Header.Set("Content-Type", "application/json")
	}
	if r.method == http.MethodPost && req.Header.Get("Idempotency-Key") == "" {
		req.Header.Set("Idempotency-Key", uuid.NewString())
	}
	response, err := noFollow.Do(req)
	if err != nil {
		return 0, err.Error() // cut off
	}
	defer response.Body.Close()
	body, _ := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	return response.StatusCode, string(body)
}

// refusedHTTP is what becomes of an attempt that fails: an error of the caller's, or a way to the login.
func refusedHTTP(status int) bool {
	return status == 0 || status >= 400 && status < 500 || status >= 300 && status < 400
}

// attempt is one thing that an intruder tries. try says how it succeeded; nothing, where it did not.
type attempt struct {
	who, what string
	try       func(t *testing.T) (success string)
}

// over makes an attempt of a request that must be refused; more can tell a success by the answer.
func (x *target) over(who, what string, r request, succeeded ...func(status int, text string) bool) attempt {
	return attempt{who, what, func(t *testing.T) string {
		status, text := x.ask(t, r)
		won := !refusedHTTP(status)
		for _, tells := range succeeded {
			won = tells(status, text)
		}
		if won || status >= 500 || strings.Contains(text, "Victoria") || strings.Contains(text, "victoria@") {
			return fmt.Sprintf("%s %s: %d %.300s", r.method, strings.TrimPrefix(r.url, x.url), status, text)
		}
		return ""
	}}
}

// possessions is everything that an attempt could have changed, as one number a table.
const possessions = `
	SELECT string_agg(what || ' ' || print, E'\n' ORDER BY what) FROM (
	SELECT 'players' AS what, md5(coalesce(string_agg(p::text, ' ' ORDER BY id), '')) AS print FROM players p
	UNION ALL SELECT 'accounts', md5(coalesce(string_agg(a::text, ' ' ORDER BY a::text), '')) FROM accounts a
	UNION ALL SELECT 'transactions', md5(coalesce(string_agg(t::text, ' ' ORDER BY id), '')) FROM transactions t WHERE kind <> 'refused'
	UNION ALL SELECT 'transfers', md5(coalesce(string_agg(t::text, ' ' ORDER BY t::text), '')) FROM transfers t
	UNION ALL SELECT 'coupons', md5(coalesce(string_agg(c::text, ' ' ORDER BY id), '')) FROM coupons c
	UNION ALL SELECT 'results', count(*)::text FROM results
	UNION ALL SELECT 'settlements', count(*)::text FROM settlements
	UNION ALL SELECT 'adjustments', md5(coalesce(string_agg(a::text, ' ' ORDER BY id), '')) FROM adjustments a
	UNION ALL SELECT 'bonuses', md5(coalesce(string_agg(b::text, ' ' ORDER BY id), '')) FROM bonuses b
	UNION ALL SELECT 'api_keys', md5(coalesce(string_agg(k.id::text || k.scopes::text || coalesce(k.revoked_at::text, ''), ' ' ORDER BY id), '')) FROM api_keys k
	UNION ALL SELECT 'operators', md5(coalesce(string_agg(o.email || o.role || o.password_hash, ' ' ORDER BY id), '')) FROM operators o
	UNION ALL SELECT 'tokens', count(*)::text || count(ended_at) FROM player_tokens) each`

func (x *target) possessions(t *testing.T) string {
	t.Helper()
	var all string
	if err := x.db.Pool.QueryRow(t.Context(), possessions).Scan(&all); err != nil {
		t.Fatal(err)
	}
	return all
}

// peak is the most memory that the process has held so far, in bytes; 0 where the system does not tell.
func (x *target) peak(t *testing.T) int {
	t.Helper()
	if runtime.GOOS != "linux" {
		return 0
	}
	text, err := os.ReadFile("/proc/" + strconv.Itoa(x.process.Process.Pid) + "/status")
	if err != nil {
		t.Fatalf("the process is gone: %v", err)
	}
	for line := range strings.Lines(string(text)) {
		if fields := strings.Fields(line); len(fields) == 3 && fields[0] == "VmHWM:" {
			kib, err := strconv.Atoi(fields[1])
			if err != nil {
				t.Fatal(err)
			}
			return kib << 10
		}
	}
	t.Fatal("no VmHWM")
	return 0
}

// routes are the operations of /v1, as the document has them.
func (x *target) routes(t *testing.T) []request {
	t.Helper()
	status, text := x.ask(t, request{method: "GET", url: x.url + "/v1/openapi.json"})
	var document struct {
		Paths map[string]map[string]json.RawMessage
	}
	if err := json.Unmarshal([]byte(text), &document); err != nil || status != http.StatusOK {
		t.Fatalf("openapi: %d %v", status, err)
	}
	var all []request
	for path, operations := range document.Paths {
		for method := range operations {
			if method = strings.ToUpper(method); slices.Contains([]string{"GET", "POST", "PUT", "PATCH", "DELETE"}, method) {
				all = append(all, request{method: method, url: path})
			}
		}
	}
	slices.SortFunc(all, func(a, b request) int { return strings.Compare(a.url+a.method, b.url+b.method) })
	return all
}

// Two hundred attempts and more, of four intruders: none succeeds, and the process stays small.
func TestIntruders(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the program and makes hundreds of attempts")
	}
	t.Parallel()
	x := openTarget(t)
	attempts := slices.Concat(x.viewers(), x.colleagues(t), x.players(t), x.outsiders(t), x.idsEverywhere(t), x.doorsOfWords(), x.strangersAtTheForm(),
		x.listening(t), x.floods(t))
	if gateClosed {
		attempts = append(attempts, x.later()...)
	}
	made := make(map[string]int)
	before, grown := x.possessions(t), x.peak(t)
	for _, a := range attempts {
		made[a.who]++
		if success := a.try(t); success != "" {
			t.Errorf("%s, %s: %s", a.who, a.what, success)
		}
		if peak := x.peak(t); peak > grown+grownBy {
			t.Logf("%s, %s: the process held up to %d MiB, %d before", a.who, a.what, peak>>20, grown>>20)
			grown = peak
		}
		if now := x.possessions(t); now != before {
			t.Errorf("%s, %s: something was changed:\n%s\nwas\n%s", a.who, a.what, now, before)
			before = now
		}
	}
	t.Logf("%d attempts: %v; at most %d MiB", len(attempts), made, x.peak(t)>>20)
	if len(attempts) < 200 || len(made) != 4 {
		t.Errorf("%d attempts of %v, want 200 and more of four intruders", len(attempts), made)
	}
	if peak := x.peak(t); peak > memoryLimit {
		t.Errorf("the process held %d MiB, want at most %d", peak>>20, memoryLimit>>20)
	}
	x.clean(t)
}
