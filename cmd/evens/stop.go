package main

import (
	"context"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"
)

// stopSignals ask a process to end. A hang-up is one of them, unless the process was started to outlive it (nohup).
func stopSignals() []os.Signal {
	signals := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) {
		signals = append(signals, syscall.SIGHUP)
	}
	return signals
}

// stopper brings the process to its end. The first signal cancels its context: everything under way is finished. The
// second, or the end of the time that this may take, forces: what must not be lost is kept, and the process exits. A
// third does not wait for that either.
type stopper struct {
	signals chan os.Signal
	cancel  context.CancelFunc
	exit    func(code int)

	mu    sync.Mutex
	limit time.Duration // from the first signal to the exit; 0: none is promised
	last  func()        // what has to be done before a forced exit
}

// stopReserve is the part of the promised time that is left to a forced exit.
const stopReserve = 20

// forcedExit bounds a forced exit where nothing is promised.
const forcedExit = 5 * time.Second

// newStopper listens for signals; the context that it returns ends with the first.
func newStopper(parent context.Context, exit func(code int)) (context.Context, *stopper) {
	ctx, cancel := context.WithCancel(parent)
	s := &stopper{signals: make(chan os.Signal, 8), cancel: cancel, exit: exit}
	signal.Notify(s.signals, stopSignals()...)
	go s.run() // until the process ends
	return context.WithValue(ctx, stopperKey{}, s), s
}

type stopperKey struct{}

// promise says within how long the process ends, and what has to be done before a forced exit.
func promise(ctx context.Context, limit time.Duration, last func()) {
	if s, ok := ctx.Value(stopperKey{}).(*stopper); ok {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.limit, s.last = limit, last
	}
}

func (s *stopper) promised() (time.Duration, func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.limit, s.last
}

func (s *stopper) run() {
	<-s.signals
	began := time.Now()
	s.cancel()
	var over <-chan time.Time
	if limit, _ := s.promised(); limit > 0 {
		over = time.After(limit - limit/stopReserve)
	}
	select {
	case <-s.signals:
	case <-over:
	}
	limit, last := s.promised()
	left := forcedExit
	if limit > 0 {
		left = limit - time.Since(began)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		if last != nil {
			last()
		}
	}()
	select {
	case <-done:
	case <-s.signals:
	case <-time.After(left):
	}
	s.exit(1)
}

// endAtOnce is what a forced exit still waits for: what BeT answers to placements under way goes to the spool, and
// private servers are not left behind.
func (s *system) endAtOnce() {
	s.log.Warn("forced to exit: answers under way go to the spool")
	if s.desk != nil {
		s.desk.Force()
		s.desk.Wait()
	}
	s.releaseServers(time.Second)
}

// endPlacing has no coupon taken any more, and waits for those under way: their answers have half of the time that a
// stop may take to be written down, and are spooled then.
func (s *system) endPlacing() {
	if s.desk == nil {
		return
	}
	s.desk.Stop(s.cfg.StopTimeout / 2)
	s.desk.Wait()
}

// spoolPause is how often the spool is looked at.
const spoolPause = 2 * time.Second

// takeSpooled writes down what earlier processes have left in the spool, before this one serves.
func (s *system) takeSpooled(ctx context.Context) {
	if s.desk == nil {
		return
	}
	if err := s.spool.Check(); err != nil {
		s.log.Error("a bookmaker's answer could not be kept while the database is away", "error", err)
	}
	if _, err := s.desk.TakeSpooled(ctx, true); err != nil {
		s.log.Error("take the bookmaker's answers from the spool", "error", err)
	}
}

// watchSpool writes down what comes into the spool, once the database takes it.
func (s *system) watchSpool(ctx context.Context) error {
	if s.desk == nil {
		return nil
	}
	tick := time.NewTicker(spoolPause)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
		if _, err := s.desk.TakeSpooled(ctx, false); err != nil {
			s.log.Warn("bookmaker's answers wait in the spool", "error", err)
		}
	}
}
