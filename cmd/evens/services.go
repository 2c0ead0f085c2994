package main

import (
	"context"
	"net/http"
	"strings"
	"sync"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"evens/access"
	"evens/activity"
	"evens/api"
	"evens/cashier"
	"evens/console"
	"evens/internal/callbacks"
	"evens/internal/claim"
	"evens/internal/postgres"
	"evens/internal/redis"
	"evens/jobs"
	"evens/player"
	"evens/settlement"
	"evens/wallet"
)

// service is one long-lived part of a process: it runs until ctx ends.
type service func(ctx context.Context) error

// runServices runs parts side by side; the first that fails ends all.
func runServices(ctx context.Context, services ...service) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, run := range services {
		group.Go(func() error { return run(ctx) })
	}
	return group.Wait()
}

// publicHandler is the whole public listener: /v1 and the callbacks of the configured providers.
func (s *system) publicHandler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", api.New(s.apiConfig()))
	if s.desk != nil {
		secret := strings.Trim(s.cfg.BetResultSecret, "/")
		receiver := settlement.NewReceiver(s.inbox, settlement.ReceiverConfig{
			Allow: s.settings.allow, Now: s.now, Observe: s.metrics.Push, Log: s.log, Secret: secret,
			Refused: s.recorder.Refuse,
		})
		// Behind its route nobody sees the secret, who keeps or logs the path.
		results := http.StripPrefix(strings.TrimSuffix("/"+secret, "/"), receiver)
		mux.Handle("POST "+s.settings.resultPath, results)
		mux.Handle("POST "+s.settings.resultPath+"/{$}", results)
	}
	if s.cfg.CashierSecret != "" {
		mux.Handle("POST /cashier/callback", &cashier.Receiver{
			Secret: s.cfg.CashierSecret, DB: s.db, Poster: s.poster, Players: s.directory, Recorder: s.recorder,
			Now: s.now, Observe: s.metrics.Platform, Log: s.log,
		})
	}
	for _, platform := range s.games.platforms {
		platform.Mount(mux, s.games.desk)
	}
	return mux
}

func (s *system) apiConfig() api.Config {
	cfg := api.Config{
		Players: s.players, Tokens: s.tokens, Keys: s.keys, History: player.NewHistory(s.db),
		Poster: s.poster, Coupons: s.coupons, Changes: s.broadcast, Rules: s.rules, Campaigns: s.settings.campaigns,
		Bonuses:   s.bonuses,
		Providers: s.providers(), HoldWithdrawals: s.cfg.CashierSecret != "",
		Version: version, Now: s.now, Observe: s.metrics.Request, Stop: s.streamsEnd, Log: s.log,
		Rates: s.rates(), Streams: api.StreamBounds{Total: s.cfg.Streams, PerPlayer: s.cfg.StreamsPerPlayer, PerKey: s.cfg.StreamsPerKey},
	}
	if s.desk != nil {
		cfg.Desk = s.desk
	}
	if len(s.games.platforms) > 0 {
		cfg.Games = s.games.lounge
	}
	return cfg
}

func (s *system) bonuses(ctx context.Context, id uuid.UUID, before uuid.NullUUID, limit int) ([]wallet.BonusView, error) {
	return wallet.Bonuses(ctx, s.db, id, before, limit)
}

func (s *system) serveAPI(ctx context.Context) error {
	var wg sync.WaitGroup
	wg.Go(func() { s.warnOfCategories(ctx) })
	defer wg.Wait()
	return s.serve(ctx, s.public(), s.publicHandler())
}

func (s *system) serveOps(ctx context.Context) error {
	s.warnOfRights()
	return s.serve(ctx, s.ops(), s.opsHandler())
}

func (s *system) opsHandler() http.Handler {
	dashboard := console.NewDashboard(s.redis)
	s.metrics.Register(console.NewBacklog(s.db.Pool, s.now, func() ([]jobs.Depth, error) { return jobs.Depths(s.redis) }))
	return console.New(console.Config{
		Operators: s.operators,
		Sessions:  access.NewSessions(s.db, s.now),
		Queue:     dashboard,
		Record:    func(ctx context.Context, entry activity.Entry) error { return activity.Log(ctx, s.db.Pool, entry) },
		Now:       s.now,
		Callbacks: func(ctx context.Context, id uuid.UUID) (callbacks.Record, error) {
			return callbacks.Read(ctx, s.db, id)
		},
		Support: &console.Support{
			Players: s.players, History: player.NewHistory(s.db), Rules: s.rules, Log: s.log,
			Debts:   func(ctx context.Context, id uuid.NullUUID) ([]player.Debt, error) { return player.Debts(ctx, s.db, id) },
			Bonuses: s.bonuses,
		},
		Metrics: s.metrics.Handler(), MetricsToken: s.cfg.MetricsToken,
		Parts: []console.Part{
			{Name: "database", Known: []error{postgres.ErrReadOnly}, Check: s.db.Ready},
			{Name: "redis", Check: func(ctx context.Context) error { return s.redis.Ping(ctx).Err() }},
			{
				Name: "redis_eviction", Known: []error{redis.ErrEviction},
				Check: func(ctx context.Context) error { return redis.CheckEviction(ctx, s.redis) },
			},
			{
				Name: "installation", Known: []error{claim.ErrTaken, claim.ErrMoved},
				Check: s.claim.Check,
			},
			{
				Name: "schema", Known: []error{postgres.ErrOldSchema, postgres.ErrRestored},
				Check: func(ctx context.Context) error { return postgres.CheckSchema(ctx, s.db.Pool) },
			},
			{Name: "clock", Check: s.db.Pool.Ping, Advice: s.clock.Advice},
			{Name: "database_role", Check: s.db.Pool.Ping, Advice: func() string { return s.excess }},
		},
		Warnings: s.cfg.warnings(s.settings),
		Log:      s.log,
	})
}

func (s *system) work(ctx context.Context) error {
	cfg := jobs.WorkerConfig{
		Redis: s.identity.Space().Subscriber(s.redis), DB: s.db, Poster: s.poster, Settler: s.settler, Books: s.reconciler, Now: s.now,
		Concurrency: s.cfg.WorkerConcurrency, Keep: s.cfg.keep(), Observe: s.metrics.Job, Unknown: s.metrics.UnknownJob, Log: s.log,
	}
	if s.desk != nil {
		cfg.Desk = s.desk
	}
	if len(s.games.platforms) > 0 {
		cfg.Notices = s.games.notices
	}
	return s.whileOwn(ctx, func() (stop func(), err error) {
		worker := jobs.NewWorker(cfg)
		if err := worker.Start(); err != nil {
			return nil, err
		}
		s.log.Info("working")
		return worker.Shutdown, nil
	})
}

func (s *system) tick(ctx context.Context) error {
	schedule, err := jobs.NewSchedule(s.redis, s.cfg.SweepInterval, s.reconciler.Providers(), s.now, s.log)
	if err != nil {
		return err
	}
	s.log.Info("ticking", "sweep_every", s.cfg.SweepInterval)
	return schedule.Run(ctx)
}
