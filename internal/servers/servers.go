package servers

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// Options says which servers are wanted, for which folder. The zero value wants none.
type Options struct {
	// Dir is the data folder, made if need be; "./.evens" by default.
	Dir string
	// Postgres and Redis say which of the two are wanted.
	Postgres, Redis bool
	// Fast trades durability for speed: no fsync, no append-only file. For tests only. It
	// counts when the servers are started; running ones are taken as they are.
	Fast bool
	// RedisDatabases is how many databases Redis has; 16 by default.
	RedisDatabases int
	// Log receives a few lines about starting and stopping; nothing by default.
	Log *slog.Logger

	// lookPath finds programs; exec.LookPath unless a test says otherwise.
	lookPath func(string) (string, error)
	// fileSystem names the file system of a folder; fileSystemOf unless a test says otherwise.
	fileSystem func(string) string
	// unseenWait bounds the wait for a server that can be neither seen nor reached; unseenWait unless a test says otherwise.
	unseenWait time.Duration
}

// Servers is one user's hold on the servers of a folder, from [Acquire] to [Servers.Release].
type Servers struct {
	opts     Options
	log      *slog.Logger
	place    place
	postgres *postgres
	redis    *redisServer
	started  bool

	mu    sync.Mutex
	users *lock

	watch watch
}

// releaseAfterFailure bounds the clearing up after a failed Acquire, whose context may be over.
const releaseAfterFailure = 30 * time.Second

// Acquire finds the wanted servers of the folder running or starts them, and returns when they
// answer. Until Release they are not stopped by anyone else's Release. It may be called any
// number of times, by one process or by several. With nothing wanted it does nothing.
func Acquire(ctx context.Context, opts Options) (*Servers, error) {
	opts.Dir = cmp.Or(opts.Dir, ".evens")
	opts.RedisDatabases = cmp.Or(opts.RedisDatabases, 16)
	opts.Log = cmp.Or(opts.Log, slog.New(slog.DiscardHandler))
	opts.unseenWait = cmp.Or(opts.unseenWait, unseenWait)
	if opts.lookPath == nil {
		opts.lookPath = exec.LookPath
	}
	if opts.fileSystem == nil {
		opts.fileSystem = fileSystemOf
	}
	s := &Servers{opts: opts, log: opts.Log}
	if !opts.Postgres && !opts.Redis {
		return s, nil
	}
	if err := s.acquire(ctx); err != nil {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), releaseAfterFailure)
		defer cancel()
		return nil, errors.Join(fmt.Errorf("private servers of %s: %w", opts.Dir, err), s.Release(ctx))
	}
	s.watch.begin(s.watched(), s.log)
	return s, nil
}

func (s *Servers) acquire(ctx context.Context) error {
	dir, err := makeDir(s.opts.Dir)
	if err != nil {
		return err
	}
	if err := checkFileSystem(dir, s.opts.fileSystem, s.log); err != nil {
		return err
	}
	start, err := place{dir: dir}.lockStart(ctx, s.log)
	if err != nil {
		return err
	}
	defer start.release()
	if s.place, err = choosePlace(ctx, dir, s.opts.Fast, s.log); err != nil {
		return err
	}
	if err := s.checkFileSystems(); err != nil {
		return err
	}
	s.postgres = newPostgres(s.place, s.opts)
	s.redis = newRedis(s.place, s.opts)
	if s.users, err = lockFile(ctx, filepath.Join(dir, "users.lock"), syscall.LOCK_SH); err != nil {
		return err
	}
	if s.opts.Postgres {
		if s.started, err = s.postgres.ensure(ctx, false); err != nil {
			return err
		}
	}
	if s.opts.Redis {
		if err := s.redis.ensure(ctx, false); err != nil {
			return err
		}
	}
	return nil
}

// checkFileSystems looks at the folders that may be mounted or linked by themselves, those that are there.
func (s *Servers) checkFileSystems() error {
	for _, path := range []string{s.place.home, filepath.Join(s.place.home, "postgres", "data"), filepath.Join(s.place.home, "redis")} {
		if trustIn(s.opts.fileSystem(path)) == network {
			return checkFileSystem(path, s.opts.fileSystem, s.log)
		}
	}
	return nil
}

// inTurn does something that only one process at a time may do to a folder's servers: look for, start or stop them.
func (p place) inTurn(ctx context.Context, log *slog.Logger, do func() error) error {
	start, err := p.lockStart(ctx, log)
	if err != nil {
		return err
	}
	defer start.release()
	return do()
}

func (p place) lockStart(ctx context.Context, log *slog.Logger) (*lock, error) {
	notice := time.AfterFunc(2*time.Second, func() {
		log.Info("waiting for another command that starts or stops the private servers", "dir", p.dir)
	})
	defer notice.Stop()
	return lockFile(ctx, filepath.Join(p.dir, "start.lock"), syscall.LOCK_EX)
}

// DatabaseURL is the address of a database of ours, as pgx and libpq (psql, pgbench) take it:
// `postgres://evens@/evens?host=…`. Its user may create databases. Empty if PostgreSQL was not
// asked for.
func (s *Servers) DatabaseURL() string {
	if !s.opts.Postgres {
		return ""
	}
	return s.postgres.url()
}

// RuntimeURL is the address of the same database for processes that run: its role changes no table and, of
// the ledger, no row. Empty if PostgreSQL was not asked for.
func (s *Servers) RuntimeURL() string {
	if !s.opts.Postgres {
		return ""
	}
	return s.postgres.runtimeURL()
}

// RedisURL is the address of Redis, `redis://default:password@127.0.0.1:port/0`, and a secret: log it
// nowhere. Empty if Redis was not asked for.
func (s *Servers) RedisURL() string {
	if !s.opts.Redis {
		return ""
	}
	return s.redis.address.get()
}

// BinDir is the folder of PostgreSQL's programs, psql and pgbench among them. Empty if
// PostgreSQL was not asked for; see also [FindPostgres].
func (s *Servers) BinDir() string {
	if !s.opts.Postgres {
		return ""
	}
	return s.postgres.bin.dir
}

// Started reports whether this Acquire started PostgreSQL: false if it was running already.
func (s *Servers) Started() bool { return s.started }

// Release lets go of the servers; the last one to do so stops them. When ctx ends while they
// stop in order, they are made to stop at once, which costs them a recovery at the next start
// and loses nothing. It may be called several times.
func (s *Servers) Release(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.watch.end()
	if s.users == nil {
		return nil
	}
	users := s.users
	s.users = nil
	defer users.release()
	start, err := s.place.lockStart(ctx, s.log)
	if err != nil {
		return errors.Join(fmt.Errorf("release private servers: %w", err), s.redis.closeOwn())
	}
	defer start.release()
	last, err := users.try(syscall.LOCK_EX)
	if err != nil {
		return errors.Join(fmt.Errorf("release private servers: %w", err), s.redis.closeOwn())
	}
	if !last {
		return s.redis.closeOwn()
	}
	if err := errors.Join(s.redis.stop(ctx), s.postgres.stop(ctx)); err != nil {
		return fmt.Errorf("stop private servers of %s: %w", s.place.dir, err)
	}
	return nil
}
