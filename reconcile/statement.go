package reconcile

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"math/big"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"evens/internal/dbclock"
	"evens/internal/postgres"
	lists "evens/reconcile/statement"
)

// statement is a provider's list as it is kept.
type statement struct {
	id       uuid.UUID
	from, to time.Time
	cursor   string
	pages    int
	lines    int64

	ownCodes   bool  // answers what we asked about our own
	complete   bool  // says that what it lacks does not exist there
	cut        bool  // lacks so much that nothing of that is believed
	ignored    int64 // lines of a file that its mapping leaves out
	pending    int64 // lines that prove nothing yet
	days       bool  // a file whose lines have no clock
	unreadable int
	blind      bool            // a line without a readable id is among them
	unread     map[string]bool // ids of the others
	last       time.Time       // of its lines, none of the future
}

// whole reports whether absence in it means something.
func (s *statement) whole() bool { return s.complete && !s.cut && !s.blind }

// covers reports whether a time is in the window.
func (s *statement) covers(at time.Time) bool { return !at.Before(s.from) && at.Before(s.to) }

var lineColumns = []string{"statement_id", "page", "transaction_id", "type", "player", "amount", "currency", "status", "at", "round_id", "again", "word", "dated", "amount_told"}

func lineRow(id uuid.UUID, page int, l Line, again bool) []any {
	return []any{
		id, page, l.TransactionID, string(l.Type), l.Player, int64(l.Amount), l.Currency, string(l.Status), l.At, l.Round, again, lists.Plain(l.Word),
		!l.Undated, !l.NoAmount,
	}
}

const (
	insertStatement = `
	INSERT INTO statements (id, provider, source, window_from, window_to, started_at, complete, total)
	VALUES ($1, $2, $3, $4, $5, $6, $7, 0)`

	// A run that was cut off goes on where it stopped.
	readUnfinished = `
	SELECT id, window_from, window_to, cursor, pages, lines, unreadable FROM statements
	 WHERE provider = $1 AND source = 'api' AND state = 'loading' AND started_at > $2
	 ORDER BY started_at DESC LIMIT 1`

	insertPage      = `INSERT INTO statement_pages (statement_id, page, body) VALUES ($1, $2, $3)`
	updateStatement = `
	UPDATE statements SET cursor = $2, pages = $3, lines = $4, state = $5, unreadable = $6, total = total + $7::numeric WHERE id = $1`
	widenStatement = `
	UPDATE statements SET window_from = $2, window_to = $3, lines = $4, pages = 1, state = 'loaded', total = $5::numeric WHERE id = $1`
	endStatement = `
	UPDATE statements SET state = $2, ours = $3, matched = $4, error = nullif($5, ''), ended_at = $6, cut = $7 WHERE id = $1`

	insertUnreadable = `
	INSERT INTO unreadable_lines (statement_id, page, line, transaction_id, at, body, reason) VALUES ($1, $2, $3, nullif($4, ''), $5, $6, $7)`
)

func (r *Reconciler) openStatement(ctx context.Context, provider, source string, from, to time.Time, complete bool) (*statement, error) {
	s := &statement{id: dbclock.NewID(), from: from, to: to, complete: complete}
	if _, err := r.db.Pool.Exec(ctx, insertStatement, s.id, provider, source, from, to, r.now(), complete); err != nil {
		return nil, fmt.Errorf("open a statement of %s: %w", provider, err)
	}
	return s, nil
}

// resumable is how long a run that was cut off may be gone on with: later its list has changed.
const resumable = time.Hour

// resume returns the statement that a run left unfinished, or nil.
func (r *Reconciler) resume(ctx context.Context, provider string) (*statement, error) {
	s := &statement{complete: true}
	err := r.db.Pool.QueryRow(ctx, readUnfinished, provider, r.now().Add(-resumable)).Scan(&s.id, &s.from, &s.to, &s.cursor, &s.pages, &s.lines, &s.unreadable)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("look for an unfinished statement of %s: %w", provider, err)
	}
	return s, nil
}

// addPage keeps a page, its lines and where to go on, in one commit.
func (r *Reconciler) addPage(ctx context.Context, s *statement, page Page) error {
	raw, err := squeezed(page.Raw)
	if err != nil {
		return err
	}
	next := *s
	next.pages++
	next.lines += int64(len(page.Lines))
	next.unreadable += len(page.Unreadable)
	if next.unreadable > mostBreaks {
		return fmt.Errorf("more than %d lines that cannot be read: this is another list", mostBreaks)
	}
	total := new(big.Int)
	for _, line := range page.Lines {
		total.Add(total, big.NewInt(int64(line.Amount)))
	}
	next.cursor = page.Next
	state := "loading"
	if page.Next == "" {
		state = "loaded"
	}
	err = postgres.InTx(ctx, r.db.Pool, func(ctx context.Context, tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, insertPage, s.id, next.pages, raw); err != nil {
			return err
		}
		type lineID struct {
			id   string
			kind Type
		}
		seen := make(map[lineID]bool, len(page.Lines))
		source := pgx.CopyFromSlice(len(page.Lines), func(i int) ([]any, error) {
			line := page.Lines[i]
			key := lineID{line.TransactionID, line.Type}
			again := seen[key]
			seen[key] = true
			return lineRow(s.id, next.pages, line, again), nil
		})
		if _, err := tx.CopyFrom(ctx, pgx.Identifier{"statement_lines"}, lineColumns, source); err != nil {
			return err
		}
		for i, bad := range page.Unreadable {
			at := pgtype.Timestamptz{Time: bad.At, Valid: !bad.At.IsZero()}
			if _, err := tx.Exec(ctx, insertUnreadable, s.id, next.pages, i+1, lists.ShortID(bad.TransactionID), at, bad.Text, bad.Reason); err != nil {
				return err
			}
		}
		_, err := tx.Exec(ctx, updateStatement, s.id, next.cursor, next.pages, next.lines, state, next.unreadable, total.String())
		return err
	})
	if err != nil {
		return fmt.Errorf("keep page %d of a statement: %w", next.pages, err)
	}
	*s = next
	return nil
}

func squeezed(raw []byte) ([]byte, error) {
	var out bytes.Buffer
	writer, err := gzip.NewWriterLevel(&out, gzip.BestSpeed)
	if err != nil {
		return nil, err
	}
	_, err = writer.Write(raw)
	return out.Bytes(), errors.Join(err, writer.Close())
}

func (r *Reconciler) closeStatement(ctx context.Context, s *statement, ours, matched int64, problem error) error {
	state, text := "matched", ""
	if problem != nil {
		state, text = "failed", problem.Error()
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
	defer cancel()
	if _, err := r.db.Pool.Exec(ctx, endStatement, s.id, state, ours, matched, text, r.now(), s.cut); err != nil {
		return fmt.Errorf("close a statement: %w", err)
	}
	return nil
}

const closeTimeout = 5 * time.Second

// forget drops a statement that was only tried.
func (r *Reconciler) forget(ctx context.Context, s *statement) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	return postgres.InTx(ctx, r.db.Pool, func(ctx context.Context, tx pgx.Tx) error {
		for _, statement := range []string{
			`DELETE FROM statement_lines WHERE statement_id = $1`, `DELETE FROM statement_pages WHERE statement_id = $1`,
			`DELETE FROM unreadable_lines WHERE statement_id = $1`, `DELETE FROM statements WHERE id = $1`,
		} {
			if _, err := tx.Exec(ctx, statement, s.id); err != nil {
				return fmt.Errorf("forget a statement: %w", err)
			}
		}
		return nil
	})
}
