package wallet

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"evens/internal/postgres"
	"evens/ledger"
	"evens/money"
)

// Books opens batches on the ledger. It is safe for concurrent use.
type Books struct {
	db     *postgres.DB
	ledger *ledger.Ledger
	moved  func(players []uuid.UUID)
	log    *slog.Logger
	// BonusFirst has stakes paid from the bonus pocket before the cash. Set it before the first batch.
	BonusFirst bool
	// Offers, when not nil, is asked about each first deposit. Set it before the first batch.
	Offers Offers

	memory *memory
}

// Offers are the bonuses that a house gives by itself.
type Offers interface {
	// OnFirstDeposit returns the bonus for a first deposit; ok = false where there is none.
	OnFirstDeposit(currency money.Currency, deposit money.Amount, at time.Time) (grant Grant, ok bool)
}

// NewBooks returns the books kept in db. moved, when not nil, is told after each commit whose
// balances changed; it must not block.
func NewBooks(db *postgres.DB, moved func(players []uuid.UUID), log *slog.Logger) *Books {
	return &Books{db: db, ledger: ledger.New(), moved: moved, memory: newMemory(), log: log}
}

// Batch is one database transaction in which money is loaded, decided on and written. It is
// used by one goroutine and ends with [Books.Run].
type Batch struct {
	*ledger.Book
	tx       postgres.Querier
	ledger   *ledger.Ledger
	statuses map[uuid.UUID]Status
	requests requestBook
	rows     []RowSet
	byKey    map[any]RowSet

	bonusFirst     bool
	offers         Offers
	memory         *memory
	allowances     map[uuid.UUID]*allowance
	ended          []*Bonus // of the loaded players
	changedBonuses map[uuid.UUID]*Bonus
	stakesOut      map[uuid.UUID]bool // of players whom a grant asked about: their bonus may still win
	journal        []func()           // takes back what works did to allowances and bonuses, last first
	events         eventLog
}

// RowSet gathers rows of a caller's own that are to be written in the commit that moves the
// money: one statement a table, whatever their number.
type RowSet interface {
	// Queue adds the statements that write the gathered rows.
	Queue(*pgx.Batch)
}

// Tx is the database transaction, for loading and locking a caller's own rows. Locks have one
// order everywhere: coupons by id first, then players by id.
func (b *Batch) Tx() postgres.Querier { return b.tx }

// Rows returns the batch's set under key, made by open at its first use. A caller adds rows to
// it only after everything it posts has been accepted.
func (b *Batch) Rows(key any, open func() RowSet) RowSet {
	set, ok := b.byKey[key]
	if !ok {
		set = open()
		b.byKey[key] = set
		b.rows = append(b.rows, set)
	}
	return set
}

// Run begins a transaction, lets decide load and post, writes what was posted and what the row
// sets gathered, and commits. When it returns an error nothing has happened, but for a lost
// connection at the commit itself, of which nobody knows; repeating the same keys is harmless.
func (b *Books) Run(ctx context.Context, decide func(ctx context.Context, batch *Batch) error) error {
	var moved []uuid.UUID
	err := postgres.InSession(ctx, b.db.Hot, func(ctx context.Context, session *postgres.Session) error {
		batch := &Batch{
			tx: session, ledger: b.ledger, byKey: make(map[any]RowSet), bonusFirst: b.BonusFirst, offers: b.Offers, memory: b.memory, changedBonuses: make(map[uuid.UUID]*Bonus),
		}
		if err := decide(ctx, batch); err != nil {
			return err
		}
		moved = batch.moved()
		if err := session.Commit(ctx, batch.statements()); err != nil {
			return fmt.Errorf("write the batch: %w", err)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if b.moved != nil && len(moved) > 0 {
		b.moved(moved)
	}
	return nil
}

func (b *Batch) moved() []uuid.UUID {
	if b.Book == nil {
		return nil
	}
	return b.Book.Moved()
}

// statements is everything the batch writes: the ledger's rows first, then the callers'.
func (b *Batch) statements() *pgx.Batch {
	statements := &pgx.Batch{}
	if b.Book != nil {
		b.countTallies()
		b.Book.Queue(statements)
	}
	b.queueAllowanceRows(statements)
	b.requests.queue(statements)
	b.events.queue(statements)
	for _, set := range b.rows {
		set.Queue(statements)
	}
	return statements
}

// Lock locks the purses of players and reads what is known under keys, as of now: once a batch,
// after every other row the caller needs has been locked.
func (b *Batch) Lock(ctx context.Context, now time.Time, players []uuid.UUID, keys []ledger.Key) error {
	statements := &pgx.Batch{}
	b.Book = b.ledger.QueueLoad(statements, players, keys)
	b.queueEnded(statements, players)
	return b.loaded(ctx, statements, now)
}

// loaded sends the statements of a load. A second round trip is made only for players who are seen
// for the first time in this quarter of an hour, or by this process.
func (b *Batch) loaded(ctx context.Context, statements *pgx.Batch, now time.Time) error {
	if err := b.Loaded(ctx, b.tx, statements); err != nil {
		return err
	}
	b.allowances = make(map[uuid.UUID]*allowance)
	for purse := range b.Purses() {
		if purse.Tally.Revision > 0 {
			b.allowances[purse.Player] = counting(purse.Player, purse.Tally)
		}
	}
	for _, bonus := range b.ended {
		if a := b.allowances[bonus.Player]; a != nil {
			a.bonuses[bonus.ID] = bonus
		}
	}
	if err := b.memory.complete(ctx, b.tx, b.allowances); err != nil {
		return err
	}
	return turnAll(ctx, b.tx, b.allowances, now)
}
