package wallet

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"evens/internal/postgres"
)

// PosterConfig tunes the group commit. The zero value works.
type PosterConfig struct {
	// Lanes is how many batches may be under way at once; players are spread over them, so that
	// two lanes never wait for the same purse. 1 by default: fewer, larger commits did best.
	Lanes int
	// MaxBatch is how many works share a commit at most; 400 by default.
	MaxBatch int
	// Timeout ends a batch whose database does not answer; 10 s by default.
	Timeout time.Duration
	// Observe, when not nil, is told the size and the time of each batch.
	Observe func(size int, took time.Duration)
}

// Poster gathers the works of concurrent callers into shared commits. A lonely work goes
// straight through: nobody waits for company.
type Poster struct {
	books  *Books
	cfg    PosterConfig
	lanes  []chan *waiting
	mu     sync.RWMutex // guards closed against senders
	closed bool
	wg     sync.WaitGroup
}

// ErrClosed says that the poster is shutting down; nothing has happened.
var ErrClosed = fmt.Errorf("shutting down: %w", postgres.ErrUnavailable)

type waiting struct {
	work *Work
	ctx  context.Context
	done chan error // buffered: a caller that went away doesn't hold up the lane
}

// NewPoster starts the lanes. Close ends them.
func NewPoster(books *Books, cfg PosterConfig) *Poster {
	if cfg.Lanes <= 0 {
		cfg.Lanes = 1
	}
	if cfg.MaxBatch <= 0 {
		cfg.MaxBatch = 400
	}
	if cfg.Timeout <= 0 {
		cfg.Timeout = 10 * time.Second
	}
	p := &Poster{books: books, cfg: cfg, lanes: make([]chan *waiting, cfg.Lanes)}
	for i := range p.lanes {
		lane := make(chan *waiting, cfg.MaxBatch)
		p.lanes[i] = lane
		p.wg.Go(func() { p.run(lane) })
	}
	return p
}

// Close answers what has been accepted and ends the lanes. Later calls of Do get ErrClosed.
func (p *Poster) Close() {
	p.mu.Lock()
	if !p.closed {
		p.closed = true
		for _, lane := range p.lanes {
			close(lane)
		}
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
	case p.lanes[p.laneOf(item.work)] <- item:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wait for a place in the queue: %w", ctx.Err())
	}
}

func (p *Poster) laneOf(work *Work) int {
	first := work.Spread
	if len(work.Players) > 0 {
		first = work.Players[0]
	}
	return int(binary.BigEndian.Uint32(first[12:]) % uint32(len(p.lanes)))
}

func (p *Poster) run(lane chan *waiting) {
	items := make([]*waiting, 0, p.cfg.MaxBatch)
	for item := range lane {
		items = append(items[:0], item)
		items = p.drain(lane, items)
		p.commit(items)
	}
}

// drain takes what waits already, up to a full batch.
func (p *Poster) drain(lane chan *waiting, items []*waiting) []*waiting {
	for len(items) < p.cfg.MaxBatch {
		select {
		case item, open := <-lane:
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
	live := items[:0:0]
	for _, item := range items {
		if err := item.ctx.Err(); err != nil {
			item.done <- fmt.Errorf("wait for the commit: %w", err)
			continue
		}
		live = append(live, item)
	}
	if len(live) == 0 {
		return
	}
	started := time.Now()
	p.settle(live)
	if p.cfg.Observe != nil {
		p.cfg.Observe(len(live), time.Since(started))
	}
}

// settle runs the items as one batch. A batch that fails for one work's sake is halved until
// that work stands alone; a database that is not there fails all at once.
func (p *Poster) settle(items []*waiting) {
	refusals, err := p.attempt(items)
	switch {
	case err == nil:
		for i, item := range items {
			item.done <- refusals[i]
		}
	case postgres.Unavailable(err):
		for _, item := range items {
			item.done <- fmt.Errorf("%w: %w", postgres.ErrUnavailable, err)
		}
	case len(items) == 1:
		items[0].done <- err
	default:
		half := len(items) / 2
		p.settle(items[:half])
		p.settle(items[half:])
	}
}

const retries = 5

// lostRace reports whether somebody else committed a key between this batch's look and its
// write. Decided again, the work sees that key.
func lostRace(err error) bool {
	const uniqueViolation = "23505"
	pgErr, ok := errors.AsType[*pgconn.PgError](err)
	return ok && pgErr.Code == uniqueViolation
}

// attempt tries again what another transaction got in the way of: a batch as a whole after a
// deadlock, a work that stands alone after a lost race as well.
func (p *Poster) attempt(items []*waiting) (refusals []error, err error) {
	works := make([]*Work, len(items))
	for i, item := range items {
		works[i] = item.work
	}
	ctx, cancel := context.WithTimeout(context.Background(), p.cfg.Timeout)
	defer cancel()
	for range retries {
		refusals, err = p.protected(ctx, works)
		if !postgres.Retriable(err) && (len(works) > 1 || !lostRace(err)) {
			return refusals, err
		}
	}
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
