package settlement

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"evens/internal/postgres"
	"evens/wallet"
)

// Observer is told what settling did, after the commit. Every field may be nil.
type Observer struct {
	// Settled counts results by what became of them: won, lost, refunded, or a State.
	Settled func(what string, n int)
	// Lag is told how long a push's results waited from being received to being paid.
	Lag func(received, committed time.Time, n int)
	// SameTime counts results that contradict another with the same DateRecive.
	SameTime func(n int)
	// Changed is told the coupons that changed, with their players. It must not block.
	Changed func(coupon, player uuid.UUID)
}

// Settler applies stored results. It is safe for concurrent use, by any number of processes.
type Settler struct {
	db      *postgres.DB
	books   *wallet.Books
	bell    Bell
	guard   Guard
	now     func() time.Time
	observe Observer
	log     *slog.Logger
}

// NewSettler returns a settler that moves money through books.
func NewSettler(db *postgres.DB, books *wallet.Books, bell Bell, guard Guard, now func() time.Time, observe Observer, log *slog.Logger) *Settler {
	return &Settler{db: db, books: books, bell: bell, guard: guard.orDefault(), now: now, observe: observe, log: log}
}

// ErrUnknownChunk says that there is no such chunk: it is another database's, or was forgotten long ago.
var ErrUnknownChunk = errors.New("no such chunk of results")

// Indexes: result_chunks_pkey; a chunk that another worker holds is that worker's.
const lockChunk = `
	SELECT result_ids, guarded FROM result_chunks
	 WHERE id = $1 AND done_at IS NULL
	   FOR UPDATE SKIP LOCKED`

const chunkExists = `SELECT EXISTS (SELECT FROM result_chunks WHERE id = $1)`

const endChunk = `UPDATE result_chunks SET done_at = $2 WHERE id = $1`

// Apply settles the results of a chunk in one commit. A chunk that is done, or that another worker is at, is
// left alone: calling again is harmless. One that is not there is ErrUnknownChunk. A chunk that fails for one of its coupons' sake is halved until the
// culprit stands alone; that one is parked for a person, and holds up no other.
func (s *Settler) Apply(ctx context.Context, chunk int64) error {
	err := s.attempt(ctx, chunk)
	if !culpable(err) {
		return err
	}
	halves, splitErr := s.split(ctx, chunk, err)
	if splitErr != nil {
		return errors.Join(err, splitErr)
	}
	var failed []error
	for _, half := range halves {
		failed = append(failed, s.Apply(ctx, half))
	}
	return errors.Join(failed...)
}

// attempt applies a chunk, again where another transaction got in its way.
func (s *Settler) attempt(ctx context.Context, chunk int64) error {
	again := func(err error) bool { return postgres.Retriable(err) || postgres.Miscounted(err) }
	return postgres.Retry(ctx, postgres.Conflict, again, func() error { return s.protected(ctx, chunk) })
}

var errPanic = errors.New("settling panicked")

// protected keeps a bug that one coupon meets from holding up the others of its chunk.
func (s *Settler) protected(ctx context.Context, chunk int64) (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			s.log.ErrorContext(ctx, "settling panicked", "chunk", chunk, "cause", cause, "stack", string(debug.Stack()))
			err = errPanic
		}
	}()
	return s.apply(ctx, chunk)
}

func (s *Settler) apply(ctx context.Context, chunk int64) error {
	var done *application
	err := s.books.Run(ctx, func(ctx context.Context, batch *wallet.Batch) error {
		var ids []int64
		var guarded bool
		err := batch.Tx().QueryRow(ctx, lockChunk, chunk).Scan(&ids, &guarded)
		if postgres.NotFound(err) {
			return isChunk(ctx, batch.Tx(), chunk)
		}
		if err != nil {
			return fmt.Errorf("lock chunk %d: %w", chunk, err)
		}
		done = &application{settler: s, batch: batch, now: s.now(), guarded: guarded}
		if err := done.run(ctx, ids); err != nil {
			return err
		}
		done.rows.statements = append(done.rows.statements, func(b *pgx.Batch) { b.Queue(endChunk, chunk, done.now) })
		return nil
	})
	if err != nil {
		return fmt.Errorf("apply chunk %d: %w", chunk, err)
	}
	if done != nil {
		done.report(ctx)
	}
	return nil
}

// isChunk answers ErrUnknownChunk where no such chunk was ever there or it was forgotten long ago.
func isChunk(ctx context.Context, tx postgres.Querier, chunk int64) error {
	var exists bool
	if err := tx.QueryRow(ctx, chunkExists, chunk).Scan(&exists); err != nil {
		return fmt.Errorf("look for chunk %d: %w", chunk, err)
	}
	if !exists {
		return ErrUnknownChunk
	}
	return nil
}
