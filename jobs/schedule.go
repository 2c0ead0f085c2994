package jobs

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"
	"github.com/robfig/cron/v3"
)

// Schedule ticks: each tick is one task, whoever and however many tick.
type Schedule struct {
	cron      *cron.Cron
	client    *asynq.Client
	providers []string
	now       func() time.Time
	log       *slog.Logger
}

// janitorPeriod is how often room is made.
const janitorPeriod = time.Hour

// Reconciliations: every quarter of an hour the last hours. Every hour, and when the clock starts, somebody
// looks whether a day that is over lacks its run, or its closing: a tick that was missed is made up by the next.
const (
	reconcilePeriod = 15 * time.Minute
	duePeriod       = time.Hour
	nightly         = "20 * * * *"
	closing         = "50 * * * *"
)

// NewSchedule ticks the sweep every sweepEvery (whole seconds), the janitor every hour, the reconciliations of
// providers and the closings.
func NewSchedule(rdb redis.UniversalClient, sweepEvery time.Duration, providers []string, now func() time.Time, log *slog.Logger) (*Schedule, error) {
	logger := cronLogger{log}
	s := &Schedule{
		providers: providers,
		cron: cron.New(cron.WithLocation(time.UTC), cron.WithLogger(logger),
			cron.WithChain(cron.Recover(logger), cron.SkipIfStillRunning(logger))),
		client: asynq.NewClientFromRedisClient(rdb),
		now:    now,
		log:    log,
	}
	for kind, period := range map[string]time.Duration{TypeSweep: sweepEvery, TypeJanitor: janitorPeriod} {
		if period < time.Second || period%time.Second != 0 {
			return nil, fmt.Errorf("schedule %s: every %s is not a whole number of seconds", kind, period)
		}
		if _, err := s.cron.AddFunc("@every "+period.String(), func() { s.tick(kind, period) }); err != nil {
			return nil, fmt.Errorf("schedule %s: %w", kind, err)
		}
	}
	for spec, tick := range map[string]func(){
		"@every " + reconcilePeriod.String(): func() { s.reconcile(windowRecent, reconcilePeriod) },
		nightly:                              func() { s.reconcile(windowNightly, duePeriod) },
		closing:                              s.close,
	} {
		if _, err := s.cron.AddFunc(spec, tick); err != nil {
			return nil, fmt.Errorf("schedule reconciliations: %w", err)
		}
	}
	return s, nil
}

func (s *Schedule) reconcile(window string, period time.Duration) {
	for _, provider := range s.providers {
		now := s.now()
		task, err := reconcileTask(provider, window, now.Unix()/int64(period.Seconds()), now)
		s.hand(TypeReconcile, task, err)
	}
}

func (s *Schedule) close() {
	task, err := closeTask(s.now().Unix() / int64(duePeriod.Seconds()))
	s.hand(TypeClose, task, err)
}

func (s *Schedule) hand(kind string, task *asynq.Task, err error) {
	if err == nil {
		err = enqueue(context.Background(), s.client, task)
	}
	if err != nil {
		s.log.Warn("tick lost", "type", kind, "error", err)
	}
}

// Run ticks until ctx ends, and first of all once: what was left over from before this start
// does not wait for the first interval.
func (s *Schedule) Run(ctx context.Context) error {
	s.tick(TypeJanitor, janitorPeriod)
	s.reconcile(windowNightly, duePeriod)
	s.close()
	s.cron.Start()
	<-ctx.Done()
	<-s.cron.Stop().Done()
	return nil
}

func (s *Schedule) tick(kind string, period time.Duration) {
	task, err := tickTask(kind, period, s.now())
	s.hand(kind, task, err)
}

type cronLogger struct{ log *slog.Logger }

func (l cronLogger) Info(msg string, keysAndValues ...any) { l.log.Debug(msg, keysAndValues...) }
func (l cronLogger) Error(err error, msg string, keysAndValues ...any) {
	l.log.Error(msg, append(keysAndValues, "error", err)...)
}
