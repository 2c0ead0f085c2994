package servers

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/alicebob/miniredis/v2"
)

const (
	// redisStart bounds a start, which reads the append-only file.
	redisStart = 2 * time.Minute
	// redisStop bounds an orderly stop, which writes the rest of it.
	redisStop = 20 * time.Second
	// redisPorts is how many ports are tried: between finding a free one and listening on it
	// someone else may take it.
	redisPorts = 5
)

// redisServer is the folder's Redis, running or not.
type redisServer struct {
	place     place
	fast      bool
	patience  time.Duration // with a server that cannot be seen
	databases int
	lookPath  func(string) (string, error)
	log       *slog.Logger

	home, conf, urlFile, logFile string

	// address is the URL in use; it is also in urlFile, where other processes find it.
	address shared
	// mini is the in-process server, if this process runs one.
	mini *miniredis.Miniredis
}

func newRedis(p place, opts Options) *redisServer {
	home := filepath.Join(p.home, "redis")
	return &redisServer{
		place: p, fast: opts.Fast, patience: opts.unseenWait, databases: opts.RedisDatabases, lookPath: opts.lookPath, log: opts.Log,
		home: home, conf: filepath.Join(home, "redis.conf"),
		urlFile: filepath.Join(home, "url"), logFile: filepath.Join(home, "log"),
	}
}

// pid is that of the running server, 0 if there is none. The server names its configuration in
// its title.
func (r *redisServer) pid(ctx context.Context) int {
	pid := readPid(filepath.Join(r.home, "redis.pid"))
	if !running(ctx, pid, r.conf) {
		return 0
	}
	return pid
}

// ensure makes Redis answer. It is called under start.lock, but a killed starter's server may
// still be coming up. With again it keeps to the port it had, which others know.
func (r *redisServer) ensure(ctx context.Context, again bool) error {
	ctx, cancel := context.WithTimeoutCause(ctx, redisStart, fmt.Errorf("redis did not answer within %s", redisStart))
	defer cancel()
	r.recall()
	unseen := time.Now().Add(r.patience)
	for {
		if r.answers(ctx) && r.isOurs(ctx) {
			return nil
		}
		if pid := r.pid(ctx); pid != 0 {
			if err := sleep(ctx, poll); err != nil {
				return fmt.Errorf("redis process %d: %w", pid, err)
			}
			continue
		}
		err := r.begin(ctx, again)
		if !errors.Is(err, errUnseen) {
			return err
		}
		if r.answers(ctx) {
			return nil // it has the folder's password and somebody has the folder: mounted at another path
		}
		if time.Now().After(unseen) {
			return err
		}
		if err := sleep(ctx, 10*poll); err != nil {
			return err
		}
	}
}

// begin claims the folder and starts Redis in it, or the in-process one where there is no program.
func (r *redisServer) begin(ctx context.Context, again bool) error {
	program, err := findRedis(ctx, r.lookPath)
	if errors.Is(err, errNoRedis) {
		r.log.Warn("an in-process Redis serves, for as long as this process runs: run `make setup` or set EVENS_REDIS_URL", "reason", err)
		return r.startMini()
	}
	if err != nil {
		return err
	}
	err = r.start(ctx, program, again)
	if !errors.Is(err, errBroken) {
		return err
	}
	if asideErr := r.putAside(err); asideErr != nil {
		return errors.Join(err, asideErr)
	}
	return r.start(ctx, program, again)
}

// start tries the port Redis had before, so that its URL stays, and then others unless it is started again.
func (r *redisServer) start(ctx context.Context, program string, again bool) error {
	if err := r.place.account.mkdir(r.home); err != nil {
		return err
	}
	folder, err := claimFolder(r.home)
	if err != nil {
		return err
	}
	defer folder.release()
	if r.answers(ctx) && !again {
		r.address.set("") // nobody has the folder: it is the server of the one that this was copied from
	}
	port, password := r.before()
	for range redisPorts {
		if port == "" {
			if port, err = freePort(ctx); err != nil {
				return err
			}
		}
		err = r.listen(ctx, folder, program, port, password)
		if !errors.Is(err, errPortTaken) || again {
			return err
		}
		// A server of a killed starter may have been the one to take it.
		if r.answers(ctx) {
			return nil
		}
		port = ""
	}
	return err
}

var errPortTaken = errors.New("the port is taken")

func (r *redisServer) listen(ctx context.Context, folder *claim, program, port, password string) error {
	address := redisAddress(port, password)
	if err := r.place.account.writeFile(r.conf, redisSettings(port, password, r.databases, r.fast)); err != nil {
		return err
	}
	if err := r.publish(address); err != nil {
		return err
	}
	log := markLog(r.logFile)
	server, err := r.place.account.spawn(ctx, []*claim{folder}, r.home, r.logFile, program, r.conf)
	if err != nil {
		return err
	}
	for !server.ended() {
		if r.answers(ctx) {
			r.log.Info("private Redis started", "data", r.home, "port", port)
			return nil
		}
		if err := sleep(ctx, poll); err != nil {
			server.abandon(syscall.SIGTERM)
			return fmt.Errorf("start redis: %w; its log %s", err, log.tail())
		}
	}
	tail := log.tail()
	switch {
	case strings.Contains(tail, "Address already in use"):
		return fmt.Errorf("start redis: %w; its log %s", errPortTaken, tail)
	case cannotLoad(server.status, log.text()):
		return fmt.Errorf("start redis: %w; its log %s", errBroken, tail)
	}
	return fmt.Errorf("start redis: it ended at once; its log %s", tail)
}

// startMini serves from this process. With Fast every process has its own: test binaries come
// and go, and one must not take another's Redis with it.
func (r *redisServer) startMini() error {
	port, password := r.before()
	mini := miniredis.NewMiniRedis()
	mini.RequireAuth(password)
	mini.ClockTTL(true)
	err := mini.StartAddr(net.JoinHostPort("127.0.0.1", cmp.Or(port, "0")))
	if err != nil && port != "" {
		err = mini.StartAddr("127.0.0.1:0")
	}
	if err != nil {
		return fmt.Errorf("start in-process redis: %w", err)
	}
	r.mini = mini
	_, port, err = net.SplitHostPort(mini.Addr())
	if err != nil {
		return errors.Join(err, r.closeOwn())
	}
	address := redisAddress(port, password)
	if r.fast {
		r.address.set(address)
		return nil
	}
	if err := r.place.account.mkdir(r.home); err != nil {
		return errors.Join(err, r.closeOwn())
	}
	return r.publish(address)
}

// stop stops the server if it runs, whoever started it.
func (r *redisServer) stop(ctx context.Context) error {
	err := r.closeOwn()
	pid := r.pid(context.WithoutCancel(ctx))
	if pid == 0 {
		if claimed(r.home) {
			r.log.Warn("the private Redis is left running: it was started where this process does not see it", "data", r.home)
		}
		return err
	}
	if stopErr := stopProcess(ctx, pid, r.conf, syscall.SIGTERM, syscall.SIGKILL, redisStop); stopErr != nil {
		return errors.Join(err, fmt.Errorf("stop redis: %w", stopErr))
	}
	r.log.Info("private Redis stopped", "data", r.home)
	return err
}

// closeOwn ends the in-process server, which goes with this user even if others remain.
func (r *redisServer) closeOwn() error {
	if r.mini == nil {
		return nil
	}
	r.mini.Close()
	r.mini = nil
	if r.fast {
		return nil
	}
	return os.Remove(r.urlFile)
}
