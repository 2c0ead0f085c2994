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

// Schedule ticks as the table of jobs says: each tick is one task, whoever and however many tick.
type Schedule struct {
	cron      *cron.Cron
	client    *asynq.Client
	entries   []entry
	providers []string
	now       func() time.Time
	log       *slog.Logger
}

// entry is a tick of a job with its times.
type entry struct {
	tick
	kind string
}

// NewSchedule ticks the sweep every sweepEvery (whole seconds), reconciliations for each of providers, and everything
// else as the table says.
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
	if sweepEvery < time.Second || sweepEvery%time.Second != 0 {
		return nil, fmt.Errorf("schedule %s: every %s is not a whole number of seconds", TypeSweep, sweepEvery)
	}
	for _, j := range table() {
		for _, t := range j.ticks {
			if t.spec == "" {
				t.spec, t.period = "@every "+sweepEvery.String(), sweepEvery
			}
			e := entry{t, j.kind}
			if _, err := s.cron.AddFunc(e.spec, func() { s.tick(e) }); err != nil {
				return nil, fmt.Errorf("schedule %s: %w", e.kind, err)
			}
			s.entries = append(s.entries, e)
		}
	}
	return s, nil
}

// Run ticks until ctx ends, and first of all once: what was left over from before this start
// does not wait for the first interval.
func (s *Schedule) Run(ctx context.Context) error {
	for _, e := range s.entries {
		if e.atStart {
			s.tick(e)
		}
	}
	s.cron.Start()
	<-ctx.Done()
	<-s.cron.Stop().Done()
	return nil
}

// tick asks for the tasks of an entry.
func (s *Schedule) tick(e entry) {
	now := s.now()
	tasks, err := e.tasks(now, now.Unix()/int64(e.period.Seconds()), s.providers)
	if err != nil {
		s.log.Warn("tick lost", "type", e.kind, "error", err)
		return
	}
	for _, task := range tasks {
		if err := enqueue(context.Background(), s.client, task); err != nil {
			s.log.Warn("tick lost", "type", e.kind, "error", err)
		}
	}
}

type cronLogger struct{ log *slog.Logger }

func (l cronLogger) Info(msg string, keysAndValues ...any) { l.log.Debug(msg, keysAndValues...) }
func (l cronLogger) Error(err error, msg string, keysAndValues ...any) {
	l.log.Error(msg, append(keysAndValues, "error", err)...)
}
