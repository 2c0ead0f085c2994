package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"evens/access"
	"evens/coupon"
	"evens/coupon/bet"
	"evens/internal/broadcast"
	"evens/internal/callbacks"
	"evens/internal/claim"
	"evens/internal/dbclock"
	"evens/internal/metrics"
	"evens/internal/postgres"
	"evens/internal/redis"
	"evens/internal/servers"
	"evens/internal/spool"
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
	clock    *dbclock.Clock   // the database's
	now      func() time.Time // by it
	logged   *logWriter       // under log
	metrics  *metrics.Metrics

	databaseURL string
	ownerURL    string // of the role that migrates; empty: the same as databaseURL
	excess      string // what the role of databaseURL may do and need not
	binDir      string // of private PostgreSQL servers
	db          *postgres.DB
	redis       goredis.UniversalClient
	identity    claim.Identity
	claim       *claim.Claim
	own         *standing // the keys in Redis are this installation's
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
	spool       *spool.Spool // of the desk
	games       casinoParts
	bookmaker   *bet.Client // nil: BeT is not configured
	reconciler  *reconcile.Reconciler
	directory   *player.Directory
	recorder    *callbacks.Recorder

	streamsEnd chan struct{} // closed when a listener shuts down: event streams end then
	endStreams func()

	private *servers.Servers // nil: none are held

	closers []func() // run last first
}

// role is what a process is, and what it may do to the schema.
type role struct {
	name    string // shows in pg_stat_activity
	migrate bool
	works   bool // for long: it claims the installation's keys in Redis
	uses    use  // the zero value: everything
	// machine, when not nil, stands for the machine's own clock: a test sets it wrong.
	machine *dbclock.Local
	// settling, when not zero, is how long what a provider's list lacks waits, whatever the policy says.
	settling time.Duration
	// lag, when not nil, hears of settled results beside the metrics: the benchmarks listen.
	lag func(received, committed time.Time, n int)
}

// open connects and wires. A role that does not migrate refuses an old schema.
func open(ctx context.Context, cfg *Config, role role, w io.Writer) (_ *system, err error) {
	logged := &logWriter{w: w}
	s := &system{cfg: cfg, log: cfg.logger(logged), logged: logged, streamsEnd: make(chan struct{})}
	s.clock = dbclock.New(cmp.Or(role.machine, dbclock.Machine()), s.log)
	s.now = s.clock.Now
	s.endStreams = sync.OnceFunc(func() { close(s.streamsEnd) })
	if role.uses.parts == 0 {
		role.uses.parts = usesEverything
	}
	if s.settings, err = cfg.read(role.uses); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			s.close()
		}
	}()
	promise(ctx, cfg.StopTimeout, nil)
	redisURL, err := s.acquireServers(ctx, role.uses.has(walletAlone))
	if err != nil {
		return nil, err
	}
	if role.migrate {
		if err := (postgres.Migrator{Log: s.log}).UpAs(ctx, s.ownerURL, s.databaseURL); err != nil {
			return nil, err
		}
	}
	if err := s.connect(ctx, role.name); err != nil {
		return nil, err
	}
	if role.uses.has(walletAlone) {
		if err := s.connectRedis(redisURL); err != nil {
			return nil, err
		}
	}
	if role.works {
		if err := s.claimKeys(ctx); err != nil {
			return nil, err
		}
	}
	if err := s.wire(ctx, role); err != nil {
		return nil, err
	}
	promise(ctx, cfg.StopTimeout, s.endAtOnce)
	return s, nil
}

// openFor opens what a command uses that does one thing and ends.
func openFor(ctx context.Context, cfg *Config, name string, uses parts, std streams) (*system, error) {
	return open(ctx, cfg, role{name: "evens-" + name, migrate: cfg.DatabaseURL == "", uses: use{parts: uses}}, std.err)
}

// wire makes what is used: what reads the database, what moves money, then the providers.
func (s *system) wire(ctx context.Context, role role) error {
	s.wireDatabase()
	if role.uses.has(walletAlone) {
		s.wireWallet(role)
		s.wireFloor()
	} else {
		s.wireReading()
	}
	if role.uses.has(usesBookmaker) {
		if err := s.wireBookmaker(ctx); err != nil {
			return err
		}
	}
	if role.uses.has(usesPlatforms) {
		if err := s.wirePlatforms(s.cfg.used(role.uses)); err != nil {
			return err
		}
	}
	s.wireReconciler(role)
	return nil
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
	s.private, err = servers.Acquire(ctx, servers.Options{
		Dir: s.cfg.DataDir, Postgres: s.databaseURL == "", Redis: redisURL == "" && withRedis, Log: s.log,
	})
	if err != nil {
		return "", err
	}
	s.onClose(func() { s.releaseServers(time.Minute) })
	if s.databaseURL == "" {
		s.databaseURL, s.ownerURL, s.binDir = s.private.RuntimeURL(), s.private.DatabaseURL(), s.private.BinDir()
	}
	if redisURL == "" {
		redisURL = s.private.RedisURL()
	}
	return redisURL, nil
}

