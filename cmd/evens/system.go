package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"evens/access"
	"evens/coupon"
	"evens/coupon/bet"
	"evens/internal/broadcast"
	"evens/internal/callbacks"
	"evens/internal/metrics"
	"evens/internal/postgres"
	"evens/internal/redis"
	"evens/internal/servers"
	"evens/jobs"
	"evens/player"
	"evens/reconcile"
	"evens/settlement"
	"evens/wallet"
)

// system is everything a process works with, wired in the order it is used. What a process does
// not need idles.
type system struct {
	cfg      *Config
	settings settings
	log      *slog.Logger
	logged   *logWriter // under log
	now      func() time.Time
	metrics  *metrics.Metrics

	databaseURL string
	ownerURL    string // of the role that migrates; empty: the same as databaseURL
	excess      string // what the role of databaseURL may do and need not
	binDir      string // of private PostgreSQL servers
	db          *postgres.DB
	redis       goredis.UniversalClient
	broadcast   *broadcast.Broadcaster
	players     *player.Registry
	tokens      *access.Tokens
	keys        *access.Keys
	operators   *access.Operators
	approvals   *access.Approvals
	poster      *wallet.Poster
	rules       *wallet.Rulebook
	adjustments *player.Adjustments
	coupons     *coupon.Store
	bell        *jobs.Bell
	settler     *settlement.Settler
	inbox       *settlement.Inbox
	desk        *coupon.Desk // nil: BeT is not configured
	games       casinoParts
	bookmaker   *bet.Client // nil: BeT is not configured
	reconciler  *reconcile.Reconciler
	directory   *player.Directory
	recorder    *callbacks.Recorder

	streamsEnd chan struct{} // closed when a listener shuts down: event streams end then
	endStreams func()

	closers []func() // run last first
}

// role is what a process is, and what it may do to the schema.
type role struct {
	name    string // shows in pg_stat_activity
	migrate bool
	// settling, when not zero, is how long what a provider's list lacks waits, whatever the policy says.
	settling time.Duration
	// lag, when not nil, hears of settled results beside the metrics: the benchmarks listen.
	lag func(received, committed time.Time, n int)
}

// open connects and wires. A role that does not migrate refuses an old schema.
func open(ctx context.Context, cfg *Config, role role, w io.Writer) (_ *system, err error) {
	logged := &logWriter{w: w}
	s := &system{cfg: cfg, log: cfg.logger(logged), logged: logged, now: func() time.Time { return time.Now().UTC() }, streamsEnd: make(chan struct{})}
	s.endStreams = sync.OnceFunc(func() { close(s.streamsEnd) })
	if s.settings, err = cfg.parse(); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			s.close()
		}
	}()
	redisURL, err := s.acquireServers(ctx, true)
	if err != nil {
		return nil, err
	}
	if role.migrate {
		if err := postgres.MigrateAs(ctx, s.ownerURL, s.databaseURL); err != nil {
			return nil, err
		}
	}
	if err := s.connect(ctx, redisURL, role.name); err != nil {
		return nil, err
	}
	s.wire(role)
	if err := s.wireBookmaker(); err != nil {
		return nil, err
	}
	if err := s.wireCasino(); err != nil {
		return nil, err
	}
	if err := s.wireReconciler(role); err != nil {
		return nil, err
	}
	return s, nil
}

func (s *system) onClose(fn func()) { s.closers = append(s.closers, fn) }

// close ends everything, last first: whoever writes ends before what is written to.
func (s *system) close() {
	for i := len(s.closers) - 1; i >= 0; i-- {
		s.closers[i]()
	}
	s.closers = nil
}

// acquireServers starts private servers where no URL is given.
func (s *system) acquireServers(ctx context.Context, withRedis bool) (redisURL string, err error) {
	s.databaseURL, s.ownerURL, redisURL = s.cfg.DatabaseURL, s.cfg.DatabaseOwnerURL, s.cfg.RedisURL
	if s.ownerURL != "" && s.databaseURL == "" {
		return "", errOwnerAlone
	}
	if s.databaseURL != "" && (redisURL != "" || !withRedis) {
		return redisURL, nil
	}
	private, err := servers.Acquire(ctx, servers.Options{
		Dir: s.cfg.DataDir, Postgres: s.databaseURL == "", Redis: redisURL == "" && withRedis, Log: s.log,
	})
	if err != nil {
		return "", err
	}
	s.onClose(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := private.Release(ctx); err != nil {
			s.log.Error("stop the private servers", "error", err)
		}
	})
	if s.databaseURL == "" {
		s.databaseURL, s.ownerURL, s.binDir = private.RuntimeURL(), private.DatabaseURL(), private.BinDir()
	}
	if redisURL == "" {
		redisURL = private.RedisURL()
	}
	return redisURL, nil
}

