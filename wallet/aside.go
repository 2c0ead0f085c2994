package wallet

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"evens/internal/postgres"
)

// aside has the works that another transaction keeps waiting for a lock, by the player who is locked; each
// by itself where no player is. While a player's works are here, later ones join them and keep out of
// the lane.
type aside struct {
	mu    sync.Mutex
	works map[uuid.UUID][]*waiting
	// slots bounds how many connections wait for locks.
	slots chan struct{}
}

const waitingConns = 3

func newAside() aside {
	return aside{works: make(map[uuid.UUID][]*waiting), slots: make(chan struct{}, waitingConns)}
}

// pass sends items of players whose works are aside after them, and returns the others.
func (p *Poster) pass(items []*waiting) []*waiting {
	p.aside.mu.Lock()
	defer p.aside.mu.Unlock()
	if len(p.aside.works) == 0 {
		return items
	}
	free := items[:0:0]
	for _, item := range items {
		if player, stuck := p.stuck(item.work); stuck {
			item.until = time.Now().Add(p.cfg.Timeout)
			p.aside.works[player] = append(p.aside.works[player], item)
			continue
		}
		free = append(free, item)
	}
	return free
}

func (p *Poster) stuck(work *Work) (uuid.UUID, bool) {
	for _, player := range work.Players {
		if _, stuck := p.aside.works[player]; stuck {
			return player, true
		}
	}
	return uuid.UUID{}, false
}

// setAside has items tried again outside of the lane, until they are through or their time is over.
func (p *Poster) setAside(key uuid.UUID, items []*waiting) {
	until := time.Now().Add(p.cfg.Timeout)
	for _, item := range items {
		item.until = until
	}
	p.aside.mu.Lock()
	defer p.aside.mu.Unlock()
	waiting, running := p.aside.works[key]
	p.aside.works[key] = append(waiting, items...)
	if !running {
		p.wg.Go(func() { p.waitFor(key) })
	}
}

// waitFor works off what was set aside under a key.
func (p *Poster) waitFor(key uuid.UUID) {
	for {
		items := p.takeAside(key)
		if items == nil {
			return
		}
		p.aside.slots <- struct{}{}
		if items = expired(living(items)); len(items) > 0 {
			p.retry(key, items)
		}
		<-p.aside.slots
	}
}

// takeAside returns the next batch of a key, nil when there is none left: the key is free then.
func (p *Poster) takeAside(key uuid.UUID) []*waiting {
	p.aside.mu.Lock()
	defer p.aside.mu.Unlock()
	items := p.aside.works[key]
	if len(items) == 0 {
		delete(p.aside.works, key)
		return nil
	}
	n := min(len(items), p.cfg.MaxBatch)
	p.aside.works[key] = items[n:]
	return items[:n:n]
}

// expired answers the items that have waited for too long, and returns the others.
func expired(items []*waiting) []*waiting {
	now := time.Now()
	left := items[:0:0]
	for _, item := range items {
		if now.After(item.until) {
			fail([]*waiting{item}, errLocked)
			continue
		}
		left = append(left, item)
	}
	return left
}

var errLocked = fmt.Errorf("%w: another transaction holds the player", postgres.ErrUnavailable)

// retry runs items that were set aside. Those that still have to wait go back.
func (p *Poster) retry(key uuid.UUID, items []*waiting) {
	refusals, err := p.attempt(items)
	switch {
	case err == nil:
		answer(items, refusals)
	case postgres.LockTimeout(err):
		p.aside.mu.Lock()
		p.aside.works[key] = append(items, p.aside.works[key]...)
		p.aside.mu.Unlock()
	case allFail(items, err) && (len(items) == 1 || !postgres.TimedOut(err) || !p.answers()):
		fail(items, err)
	case len(items) == 1:
		items[0].done <- err
	default:
		for _, half := range [][]*waiting{items[:len(items)/2], items[len(items)/2:]} {
			if half = expired(living(half)); len(half) > 0 {
				p.retry(key, half)
			}
		}
	}
}

// divide sets those of a batch aside whose players others hold, and runs the rest. Where nobody holds a
// player any more the batch is tried once again; waited for in vain again, it is another row, and the
// batch is halved until its work stands alone.
func (p *Poster) divide(items []*waiting) {
	free, err := p.unheld(items)
	switch {
	case err != nil:
		fail(items, err)
		return
	case len(free) < len(items):
		if len(free) > 0 {
			p.settle(free)
		}
		return
	}
	refusals, err := p.attempt(items)
	switch {
	case err == nil:
		answer(items, refusals)
	case !postgres.LockTimeout(err) && allFail(items, err):
		fail(items, err)
	case len(items) == 1 && !postgres.LockTimeout(err):
		items[0].done <- err
	case len(items) == 1:
		p.setAside(uuid.New(), items)
	default:
		p.settle(items[:len(items)/2])
		p.settle(items[len(items)/2:])
	}
}

// unheld sets the items aside whose players others hold, and returns the rest.
func (p *Poster) unheld(items []*waiting) ([]*waiting, error) {
	held, err := p.held(items)
	if err != nil {
		return nil, err
	}
	free := items[:0:0]
	byPlayer := make(map[uuid.UUID][]*waiting)
	for _, item := range items {
		if player, is := firstOf(item.work.Players, held); is {
			byPlayer[player] = append(byPlayer[player], item)
			continue
		}
		free = append(free, item)
	}
	for player, works := range byPlayer {
		p.setAside(player, works)
	}
	return free, nil
}

func firstOf(players []uuid.UUID, held map[uuid.UUID]bool) (uuid.UUID, bool) {
	for _, player := range players {
		if held[player] {
			return player, true
		}
	}
	return uuid.UUID{}, false
}

// Index: accounts_player.
const lockFree = `
	SELECT player_id FROM accounts WHERE player_id = ANY ($1) AND kind = 'cash' ORDER BY player_id FOR UPDATE SKIP LOCKED`

const readAll = `SELECT player_id FROM accounts WHERE player_id = ANY ($1) AND kind = 'cash'`

// probeTimeout is for how long the database is asked who holds a player.
const probeTimeout = 2 * time.Second

// held asks which players of the items others hold at this moment.
func (p *Poster) held(items []*waiting) (map[uuid.UUID]bool, error) {
	var players []uuid.UUID
	for _, item := range items {
		players = append(players, item.work.Players...)
	}
	ctx, cancel := context.WithTimeout(context.Background(), probeTimeout)
	defer cancel()
	held := make(map[uuid.UUID]bool)
	err := postgres.InSession(ctx, p.books.db.Hot, func(ctx context.Context, session *postgres.Session) error {
		statements := &pgx.Batch{}
		each := func(is bool) func(pgx.Rows) error {
			return func(rows pgx.Rows) error {
				var id uuid.UUID
				_, err := pgx.ForEachRow(rows, []any{&id}, func() error {
					held[id] = is
					return nil
				})
				return err
			}
		}
		ids := postgres.UUIDs(players)
		statements.Queue(readAll, ids).Query(each(true))
		statements.Queue(lockFree, ids).Query(each(false))
		return session.SendBatch(ctx, statements).Close() // the session rolls back: the locks were only tried
	})
	if postgres.LockTimeout(err) { // somebody has the table for himself, or waits for it: a change of the schema
		for _, player := range players {
			held[player] = true
		}
		return held, nil
	}
	return held, err
}

// answers reports whether the database is there: a batch whose time is over says nothing of it.
func (p *Poster) answers() bool {
	ctx, cancel := context.WithTimeout(context.Background(), probeTimeout)
	defer cancel()
	return p.books.db.Hot.Ping(ctx) == nil
}