// releaseServers lets go of the private servers. Those that have not stopped in that time are made to.
func (s *system) releaseServers(patience time.Duration) {
	if s.private == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := s.private.Release(ctx); err != nil {
		s.log.Error("stop the private servers", "error", err)
	}
}

func (s *system) connect(ctx context.Context, application string) (err error) {
	if s.db, err = postgres.Open(ctx, postgres.Config{URL: s.databaseURL, ApplicationName: application, Log: s.log}); err != nil {
		return err
	}
	s.onClose(s.db.Close)
	if err := postgres.CheckSchema(ctx, s.db.Pool); err != nil {
		return err
	}
	if err := s.followClock(ctx); err != nil {
		return err
	}
	s.readRights(ctx)
	s.identity, err = claim.Read(ctx, s.db.Pool)
	return err
}

func (s *system) connectRedis(redisURL string) (err error) {
	if s.redis, err = redis.OpenIn(redisURL, s.identity.Space()); err != nil {
		return err
	}
	s.onClose(func() {
		if err := s.redis.Close(); err != nil {
			s.log.Warn("close redis", "error", err)
		}
	})
	s.claim, s.own = claim.New(s.db.Pool, s.redis, s.identity), newStanding(true)
	return nil
}

// wireDatabase makes what needs the database alone.
func (s *system) wireDatabase() {
	s.metrics = metrics.New(version, buildCommit())
	s.metrics.Gauge("evens_clock_skew_seconds", "By how much this machine's clock is ahead of the database's; below zero: behind.",
		func() float64 { return s.clock.Skew().Seconds() })
	s.metrics.Read("evens_log_lines_lost_total", "Log lines that could not be written: their reader is gone, or the disk full.",
		func() float64 { return float64(s.logged.lost.Load()) })
	s.players = player.New(s.db, s.now)
	s.tokens = access.NewTokens(s.db, s.now)
	s.keys = access.NewKeys(s.db, s.now)
	s.operators = access.NewOperators(s.db, s.now)
	s.approvals = access.NewApprovals(s.db, s.now)
	s.coupons = coupon.NewStore(s.db)
	s.directory = player.NewDirectory(s.db)
}

// wireReading makes what reads money, and moves none.
func (s *system) wireReading() {
	books := wallet.NewBooks(s.db, nil, s.log)
	s.rules = wallet.NewRulebook(books, 0, s.now)
	s.adjustments = player.NewAdjustments(s.db, nil, s.operators, s.settings.approval, s.now)
	s.settler = settlement.NewSettler(s.db, books, nil, settlement.Guard{}, s.now, settlement.Observer{}, s.log)
}

// wireWallet makes what moves money, and tells the other processes of it.
func (s *system) wireWallet(role role) {
	s.broadcast = broadcast.New(s.redis, s.identity.Space().Name(broadcastChannel), s.log)
	s.onClose(s.broadcast.Close)
	s.metrics.Read("evens_events_dropped_total", "Change notifications not sent because the queue was full or Redis away.",
		func() float64 { return float64(s.broadcast.Dropped()) })
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
func (s *system) wireBookmaker(ctx context.Context) error {
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
	s.spool = spool.New(filepath.Join(s.cfg.DataDir, "spool"), 0, s.log)
	s.onClose(func() {
		if err := s.spool.Close(); err != nil {
			s.log.Error("close the spool", "error", err)
		}
	})
	greeter := settlement.NewGreeter(s.settler, s.log)
	s.onClose(greeter.Close)
	s.desk = coupon.NewDesk(s.poster, s.coupons, coupon.Config{
		Bookmaker:  client,
		Reader:     client,
		RemoteHost: s.settings.remoteHost,
		Spool:      s.spool,
		Secrets:    []string{s.cfg.BetPassword, strings.Trim(s.cfg.BetResultSecret, "/")},
		Nominal:    s.settings.nominal,
		Grace:      s.cfg.BetConfirmGrace,
		Now:        s.now,
		Accepted:   greeter.Accepted,
		Changed:    s.broadcast.CouponChanged,
		Log:        s.log,

		NominalCurrency: s.settings.nominalCurrency,
	})
	s.onClose(s.endPlacing)
	context.AfterFunc(ctx, func() {
		s.desk.Stop(s.cfg.StopTimeout / 2)
		s.log.Info("no coupon is placed any more: the process ends")
	})
	return nil
}
