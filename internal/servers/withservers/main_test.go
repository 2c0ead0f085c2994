package main

import (
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"evens/internal/testbed/testlog"
)

func TestRun(t *testing.T) {
	tests := map[string]struct {
		args   []string
		code   int
		stdout string
		stderr string
	}{
		"no command":  {nil, usageError, "", "usage:"},
		"success":     {[]string{"--", "true"}, 0, "", ""},
		"exit code":   {[]string{"sh", "-c", "exit 7"}, 7, "", ""},
		"killed":      {[]string{"sh", "-c", "kill -9 $$"}, 137, "", ""},
		"no program":  {[]string{"/no/such/program"}, failure, "", "no such file"},
		"environment": {[]string{"sh", "-c", `echo "$EVENS_TEST_DATABASE_URL $EVENS_TEST_REDIS_URL $KEPT"`}, 0, " redis://", ""},
		"streams":     {[]string{"sh", "-c", "cat; echo aside >&2"}, 0, "input", "aside"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var stdout, stderr strings.Builder
			environ := append(os.Environ(), "KEPT=kept")
			if got := run(t.Context(), tt.args, environ, strings.NewReader("input"), &stdout, &stderr); got != tt.code {
				t.Errorf("run() = %d, want %d; stderr %q", got, tt.code, stderr.String())
			}
			if !strings.Contains(stdout.String(), tt.stdout) || !strings.Contains(stderr.String(), tt.stderr) {
				t.Errorf("run() writes %q and %q, want %q and %q in them", stdout.String(), stderr.String(), tt.stdout, tt.stderr)
			}
		})
	}
}

// A signal is the command's to answer; the servers stay until it has.
func TestSignalIsPassedOn(t *testing.T) {
	var stdout, stderr testlog.Buffer
	ended := make(chan int, 1)
	go func() {
		args := []string{"sh", "-c", `trap "echo stopping; exit 5" TERM; echo ready; while :; do sleep 0.05; done`}
		ended <- run(t.Context(), args, os.Environ(), nil, &stdout, &stderr)
	}()
	for deadline := time.Now().Add(time.Minute); !strings.Contains(stdout.String(), "ready"); {
		if time.Now().After(deadline) {
			t.Fatal("the command did not start")
		}
		time.Sleep(10 * time.Millisecond)
	}
	if err := syscall.Kill(os.Getpid(), syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if code := <-ended; code != 5 || !strings.Contains(stdout.String(), "stopping") {
		t.Errorf("run() = %d with output %q, want 5 after the command's own clearing up", code, stdout.String())
	}
}
