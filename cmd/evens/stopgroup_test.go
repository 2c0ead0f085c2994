package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"

	"evens/sim/betsim"
)

// What systemd does by default: the signal goes to `evens up` and to its private servers at the same time, while BeT
// thinks. The process ends in time, and the next start knows what BeT has said.
func TestAStopOfTheWholeGroup(t *testing.T) {
	t.Parallel()
	dir, err := os.MkdirTemp("/tmp", "evens-group-") // not t.TempDir, which the servers' user cannot enter
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	bet := betsim.New(betsim.Config{Seed: 3})
	betURL, stop := serveSim(slowBet{bet, thinksFor(0, time.Second)})
	defer stop()
	alone := &installation{betURL: betURL}
	environ := []string{"EVENS_DATABASE_URL=", "EVENS_REDIS_URL=", "EVENS_DATA_DIR=" + dir, "EVENS_STOP_TIMEOUT=6s"}
	up := func() *counter {
		address := quietAddress(t)
		c := &counter{url: "http://" + address, dataDir: dir}
		c.process = alone.start(t, []string{"up"}, append([]string{"EVENS_LISTEN=" + address}, environ...)...)
		c.opens(t)
		return c
	}
	first := up()
	key, err := alone.command(t, []string{"apikey", "create", "--name", "k", "--scope", "players", "--scope", "wallet", "--scope", "cashier", "--scope", "coupons"},
		environ...).Output()
	if err != nil {
		t.Fatal(err)
	}
	first.b = &betting{installation: alone, bet: bet, key: strings.TrimSpace(string(key))}
	who := first.post(t, "/v1/players", `{"external_id":"p","name":"P","email":"p@example.com","currency":"USD"}`, "id")
	first.post(t, "/v1/players/"+who+"/deposits", `{"amount":"10.00","currency":"USD","method":"pix","transaction_id":"d"}`, "status")
	first.b.players = []uuid.UUID{uuid.MustParse(who)}
	placed := make(chan string, 1)
	go func() {
		status, _, text := first.place(0)
		placed <- fmt.Sprint(status, " ", text)
	}()
	eventually(t, time.Minute, "BeT has it", func() bool { return len(bet.Coupons()) == 1 })
	group := descendants(t, first.Process.Pid)
	if len(group) < 3 {
		t.Fatalf("processes of the group: %v, want private servers among them", group)
	}
	for _, pid := range group {
		_ = syscall.Kill(pid, syscall.SIGTERM)
	}
	if _, took := first.ends(t, 20*time.Second); took > 7*time.Second {
		t.Errorf("it ended after %s, 6 s are promised:\n%s", took, first.log)
	}
	t.Logf("the caller was told: %s", <-placed)
	t.Logf("%d answers in the spool", spooled(t, dir))
	next := up()
	next.b = first.b
	code := bet.Coupons()[0].BetCode
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, next.url+"/v1/coupons?player_id="+who, nil)
	if err != nil {
		t.Fatal(err)
	}
	if text := next.send(t, request); !strings.Contains(text, code) || !strings.Contains(text, `"accepted"`) {
		t.Errorf("the coupon that BeT has: %s", text)
	}
	if n := spooled(t, dir); n != 0 {
		t.Errorf("%d answers are left in the spool", n)
	}
	next.signal(t, syscall.SIGTERM)
	if code, _ := next.ends(t, 30*time.Second); code != 0 {
		t.Errorf("the next process ended with %d:\n%s", code, next.log)
	}
}

// descendants are a process and all that it has started, directly or not.
func descendants(t *testing.T, pid int) []int {
	t.Helper()
	text, err := exec.CommandContext(t.Context(), "ps", "-axo", "pid=,ppid=").Output()
	if err != nil {
		t.Fatal(err)
	}
	children := make(map[string][]string)
	for line := range strings.Lines(string(text)) {
		if fields := strings.Fields(line); len(fields) == 2 {
			children[fields[1]] = append(children[fields[1]], fields[0])
		}
	}
	var all []int
	for next := []string{strconv.Itoa(pid)}; len(next) > 0; next = next[1:] {
		n, err := strconv.Atoi(next[0])
		if err != nil {
			t.Fatal(err)
		}
		all, next = append(all, n), append(next, children[next[0]]...)
	}
	return all
}

// post makes a thing, and returns a member of the answer.
func (c *counter) post(t *testing.T, path, body, member string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, c.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Idempotency-Key", uuid.NewString())
	text := c.send(t, request)
	var answer map[string]any
	if err := json.Unmarshal([]byte(text), &answer); err != nil || answer[member] == nil {
		t.Fatalf("%s: %s", path, text)
	}
	return fmt.Sprint(answer[member])
}

func (c *counter) send(t *testing.T, request *http.Request) string {
	t.Helper()
	request.Header.Set("Authorization", "Bearer "+c.b.key)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
