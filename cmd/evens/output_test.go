package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"evens/access"
	"evens/internal/testbed"
	"evens/player"
)

// unread is a pipe whose reader is gone.
func unread(t *testing.T) *os.File {
	t.Helper()
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = writer.Close() })
	if err := reader.Close(); err != nil {
		t.Fatal(err)
	}
	return writer
}

// full is a disk without room.
func full(t *testing.T) *os.File {
	t.Helper()
	file, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip("no /dev/full on this machine")
	}
	t.Cleanup(func() { _ = file.Close() })
	return file
}

// A command that changes something does it, says so where it still can, and its exit code is that of the deed,
// whatever became of those who would have read it. One that shows something and cannot has failed.
func TestNobodyReadsTheOutput(t *testing.T) {
	t.Parallel()
	i := install(t, testbed.EmptyDatabase(t), testbed.Redis(t))
	who, _, err := player.New(i.db, time.Now).Create(t.Context(), player.Registration{ExternalID: "ana", Name: "Ana", Email: "a@example.com", Currency: "USD"})
	if err != nil {
		t.Fatal(err)
	}
	i.employ(t)
	finance := []string{"--operator", "finance@example.com", "--comment", "c"}
	adjust := func(amount string) []string {
		return append([]string{"adjust", "--player", "ana", "--amount", amount}, finance...)
	}
	pipe, disk := unread(t), full(t)
	for name, tt := range map[string]struct {
		args           []string
		stdout, stderr *os.File // nil: standard error is read
		code           int
		says           string // on standard error
	}{
		"adjust, no reader":         {adjust("1"), pipe, nil, 0, "posted"},
		"adjust, no reader at all":  {adjust("2"), pipe, pipe, 0, ""},
		"adjust, disk full":         {adjust("4"), disk, nil, 0, "posted"},
		"adjust, both full":         {adjust("8"), disk, disk, 0, ""},
		"adjust that is refused":    {adjust("five"), pipe, pipe, 1, ""},
		"block, no reader":          {append([]string{"player", "block", who.ID.String()}, finance...), pipe, nil, 0, "blocked"},
		"a key, no reader":          {[]string{"apikey", "create", "--name", "lost", "--scope", "players"}, pipe, nil, 1, "the key lost was made and cannot be shown"},
		"a key, disk full":          {[]string{"apikey", "create", "--name", "gone", "--scope", "players"}, disk, nil, 1, "the key gone was made and cannot be shown"},
		"a list, no reader":         {[]string{"operator", "list"}, pipe, nil, brokenPipe, ""},
		"a list, disk full":         {[]string{"operator", "list"}, disk, nil, 1, "no space left"},
		"a report, no reader":       {[]string{"audit"}, pipe, nil, brokenPipe, ""},
		"the schema, no reader":     {[]string{"migrate"}, pipe, nil, 0, "up to date"},
		"a refusal, nobody hears":   {[]string{"player", "block", "nobody", "--operator", "finance@example.com", "--comment", "c"}, pipe, pipe, 1, ""},
		"no such command, unheard":  {[]string{"nonsense"}, pipe, pipe, 2, ""},
		"a break that is not there": {append([]string{"breaks", "ignore", "00000000-0000-0000-0000-000000000001"}, finance...), pipe, pipe, 1, ""},
	} {
		t.Run(name, func(t *testing.T) {
			var said bytes.Buffer
			cmd := i.command(t, tt.args)
			cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(operatorPassword+"\n"), tt.stdout, &said
			if tt.stderr != nil {
				cmd.Stderr = tt.stderr
			}
			_ = cmd.Run() // its exit code tells
			if code := cmd.ProcessState.ExitCode(); code != tt.code {
				t.Errorf("exit code %d (%s), want %d; it says %s", code, cmd.ProcessState, tt.code, &said)
			}
			if !strings.Contains(said.String(), tt.says) || strings.Contains(said.String(), access.KeyPrefix) {
				t.Errorf("it says %q on standard error, want %q and no key", &said, tt.says)
			}
			if tt.says == "" && said.Len() > 0 {
				t.Errorf("it says %q on standard error, want nothing", &said)
			}
		})
	}
	if got := i.count(t, `SELECT balance FROM accounts WHERE kind = 'cash'`); got != 15_0000 {
		t.Errorf("cash = %d, want 15.0000: each adjustment once", got)
	}
	i.clean(t)
}

// A service goes on without the reader of its log, and ends in order: its private servers do not stay behind.
func TestNobodyReadsTheLog(t *testing.T) {
	t.Parallel()
	h := prepare(t)
	cmd := (&installation{}).command(t, []string{"up"}, h.environ("EVENS_LISTEN="+h.public, "EVENS_OPS_LISTEN="+h.ops, "EVENS_LOG_LEVEL=debug")...)
	reader, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if cmd.ProcessState == nil {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		}
	})
	drained := make(chan struct{})
	go func() {
		defer close(drained)
		_, _ = io.Copy(io.Discard, reader) // until it is closed below
	}()
	eventually(t, time.Minute, "it is ready", func() bool { return answers("http://"+h.ops+"/readyz", 200) })
	if err := reader.Close(); err != nil {
		t.Fatal(err)
	}
	<-drained
	if err := syscall.Kill(h.pid(t, "redis/redis.pid"), syscall.SIGKILL); err != nil { // which is logged
		t.Fatal(err)
	}
	eventually(t, time.Minute, "lost lines are counted", func() bool {
		return metric(t, "http://"+h.ops, "evens_log_lines_lost_total") > 0
	})
	eventually(t, time.Minute, "it is ready again", func() bool { return answers("http://"+h.ops+"/readyz", 200) })
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("it ends with %v, want in order", err)
	}
	if _, err := os.Stat(filepath.Join(h.dir, "postgres/data/postmaster.pid")); !os.IsNotExist(err) {
		t.Errorf("PostgreSQL stays behind: %v", err)
	}
	if _, err := os.Stat(filepath.Join(h.dir, "redis/redis.pid")); !os.IsNotExist(err) {
		t.Errorf("Redis stays behind: %v", err)
	}
}

// metric is the value of one without labels, -1 where there is none.
func metric(t *testing.T, ops, name string) float64 {
	t.Helper()
	for line := range strings.Lines(page(ops + "/metrics")) {
		if value, found := strings.CutPrefix(line, name+" "); found {
			return number(t, value)
		}
	}
	return -1
}

func TestOutputWithoutFallback(t *testing.T) {
	t.Parallel()
	out := &output{w: unread(t)}
	if _, err := io.WriteString(out, "half a list\n"); err == nil {
		t.Fatal("no error from a pipe without a reader")
	}
	if err := out.outcome(nil); err == nil || !out.unread() {
		t.Errorf("outcome() = %v, unread() = %t for a list that was cut, want an error", err, out.unread())
	}
	if err := out.outcome(errFound); err != errFound { //nolint:errorlint // the very error
		t.Errorf("outcome(errFound) = %v, want it as it is", err)
	}
}
