package servers

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"
)

const (
	// postgresStart bounds a start; after a crash it replays up to max_wal_size.
	postgresStart = 5 * time.Minute
	// postgresStop bounds an orderly stop, which ends with a checkpoint.
	postgresStop = time.Minute
	// postgresRefusal bounds the wait for a server that calls itself ready and is not.
	postgresRefusal = 10 * time.Second
)

// postgres is the folder's cluster, running or not.
type postgres struct {
	place    place
	fast     bool
	patience time.Duration // with a server that cannot be seen
	lookPath func(string) (string, error)
	log      *slog.Logger

	home, data, conf, logFile string

	bin postgresBin
	// socketDir is where the server answers; who asks for its URL may do so while it is started again.
	socketDir shared
}

func newPostgres(p place, opts Options) *postgres {
	home := filepath.Join(p.home, "postgres")
	data := filepath.Join(home, "data")
	return &postgres{
		place: p, fast: opts.Fast, patience: opts.unseenWait, lookPath: opts.lookPath, log: opts.Log,
		home: home, data: data, conf: filepath.Join(data, "evens.conf"), logFile: filepath.Join(home, "log"),
	}
}

// mark is what tells our server from any other process: an argument it was started with.
func (p *postgres) mark() string { return "config_file=" + p.conf }

// ensure makes PostgreSQL answer and reports whether it had to be started. It is called under
// start.lock, but a killed starter's server may still be coming up or going down. With again it
// makes no new cluster: the one that served before must be there.
func (p *postgres) ensure(ctx context.Context, again bool) (started bool, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, postgresStart, fmt.Errorf("postgresql did not answer within %s", postgresStart))
	defer cancel()
	major, err := majorOf(p.data)
	if err != nil {
		return false, err
	}
	bin, err := findPostgres(ctx, p.lookPath, postgresGlobs, major)
	if err != nil {
		return false, err
	}
	if p.bin != bin { // others may read it while the server is started again
		p.bin = bin
	}
	if _, err := os.Stat(p.data); again && err != nil {
		return false, fmt.Errorf("the data that were served are gone: %w", err)
	}
	unseen := time.Now().Add(p.patience)
	for {
		if running(ctx, readPostmaster(p.data).pid, p.mark()) {
			if err := p.await(ctx, nil); !errors.Is(err, errEnded) {
				return false, err
			}
		}
		found, err := p.reach(ctx)
		switch {
		case found && err == nil:
			return false, p.makeDatabase(ctx)
		case err == nil:
			if err = p.start(ctx); err == nil {
				return true, nil
			}
		}
		if !errors.Is(err, errCrowded) && !errors.Is(err, errUnseen) || time.Now().After(unseen) {
			return false, err
		}
		if err := sleep(ctx, 10*poll); err != nil {
			return false, err
		}
	}
}

var (
	// errEnded says that the server awaited is no longer there.
	errEnded = errors.New("postgresql has ended")
	// errCrowded says that another process still works on the data.
	errCrowded = errors.New("the data are in use")
)

// start starts the server on its data, made if there are none; errUnseen where another server has them.
func (p *postgres) start(ctx context.Context) error {
	if err := p.initialise(ctx); err != nil {
		return fmt.Errorf("make a cluster: %w", err)
	}
	data, err := claimFolder(p.data)
	if err != nil {
		return err
	}
	defer data.release()
	p.removeProofs()
	if err := p.yieldPidFile(ctx); err != nil {
		return err
	}
	dir, socket, err := p.makeSocketDir()
	if err != nil {
		return fmt.Errorf("make a folder for the socket: %w", err)
	}
	defer socket.release()
	p.socketDir.set(dir)
	if err := p.place.account.writeFile(p.conf, postgresSettings(dir, machineMemory(ctx), p.fast)); err != nil {
		return err
	}
	begin := time.Now()
	log := markLog(p.logFile)
	server, err := p.place.account.spawn(ctx, []*claim{data, socket}, p.home, p.logFile,
		p.bin.program("postgres"), "-D", p.data, "-c", p.mark())
	if err != nil {
		return err
	}
	if err := p.await(ctx, server); err != nil {
		server.abandon(syscall.SIGQUIT)
		tail := log.tail()
		if strings.Contains(tail, "lock file") || strings.Contains(tail, "pre-existing shared memory block") {
			err = errors.Join(err, errCrowded)
		}
		return fmt.Errorf("start postgresql: %w; its log %s", err, tail)
	}
	p.log.Info("private PostgreSQL started", "data", p.data, "version", p.bin.major, "took", time.Since(begin).Round(time.Millisecond))
	return nil
}

