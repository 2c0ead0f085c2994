package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// page is what a GET answers, "" where it answers nothing.
func page(url string) string {
	client := http.Client{Timeout: 5 * time.Second}
	response, err := client.Get(url)
	if err != nil {
		return ""
	}
	defer response.Body.Close()
	text, _ := io.ReadAll(response.Body) // a part will not have what is looked for
	return string(text)
}

func number(t *testing.T, text string) float64 {
	t.Helper()
	value, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	if err != nil {
		t.Fatal(err)
	}
	return value
}

// holding is an `evens up` on private servers of its own.
type holding struct {
	*process
	dir, public, ops string
}

func hold(t *testing.T) *holding {
	t.Helper()
	h := prepare(t)
	h.process = (&installation{}).start(t, []string{"up"}, h.environ("EVENS_LISTEN="+h.public, "EVENS_OPS_LISTEN="+h.ops)...)
	t.Cleanup(func() { // killed it would leave its servers behind
		if h.ProcessState == nil {
			_ = h.Process.Signal(syscall.SIGTERM)
			_ = h.Wait()
		}
	})
	eventually(t, time.Minute, "it is ready", func() bool { return answers("http://"+h.ops+"/readyz", 200) })
	return h
}

// prepare makes the folder and chooses the addresses.
func prepare(t *testing.T) *holding {
	t.Helper()
	base, err := os.MkdirTemp("/tmp", "evens-holding-") // every user may enter, and the path is short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(base) })
	if err := os.Chmod(base, 0o755); err != nil {
		t.Fatal(err)
	}
	return &holding{dir: filepath.Join(base, "e"), public: freeAddress(t), ops: freeAddress(t)}
}

func (h *holding) environ(more ...string) []string {
	return append([]string{"EVENS_DATABASE_URL=", "EVENS_REDIS_URL=", "EVENS_BET_URL=", "EVENS_DATA_DIR=" + h.dir, "EVENS_LOG_LEVEL=warn"}, more...)
}

// register makes a player over the API and reports its status, 0 where nobody answers.
func (h *holding) register(t *testing.T, key, id string) int {
	t.Helper()
	body := fmt.Sprintf(`{"external_id":%q,"name":"N","email":"n@example.com","currency":"USD"}`, id)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+h.public+"/v1/players", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+key)
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Idempotency-Key", id)
	response, err := (&http.Client{Timeout: 30 * time.Second}).Do(request)
	if err != nil {
		return 0
	}
	defer response.Body.Close()
	return response.StatusCode
}

// key makes an API key by a second command on the same folder.
func (h *holding) key(t *testing.T) string {
	t.Helper()
	cmd := (&installation{}).command(t, []string{"apikey", "create", "--name", "test", "--scope", "players"}, h.environ()...)
	key, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(key))
}

// pid reads the process id in the first line of a file of the folder.
func (h *holding) pid(t *testing.T, file string) int {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(h.dir, file))
	if err != nil {
		t.Fatal(err)
	}
	first, _, _ := strings.Cut(string(text), "\n")
	return int(number(t, first))
}

// Killed under a running installation, its private servers are back by themselves: the API works, and it can be ended
// in order.
func TestPrivateServersKilledUnderTheAPI(t *testing.T) {
	t.Parallel()
	h := hold(t)
	key := h.key(t)
	if status := h.register(t, key, "before"); status/100 != 2 {
		t.Fatalf("register: %d", status)
	}
	pids := []int{h.pid(t, "postgres/data/postmaster.pid"), h.pid(t, "redis/redis.pid")}
	for _, pid := range pids {
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, time.Minute, "the API works again", func() bool { return h.register(t, key, "after")/100 == 2 })
	eventually(t, time.Minute, "it is ready again", func() bool { return answers("http://"+h.ops+"/readyz", 200) })
	if err := h.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := h.Wait(); err != nil {
		t.Errorf("it ends with %v", err)
	}
	if _, err := os.Stat(filepath.Join(h.dir, "postgres/data/postmaster.pid")); !os.IsNotExist(err) {
		t.Errorf("PostgreSQL stays behind: %v", err)
	}
	if n := strings.Count(h.log.String(), "was started again"); n != 2 {
		t.Errorf("%d lines say that a server was started again, want 2:\n%s", n, h.log)
	}
}

// A command in namespaces of its own, as in a second container, works over the servers that run or is refused: they
// and their files stay.
func TestCommandInAnotherNamespace(t *testing.T) {
	t.Parallel()
	unshare, err := exec.LookPath("unshare")
	if err != nil {
		t.Skip("there is no unshare on this machine")
	}
	h := hold(t)
	key := h.key(t)
	pidFile := filepath.Join(h.dir, "postgres/data/postmaster.pid")
	before, err := os.ReadFile(pidFile)
	if err != nil {
		t.Fatal(err)
	}
	for n, flags := range [][]string{
		{"--pid", "--fork", "--mount-proc"},
		{"--pid", "--ipc", "--fork", "--mount-proc"},
		{"--pid", "--ipc", "--net", "--fork", "--mount-proc"},
	} {
		if output, err := exec.Command(unshare, append(flags, "true")...).CombinedOutput(); err != nil {
			t.Skipf("new namespaces take root with its rights: %v: %s", err, output)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		cmd := (&installation{}).command(t, []string{"apikey", "list"}, h.environ()...)
		apart := exec.CommandContext(ctx, unshare, append(append(flags, cmd.Path), cmd.Args[1:]...)...)
		apart.Env = cmd.Env
		output, err := apart.CombinedOutput()
		cancel()
		works := err == nil && strings.Contains(string(output), "test")
		refused := err != nil && strings.Contains(string(output), "in use by somebody I cannot see")
		if !works && !refused {
			t.Errorf("%v: %v: %s", flags, err, output)
		}
		if n < 2 && !works {
			t.Errorf("%v: %s: want it to work over the socket that is there", flags, output)
		}
		if after, err := os.ReadFile(pidFile); err != nil || string(after) != string(before) {
			t.Errorf("%v: postmaster.pid reads %q, %v; it was %q", flags, after, err, before)
		}
		if status := h.register(t, key, fmt.Sprintf("player-%d", n)); status/100 != 2 {
			t.Errorf("%v: register: %d", flags, status)
		}
	}
}
