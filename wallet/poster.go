package wallet

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgconn"

	"evens/internal/postgres"
)

// PosterConfig tunes the group commit. The zero value works.
type PosterConfig struct {
	// MaxBatch is how many works share a commit at most; 400 by default.
	MaxBatch int
	// Timeout ends a batch whose database does not answer; 10 s by default.
	Timeout time.Duration
	// Observe, when not nil, is told the size and the time of each batch.
	Observe func(size int, took time.Duration)
}

// Poster gathers the works of concurrent callers into shared commits. A lonely work goes
// straight through: nobody waits for company. There is one lane: one batch is under way at a time,
// for fewer and larger commits did best (docs/decisions/0015). Works that another transaction keeps
// waiting are set aside, so that the lane goes on without them.
type Poster struct {
	books  *Books
	cfg    PosterConfig
	lane   chan *waiting
	mu     sync.RWMutex // guards closed against senders
	closed bool
	wg     sync.WaitGroup
	aside  aside
}

// ErrClosed says that the poster is shutting down; nothing has happened.
var ErrClosed = fmt.Errorf("shutting down: %w", postgres.ErrUnavailable)

type waiting struct {
	work *Work
	ctx  context.Context
	done chan error // buffered: a caller that went away doesn't hold up the lane
	// until is when a work that was set aside is given up; zero while it is in the lane.
	until time.Time
}

// NewPoster starts the lane. Close ends it.
func NewPoster(books *Books, cfg PosterConfig) *Poster {
	if cfg.MaxBatch <= 0 {
		cfg.MaxBatch = 400
	}
	if cfg.Timeout <= 0 {
		cfg.Timeout = 10 * time.Second
	}
	p := &Poster{books: books, cfg: cfg, lane: make(chan *waiting, cfg.MaxBatch), aside: newAside()}
	p.wg.Go(p.run)
	return p
}

// Close answers what has been accepted and ends the lane. Later calls of Do get ErrClosed.
func (p *Poster) Close() {
	p.mu.Lock()
	if !p.closed {
		p.closed = true
		close(p.lane)
	}
	p.mu.Unlock()
	p.wg.Wait()
}

// Do has the work decided and written in a shared commit, and returns its refusal or nil once
// the commit is durable. When ctx ends first, Do stops waiting: a work that no batch has taken
// yet is dropped, one that is under way ends by itself, and only asking again (with the same
// keys) tells how. An error that postgres.Unavailable recognises means nobody knows.
func (p *Poster) Do(ctx context.Context, work *Work) error {
	item := &waiting{work: work, ctx: ctx, done: make(chan error, 1)}
	if err := p.send(ctx, item); err != nil {
		return err
	}
	select {
	case err := <-item.done:
		return err
	case <-ctx.Done():
		return fmt.Errorf("wait for the commit: %w", ctx.Err())
	}
}

func (p *Poster) send(ctx context.Context, item *waiting) error {
	p.mu.RLock()
	defer p.mu.RUnlock()
	if p.closed {
		return ErrClosed
	}
	select {
	case p.lane <- item:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wait for a place in the queue: %w", ctx.Err())
	}
}

func (p *Poster) run() {
	items := make([]*waiting, 0, p.cfg.MaxBatch)
	for item := range p.lane {
		items = append(items[:0], item)
		items = p.drain(items)
		p.commit(items)
	}
}

// drain takes what waits already, up to a full batch.
func (p *Poster) drain(items []*waiting) []*waiting {
	for len(items) < p.cfg.MaxBatch {
		select {
		case item, open := <-p.lane:
			if !open {
				return items
			}
			items = append(items, item)
		default:
			return items
		}
	}
	return items
}

func (p *Poster) commit(items []*waiting) {
	live := p.pass(living(items))
	if len(live) == 0 {
		return
	}
	started := time.Now()
	p.settle(live)
	if p.cfg.Observe != nil {
		p.cfg.Observe(len(live), time.Since(started))
	}
}

// living answers the items whose callers have left, and returns the others.
func living(items []*waiting) []*waiting {
	live := items[:0:0]
	for _, item := range items {
		if err := item.ctx.Err(); err != nil {
			item.done <- fmt.Errorf("wait for the commit: %w", err)
			continue
		}
		live = append(live, item)
	}
	return live
}

// settle runs the items as one batch. A batch that fails for one work's sake is halved until
// that work stands alone; what another transaction keeps waiting is set aside; a database that is not
// there fails all at once.
func (p *Poster) settle(items []*waiting) {
	refusals, err := p.attempt(items)
	switch {
	case err == nil:
		answer(items, refusals)
	case postgres.LockTimeout(err):
		p.divide(items)
	case postgres.TimedOut(err) && len(items) > 1 && p.answers():
		p.setAside(uuid.New(), items[:len(items)/2])
		p.setAside(uuid.New(), items[len(items)/2:])
	case allFail(items, err):
		fail(items, err)
	case len(items) == 1:
		items[0].done <- err
	default:
		half := len(items) / 2
		p.settle(items[:half])
		p.settle(items[half:])
	}
}

// allFail reports whether an error is that of all items: the database is not there for any of them.
func allFail(items []*waiting, err error) bool {
	return postgres.Unavailable(err) && (len(items) == 1 || !postgres.OfOneWork(err))
}

func answer(items []*waiting, refusals []error) {
	for i, item := range items {
		item.done <- refusals[i]
	}
}

// fail tells all that nobody knows.
func fail(items []*waiting, err error) {
	for _, item := range items {
		item.done <- fmt.Errorf("%w: %w", postgres.ErrUnavailable, err)
	}
}

// lostRace reports whether somebody else committed a key between this batch's look and its
// write. Decided again, the work sees that key.
func lostRace(err error) bool {
	const uniqueViolation = "23505"
	pgErr, ok := errors.AsType[*pgconn.PgError](err)
	return ok && pgErr.Code == uniqueViolation
}

// attempt tries again what another transaction got in the way of: a batch as a whole after a
// deadlock, a work that stands alone after a lost race as well. A lock that is held is not waited for
// again: who else is in the batch would wait with it.
func (p *Poster) attempt(items []*waiting) (refusals []error, err error) {
	works := make([]*Work, len(items))
	for i, item := range items {
		works[i] = item.work
	}
	ctx, cancel := context.WithTimeout(context.Background(), p.cfg.Timeout)
	defer cancel()
	again := func(err error) bool {
		return !postgres.LockTimeout(err) && (postgres.Retriable(err) || len(works) == 1 && lostRace(err))
	}
	err = postgres.Retry(ctx, postgres.Conflict, again, func() (err error) {
		refusals, err = p.protected(ctx, works)
		return err
	})
	return refusals, err
}

var errPanic = errors.New("a work panicked")

// protected keeps one work's bug from ending the lane and everybody's wait with it.
func (p *Poster) protected(ctx context.Context, works []*Work) (refusals []error, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			p.books.log.Error("a work panicked", "cause", cause)
			refusals, err = nil, errPanic
		}
	}()
	return p.books.doAll(ctx, works)
}
