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
	cron   *cron.Cron
	client *asynq.Client
	now    func() time.Time
	log    *slog.Logger
}

// janitorPeriod is how often room is made.
const janitorPeriod = time.Hour

// NewSchedule ticks the sweep every sweepEvery (whole seconds) and the janitor every hour.
func NewSchedule(rdb redis.UniversalClient, sweepEvery time.Duration, now func() time.Time, log *slog.Logger) (*Schedule, error) {
	logger := cronLogger{log}
	s := &Schedule{
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
	return s, nil
}

// Run ticks until ctx ends, and first of all once: what was left over from before this start
// does not wait for the first interval.
func (s *Schedule) Run(ctx context.Context) error {
	s.tick(TypeJanitor, janitorPeriod)
	s.cron.Start()
	<-ctx.Done()
	<-s.cron.Stop().Done()
	return nil
}

func (s *Schedule) tick(kind string, period time.Duration) {
	task, err := tickTask(kind, period, s.now())
	if err == nil {
		err = enqueue(context.Background(), s.client, task)
	}
	if err != nil {
		s.log.Warn("tick lost", "type", kind, "error", err)
	}
}

type cronLogger struct{ log *slog.Logger }

func (l cronLogger) Info(msg string, keysAndValues ...any) { l.log.Debug(msg, keysAndValues...) }
func (l cronLogger) Error(err error, msg string, keysAndValues ...any) {
	l.log.Error(msg, append(keysAndValues, "error", err)...)
}