// initialise runs initdb in a folder of its own and puts that in place whole, so that `data`
// is never half a cluster.
func (p *postgres) initialise(ctx context.Context) error {
	if _, err := os.Stat(p.data); err == nil {
		return nil
	}
	if err := p.place.account.mkdir(p.home); err != nil {
		return err
	}
	leftovers, _ := filepath.Glob(filepath.Join(p.home, "data.new-*")) // fails on a malformed pattern only
	for _, dir := range leftovers {
		// Where the initdb of a killed run is still at work this may fail: the next start tries again.
		_ = os.RemoveAll(dir)
	}
	next, err := os.MkdirTemp(p.home, "data.new-*")
	if err != nil {
		return err
	}
	if err := p.place.account.ownDir(next); err != nil {
		return err
	}
	args := []string{
		"-D", next, "--username=" + userName, "--encoding=UTF8", "--locale=" + locale(),
		"--auth-local=trust", "--auth-host=reject", "--no-instructions", "--data-checksums",
	}
	if p.fast {
		args = append(args, "--no-sync")
	}
	cmd := exec.CommandContext(ctx, p.bin.program("initdb"), args...)
	cmd.Dir = p.home
	cmd.Env = cleanEnv()
	cmd.SysProcAttr = p.place.account.attributes()
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 5 * time.Second
	if output, err := cmd.CombinedOutput(); err != nil {
		_ = os.RemoveAll(next)
		if ctx.Err() != nil {
			return fmt.Errorf("initdb: %w", context.Cause(ctx))
		}
		return fmt.Errorf("initdb: %w\n\t%s", err, strings.ReplaceAll(strings.TrimSpace(string(output)), "\n", "\n\t"))
	}
	if err := os.Rename(next, p.data); err != nil {
		return err
	}
	return p.syncHome()
}

// syncHome makes the new name of the cluster last, as initdb did with what is in it.
func (p *postgres) syncHome() error {
	if p.fast {
		return nil
	}
	return syncDir(p.home)
}

// locale sorts by code point everywhere; macOS has no C.UTF-8.
func locale() string {
	if runtime.GOOS == "linux" {
		return "C.UTF-8"
	}
	return "C"
}

// yieldPidFile deals with the pid file of a server that was killed, if its process id has come
// to belong to someone else: PostgreSQL would take that process for a live server. The file is
// not removed but made out to us, whose child may replace it, because PostgreSQL then still
// looks whether old processes hold the shared memory the file names. One that names no process,
// empty or torn by a power cut, is removed: PostgreSQL would not start beside it. It is called
// with the data claimed.
func (p *postgres) yieldPidFile(ctx context.Context) error {
	path := filepath.Join(p.data, "postmaster.pid")
	text, err := readFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	pid := readPid(path)
	if pid <= 0 {
		p.log.Warn("removing a pid file that names no process, as a power cut leaves it", "file", path)
		return os.Remove(path)
	}
	if syscall.Kill(pid, 0) != nil || running(ctx, pid, p.mark()) {
		return nil //nolint:nilerr // an error says that the process is gone: PostgreSQL removes such a file itself
	}
	_, rest, _ := strings.Cut(string(text), "\n")
	p.log.Info("taking over the pid file of a PostgreSQL that was killed", "pid", pid)
	return p.place.account.writeFile(path, fmt.Appendf(nil, "%d\n%s", os.Getpid(), rest))
}

// await returns when the server answers: the child given, or if that is nil the one that the
// pid file names.
func (p *postgres) await(ctx context.Context, server *child) error {
	var refusedSince time.Time
	for {
		pm := readPostmaster(p.data)
		switch {
		case server != nil && server.ended():
			return errEnded
		case server == nil && !running(ctx, pm.pid, p.mark()):
			return errEnded
		case pm.ready && (server == nil || pm.pid == server.pid):
			p.socketDir.set(pm.socketDir)
			err := p.makeDatabase(ctx)
			if err == nil {
				return nil
			}
			// It may be on its way down, which the pid file will say in a moment.
			if refusedSince.IsZero() {
				refusedSince = time.Now()
			}
			if time.Since(refusedSince) > postgresRefusal {
				return err
			}
		}
		if err := sleep(ctx, poll); err != nil {
			return err
		}
	}
}

// stop stops the server if it runs, whoever started it.
func (p *postgres) stop(ctx context.Context) error {
	pm := readPostmaster(p.data)
	if !running(context.WithoutCancel(ctx), pm.pid, p.mark()) {
		if claimed(p.data) {
			p.log.Warn("the private PostgreSQL is left running: it was started where this process does not see it", "data", p.data)
		}
		return nil
	}
	begin := time.Now()
	if err := stopProcess(ctx, pm.pid, p.mark(), syscall.SIGINT, syscall.SIGQUIT, postgresStop); err != nil {
		return fmt.Errorf("stop postgresql: %w", err)
	}
	p.log.Info("private PostgreSQL stopped", "data", p.data, "took", time.Since(begin).Round(time.Millisecond))
	if p.mayRemove(pm.socketDir) {
		return os.RemoveAll(pm.socketDir)
	}
	return nil
}

// postmaster is what a running server writes about itself into its pid file.
type postmaster struct {
	pid       int
	socketDir string
	ready     bool
}

func readPostmaster(data string) postmaster {
	path := filepath.Join(data, "postmaster.pid")
	text, err := readFile(path)
	if err != nil {
		return postmaster{}
	}
	// pid, data folder, start time, port, socket folder, listen address, shared memory, status
	lines := slices.Collect(strings.SplitSeq(string(text), "\n"))
	pm := postmaster{pid: readPid(path)}
	if len(lines) > 4 {
		pm.socketDir = lines[4]
	}
	pm.ready = len(lines) > 7 && strings.TrimSpace(lines[7]) == "ready"
	return pm
}