func (s *system) connect(ctx context.Context, redisURL, application string) (err error) {
	if s.db, err = postgres.Open(ctx, postgres.Config{URL: s.databaseURL, ApplicationName: application, Log: s.log}); err != nil {
		return err
	}
	s.onClose(s.db.Close)
	if err := postgres.CheckSchema(ctx, s.db.Pool); err != nil {
		return err
	}
	s.readRights(ctx)
	if s.redis, err = redis.Open(redisURL); err != nil {
		return err
	}
	s.onClose(func() {
		if err := s.redis.Close(); err != nil {
			s.log.Warn("close redis", "error", err)
		}
	})
	return nil
}

func (s *system) wire(role role) {
	s.metrics = metrics.New(version, buildCommit())
	s.metrics.Read("evens_log_lines_lost_total", "Log lines that could not be written: their reader is gone, or the disk full.",
		func() float64 { return float64(s.logged.lost.Load()) })
	s.broadcast = broadcast.New(s.redis, broadcastChannel, s.log)
	s.onClose(s.broadcast.Close)
	s.metrics.Read("evens_events_dropped_total", "Change notifications not sent because the queue was full or Redis away.",
		func() float64 { return float64(s.broadcast.Dropped()) })
	s.players = player.New(s.db, s.now)
	s.tokens = access.NewTokens(s.db, s.now)
	s.keys = access.NewKeys(s.db, s.now)
	s.operators = access.NewOperators(s.db, s.now)
	s.approvals = access.NewApprovals(s.db, s.now)
	s.coupons = coupon.NewStore(s.db)
	s.directory = player.NewDirectory(s.db)
	s.recorder = callbacks.NewRecorder(s.db, s.log)
	s.onClose(s.recorder.Close)
	s.metrics.Read("evens_callbacks_dropped_total", "Records of providers' calls that could not be kept.",
		func() float64 { return float64(s.recorder.Dropped()) })
	s.metrics.Read("evens_callbacks_refused_total", "Calls of which nothing is kept: from addresses that may not call, or too many without a signature that fits.",
		func() float64 { return float64(s.recorder.Refused()) })

	books := wallet.NewBooks(s.db, s.broadcast.WalletsMoved, s.log)
	books.BonusFirst = s.cfg.StakeOrder == bonusFirst
	books.Offers = s.settings.campaigns
	s.rules = wallet.NewRulebook(books, s.cfg.LimitRaiseAfter, s.now)
	s.poster = wallet.NewPoster(books, wallet.PosterConfig{Observe: s.metrics.Batch})
	s.onClose(s.poster.Close)
	s.adjustments = player.NewAdjustments(s.db, s.poster, s.operators, s.settings.approval, s.now)

	s.bell = jobs.NewBell(s.redis, s.log)
	s.onClose(s.bell.Close)
	guard := settlement.Guard{Count: s.cfg.GuardCount, Amount: s.settings.guardAmount}
	s.inbox = settlement.NewInbox(s.db, s.bell, guard)
	lag := s.metrics.Lag
	if role.lag != nil {
		lag = func(received, committed time.Time, n int) {
			s.metrics.Lag(received, committed, n)
			role.lag(received, committed, n)
		}
	}
	s.settler = settlement.NewSettler(s.db, books, s.bell, guard, s.now, settlement.Observer{
		Settled: s.metrics.Settled, Lag: lag, SameTime: s.metrics.SameTime, Changed: s.broadcast.CouponChanged,
	}, s.log)
}

// bonusFirst is the setting that has stakes paid from the bonus pocket first.
const bonusFirst = "bonus-first"

// broadcastChannel carries change notifications between the processes of one installation.
const broadcastChannel = "evens:changes"

// wireBookmaker makes the desk where BeT is configured.
func (s *system) wireBookmaker() error {
	if s.cfg.BetURL == "" {
		return nil
	}
	client, err := bet.New(bet.Config{
		URL: s.cfg.BetURL, Login: s.cfg.BetLogin, Password: s.cfg.BetPassword, Timeout: s.cfg.BetTimeout,
		Sessions: coupon.NewSessions(s.db, s.now), Observe: s.metrics.Bookmaker, Log: s.log, Now: s.now,
	})
	if err != nil {
		return fmt.Errorf("BeT: %w", err)
	}
	s.bookmaker = client
	greeter := settlement.NewGreeter(s.settler, s.log)
	s.onClose(greeter.Close)
	s.desk = coupon.NewDesk(s.poster, s.coupons, coupon.Config{
		Bookmaker:  client,
		Reader:     client,
		RemoteHost: s.settings.remoteHost,
		Nominal:    s.settings.nominal,
		Grace:      s.cfg.BetConfirmGrace,
		Now:        s.now,
		Accepted:   greeter.Accepted,
		Changed:    s.broadcast.CouponChanged,
		Log:        s.log,

		NominalCurrency: s.settings.nominalCurrency,
	})
	s.onClose(s.desk.Wait)
	return nil
}
