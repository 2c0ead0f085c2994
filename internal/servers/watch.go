package servers

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"
)

const (
	// watchEvery is how often a server is looked at.
	watchEvery = 500 * time.Millisecond
	// pauseFirst and pauseLongest bound the pause before a server is started once more; each is twice the last.
	pauseFirst, pauseLongest = time.Second, time.Minute
	// calm is how long a server must have lived to be started without a pause when it ends.
	calm = 2 * time.Minute
)

// watchable is a server that can be started again.
type watchable interface {
	name() string
	// alive is false only of a server that has ended.
	alive(ctx context.Context) bool
	// revive makes it answer, whoever starts it, and reports whether it was this process.
	revive(ctx context.Context) (started bool, err error)
}

// watch starts servers again that have ended though somebody uses them: killed, or out of disk or memory.
type watch struct {
	cancel context.CancelFunc
	wg     sync.WaitGroup
	each   []*watcher
}

// begin watches until end.
func (w *watch) begin(servers []watchable, log *slog.Logger) {
	ctx, cancel := context.WithCancel(context.Background())
	w.cancel = cancel
	for _, server := range servers {
		one := &watcher{server: server, log: log}
		w.each = append(w.each, one)
		w.wg.Go(func() { one.run(ctx) })
	}
}

// end returns when nothing is watched any more and no server is being started.
func (w *watch) end() {
	if w.cancel != nil {
		w.cancel()
		w.wg.Wait()
	}
}

// pause returns when the server is not being started, and leaves it ended until resume.
func (w *watch) pause(server watchable) { w.set(server, true) }

func (w *watch) resume(server watchable) { w.set(server, false) }

func (w *watch) set(server watchable, paused bool) {
	for _, one := range w.each {
		if one.server.name() == server.name() {
			one.mu.Lock()
			one.paused = paused
			one.mu.Unlock()
		}
	}
}

// watcher watches one server.
type watcher struct {
	server watchable
	log    *slog.Logger

	mu     sync.Mutex // held while the server is started
	paused bool
}

func (w *watcher) run(ctx context.Context) {
	pauses := backoff.NewExponentialBackOff()
	pauses.InitialInterval, pauses.MaxInterval, pauses.Multiplier, pauses.RandomizationFactor = pauseFirst, pauseLongest, 2, 0
	var pause time.Duration
	seen := time.Now()
	for sleep(ctx, watchEvery) == nil {
		if w.resting(ctx) {
			if time.Since(seen) > calm {
				pauses.Reset()
				pause = 0
			}
			continue
		}
		if sleep(ctx, pause) != nil {
			return
		}
		pause = pauses.NextBackOff()
		w.again(ctx, pause)
		seen = time.Now()
	}
}

// resting reports whether there is nothing to do.
func (w *watcher) resting(ctx context.Context) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.paused || w.server.alive(ctx)
}

// again starts the server again.
func (w *watcher) again(ctx context.Context, pause time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.paused || w.server.alive(ctx) {
		return
	}
	started, err := w.server.revive(ctx)
	switch {
	case err != nil && ctx.Err() != nil: // its users have gone
	case err != nil:
		w.log.Error("a private server has ended and does not come up again", "server", w.server.name(), "next_try_in", pause, "error", err)
	case started:
		w.log.Warn("a private server had ended and was started again", "server", w.server.name())
	}
}

// watched are the servers that were asked for.
func (s *Servers) watched() []watchable {
	var list []watchable
	if s.opts.Postgres {
		list = append(list, s.postgres)
	}
	if s.opts.Redis {
		list = append(list, s.redis)
	}
	return list
}

func (p *postgres) name() string { return "PostgreSQL" }

func (p *postgres) alive(ctx context.Context) bool {
	return claimed(p.data) || running(ctx, readPostmaster(p.data).pid, p.mark())
}

func (p *postgres) revive(ctx context.Context) (started bool, err error) {
	err = p.place.inTurn(ctx, p.log, func() error {
		started, err = p.ensure(ctx, true)
		return err
	})
	return started, err
}

func (r *redisServer) name() string { return "Redis" }

func (r *redisServer) alive(ctx context.Context) bool {
	return r.mini != nil || claimed(r.home) || r.pid(ctx) != 0
}

func (r *redisServer) revive(ctx context.Context) (started bool, err error) {
	err = r.place.inTurn(ctx, r.log, func() error {
		if r.answers(ctx) {
			return nil // another process's in-process one
		}
		started = true
		return r.ensure(ctx, true)
	})
	return started, err
}
