package servers

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/alicebob/miniredis/v2"

	"evens/internal/redis"
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
	databases int
	lookPath  func(string) (string, error)
	log       *slog.Logger

	home, conf, urlFile, logFile string

	// address is the URL in use; it is also in urlFile, where other processes find it.
	address string
	// mini is the in-process server, if this process runs one.
	mini *miniredis.Miniredis
}

func newRedis(p place, opts Options) *redisServer {
	home := filepath.Join(p.home, "redis")
	return &redisServer{
		place: p, fast: opts.Fast, databases: opts.RedisDatabases, lookPath: opts.lookPath, log: opts.Log,
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
// still be coming up.
func (r *redisServer) ensure(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, redisStart, fmt.Errorf("redis did not answer within %s", redisStart))
	defer cancel()
	if text, err := readFile(r.urlFile); err == nil {
		r.address = strings.TrimSpace(string(text))
	}
	if r.address != "" {
		if r.answers(ctx) {
			return nil
		}
		for r.pid(ctx) != 0 {
			if r.answers(ctx) {
				return nil
			}
			if err := sleep(ctx, poll); err != nil {
				return fmt.Errorf("redis process %d: %w", r.pid(ctx), err)
			}
		}
	}
	program, err := findRedis(ctx, r.lookPath)
	if errors.Is(err, errNoRedis) {
		r.log.Warn("an in-process Redis serves, for as long as this process runs: run `make setup` or set EVENS_REDIS_URL", "reason", err)
		return r.startMini()
	}
	if err != nil {
		return err
	}
	return r.start(ctx, program)
}

// start tries the port Redis had before, so that its URL stays, and then others.
func (r *redisServer) start(ctx context.Context, program string) error {
	if err := r.place.account.mkdir(r.home); err != nil {
		return err
	}
	port, password := r.before()
	var err error
	for range redisPorts {
		if port == "" {
			if port, err = freePort(ctx); err != nil {
				return err
			}
		}
		if err = r.listen(ctx, program, port, password); !errors.Is(err, errPortTaken) {
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

func (r *redisServer) listen(ctx context.Context, program, port, password string) error {
	address := "redis://default:" + password + "@" + net.JoinHostPort("127.0.0.1", port) + "/0"
	if err := r.place.account.writeFile(r.conf, redisSettings(port, password, r.databases, r.fast)); err != nil {
		return err
	}
	if err := r.publish(address); err != nil {
		return err
	}
	log := markLog(r.logFile)
	server, err := r.place.account.spawn(ctx, r.home, r.logFile, program, r.conf)
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
	if strings.Contains(tail, "Address already in use") {
		return fmt.Errorf("start redis: %w; its log %s", errPortTaken, tail)
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
	address := "redis://default:" + password + "@" + mini.Addr() + "/0"
	if r.fast {
		r.address = address
		return nil
	}
	if err := r.place.account.mkdir(r.home); err != nil {
		return errors.Join(err, r.closeOwn())
	}
	return r.publish(address)
}

// publish writes down where Redis answers, for this process and for others.
func (r *redisServer) publish(address string) error {
	r.address = address
	return r.place.account.writeFile(r.urlFile, []byte(address+"\n"))
}

// before returns the port and password of the last start, or none and a new password.
func (r *redisServer) before() (port, password string) {
	u, err := url.Parse(r.address)
	if err == nil && u.User != nil {
		password, _ = u.User.Password()
		port = u.Port()
	}
	if password == "" {
		password = rand.Text()
	}
	return port, password
}

// answers reports whether the server at the address is ours, by the password, and serves.
func (r *redisServer) answers(ctx context.Context) bool {
	client, err := redis.Open(r.address)
	if err != nil {
		return false
	}
	defer client.Close()
	return client.Ping(ctx).Err() == nil
}

// stop stops the server if it runs, whoever started it.
func (r *redisServer) stop(ctx context.Context) error {
	err := r.closeOwn()
	pid := r.pid(context.WithoutCancel(ctx))
	if pid == 0 {
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

// freePort asks the system for a port nobody listens on.
func freePort(ctx context.Context) (string, error) {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("find a free port: %w", err)
	}
	_, port, err := net.SplitHostPort(listener.Addr().String())
	return port, errors.Join(err, listener.Close())
}
