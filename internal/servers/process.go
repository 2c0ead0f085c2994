package servers

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// poll is how often a starting or stopping server is looked at.
const poll = 20 * time.Millisecond

// child is a server this process started. It outlives us if others still use it.
type child struct {
	pid int
	// done is closed when the process has ended.
	done chan struct{}
	// status is how it ended, to be read once done is closed.
	status syscall.WaitStatus
}

// spawn starts a server in its own session, its output appended to the file log. The server inherits the claims.
func (a account) spawn(ctx context.Context, claims []*claim, dir, log, name string, args ...string) (*child, error) {
	output, err := a.openLog(log)
	if err != nil {
		return nil, err
	}
	defer output.Close()
	cmd := exec.CommandContext(context.WithoutCancel(ctx), name, args...)
	cmd.Dir = dir
	cmd.Env = cleanEnv()
	cmd.Stdout, cmd.Stderr = output, output
	cmd.SysProcAttr = a.attributes()
	for _, c := range claims {
		cmd.ExtraFiles = append(cmd.ExtraFiles, c.dir)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	c := &child{pid: cmd.Process.Pid, done: make(chan struct{})}
	// The one goroutine nobody waits for: it only collects the exit status, and the server may
	// well live on when this process ends. Why a server ended is in its log.
	go func() {
		defer close(c.done)
		_ = cmd.Wait()
		c.status, _ = cmd.ProcessState.Sys().(syscall.WaitStatus)
	}()
	return c, nil
}

func (c *child) ended() bool {
	select {
	case <-c.done:
		return true
	default:
		return false
	}
}

// abandon ends a server that did not come up.
func (c *child) abandon(sig syscall.Signal) {
	_ = syscall.Kill(c.pid, sig)
	select {
	case <-c.done:
	case <-time.After(10 * time.Second):
		_ = syscall.Kill(c.pid, syscall.SIGKILL)
		<-c.done
	}
}

// cleanEnv keeps the caller's environment (PGDATA, PGPORT, locale, …) away from the servers.
func cleanEnv() []string {
	return []string{"PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "LC_ALL=C", "TZ=UTC"}
}

// running reports whether pid is a process whose command line has the argument mark: a number
// from a left-over pid file may belong to anybody by now.
func running(ctx context.Context, pid int, mark string) bool {
	return pid > 0 && strings.Contains(" "+commandLine(ctx, pid), " "+mark)
}

// commandLine is empty for a process that is gone, or ended and not yet collected.
func commandLine(ctx context.Context, pid int) string {
	if self, err := os.Readlink("/proc/self"); err == nil {
		if self != strconv.Itoa(os.Getpid()) {
			return "" // it tells of another namespace, whose numbers mean other processes here
		}
		line, _ := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/cmdline")
		return strings.ReplaceAll(string(line), "\x00", " ")
	}
	cmd := exec.CommandContext(ctx, "ps", "-ww", "-o", "command=", "-p", strconv.Itoa(pid))
	line, _ := cmd.Output()
	return string(line)
}

// stopProcess sends polite, waits, and sends rude when patience or ctx ends.
func stopProcess(ctx context.Context, pid int, mark string, polite, rude syscall.Signal, patience time.Duration) error {
	ask, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if signalAndWait(ask, pid, mark, polite) == nil {
		return nil
	}
	insist, cancelInsist := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancelInsist()
	return signalAndWait(insist, pid, mark, rude)
}

func signalAndWait(ctx context.Context, pid int, mark string, sig syscall.Signal) error {
	look := context.WithoutCancel(ctx)
	if !running(look, pid, mark) {
		return nil
	}
	if err := syscall.Kill(pid, sig); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("signal process %d: %w", pid, err)
	}
	for running(look, pid, mark) {
		if err := sleep(ctx, poll); err != nil {
			return fmt.Errorf("process %d does not end: %w", pid, err)
		}
	}
	return nil
}

// readPid reads the process id in the first line of a pid file; 0 if there is none.
func readPid(path string) int {
	data, err := readFile(path)
	if err != nil {
		return 0
	}
	first, _, _ := strings.Cut(string(data), "\n")
	pid, err := strconv.Atoi(strings.TrimSpace(first))
	if err != nil {
		return 0
	}
	return pid
}
