package wallet

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"evens/internal/postgres"
	"evens/ledger"
)

// Status is whether a player may play.
type Status string

// The statuses. Whatever the status, players are paid and refunded; only stakes are refused.
const (
	Active  Status = "active"
	Blocked Status = "blocked"
	Closed  Status = "closed"
)

// Refusals. Each leaves everything as it was.
var (
	ErrUnknownPlayer     = errors.New("no such player")
	ErrPlayerBlocked     = errors.New("the player may not play")
	ErrAccountClosed     = fmt.Errorf("%w: the account is closed", ErrPlayerBlocked)
	ErrInsufficientFunds = errors.New("insufficient funds")
	ErrCurrency          = errors.New("the player's wallet is in another currency")
)

// Work is one caller's wish to move money: what it needs loaded, and how it decides.
type Work struct {
	Players []uuid.UUID
	Keys    []ledger.Key
	Request Request
	// At is the caller's time: limits and bonuses are looked at as of then.
	At time.Time
	// Statuses asks for the players' statuses; only stakes need them.
	Statuses bool
	// Winnings asks for the players' bonuses that have ended although Statuses is set: the work may pay
	// for an earlier stake too. Works without Statuses are given them in any case.
	Winnings bool
	// Locker, when not nil, locks and reads the caller's own rows before any player is locked.
	// Works that name the same Locker are given to it together.
	Locker Locker
	// Reader, when not nil, reads the caller's own rows once the players are locked: rows that only
	// change under their player's lock. Works that name the same Reader are given to it together.
	Reader Reader
	// Data is the caller's own, for its Locker or Reader.
	Data any
	// Decide posts to the batch. It is a pure function of what was loaded: no I/O, no clock. An
	// error refuses this work alone; what it posted is undone. It may be called again in another
	// batch, and must then start afresh.
	Decide func(*Batch) error
}

// Locker locks rows that belong to a caller: for all works of a batch, in id order, in the round
// trip that locks the players.
type Locker interface {
	// QueueLocks adds the statements that lock and read what the works name.
	QueueLocks(statements *pgx.Batch, works []*Work)
}

// Reader reads rows that belong to a caller and change only while their player is locked: for all
// works of a batch, in the round trip that locks the players.
type Reader interface {
	// QueueReads adds the statements that read what the works name, and keeps what they find in
	// one of the batch's row sets.
	QueueReads(statements *pgx.Batch, batch *Batch, works []*Work)
}

// load reads and locks everything that the works name.
func (b *Batch) load(ctx context.Context, works []*Work) error {
	var players, statuses, answered []uuid.UUID
	var now time.Time
	var keys []ledger.Key
	var requests []Request
	byLocker := make(map[Locker][]*Work)
	var lockers []Locker
	byReader := make(map[Reader][]*Work)
	for _, work := range works {
		players = append(players, work.Players...)
		keys = append(keys, work.Keys...)
		requests = append(requests, work.Request)
		if work.Statuses {
			statuses = append(statuses, work.Players...)
		}
		if !work.Statuses || work.Winnings {
			answered = append(answered, work.Players...)
		}
		if work.At.After(now) {
			now = work.At
		}
		if work.Locker != nil {
			if byLocker[work.Locker] == nil {
				lockers = append(lockers, work.Locker)
			}
			byLocker[work.Locker] = append(byLocker[work.Locker], work)
		}
		if work.Reader != nil {
			byReader[work.Reader] = append(byReader[work.Reader], work)
		}
	}
	statements := &pgx.Batch{}
	for _, locker := range lockers {
		locker.QueueLocks(statements, byLocker[locker])
	}
	b.Book = b.ledger.QueueLoad(statements, players, keys)
	// Read once the players are locked: who asked before has been answered by then.
	b.queueRequests(statements, requests)
	b.queueStatuses(statements, statuses)
	b.queueEnded(statements, answered)
	for reader, works := range byReader {
		reader.QueueReads(statements, b, works)
	}
	return b.loaded(ctx, statements, now)
}

// Index: players_pkey.
const readStatuses = `SELECT id, status FROM players WHERE id = ANY ($1)`

func (b *Batch) queueStatuses(statements *pgx.Batch, players []uuid.UUID) {
	if len(players) == 0 {
		return
	}
	b.statuses = make(map[uuid.UUID]Status, len(players))
	statements.Queue(readStatuses, postgres.UUIDs(players)).Query(func(rows pgx.Rows) error {
		var id uuid.UUID
		var status Status
		_, err := pgx.ForEachRow(rows, []any{&id, &status}, func() error {
			b.statuses[id] = status
			return nil
		})
		return err
	})
}

// decide runs the works against what was loaded, each with an answer of its own.
func (b *Batch) decide(works []*Work) []error {
	refusals := make([]error, len(works))
	for i, work := range works {
		mark, journal, told := b.Mark(), len(b.journal), len(b.events)
		if err := work.Decide(b); err != nil {
			b.undo(mark, journal, told)
			refusals[i] = err
		}
	}
	return refusals
}

// Do runs one work in a batch of its own. [Poster.Do] shares commits instead.
func (b *Books) Do(ctx context.Context, work *Work) error {
	refusals, err := b.doAll(ctx, []*Work{work})
	if err != nil {
		return err
	}
	return refusals[0]
}

// doAll runs works in one batch. The error speaks for all: none has happened.
func (b *Books) doAll(ctx context.Context, works []*Work) (refusals []error, err error) {
	err = b.Run(ctx, func(ctx context.Context, batch *Batch) error {
		if err := batch.load(ctx, works); err != nil {
			return err
		}
		refusals = batch.decide(works)
		return nil
	})
	return refusals, err
}
