package reconcile

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/big"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"evens/internal/postgres"
	"evens/reconcile/statementfile"
)

// Mapping says how a file is read: see [statementfile.Mapping].
type Mapping = statementfile.Mapping

// ReadMapping reads a mapping, and refuses what it does not know.
func ReadMapping(r io.Reader) (Mapping, error) { return statementfile.ReadMapping(r) }

// errKind says that a file's lines are another provider's.
var errKind = errors.New("a line of this kind is in no list of this provider")

// fileLine is a line of a file as statements keep it. A rollback is kept under the id that it undoes.
func fileLine(provider string, l statementfile.Line) (Line, error) {
	line := Line{
		TransactionID: l.TransactionID, Type: l.Type, Player: l.Player, Amount: l.Amount, Currency: l.Currency, Status: l.Status,
		At: l.At.UTC().Truncate(time.Microsecond), Round: l.Round, // as the database keeps it
		NoAmount: l.NoAmount, Undated: l.Undated,
	}
	if line.Undated {
		line.At = noTime
	}
	if !recordsOf[provider].takes(line.Type) {
		return line, fmt.Errorf("%w: %s", errKind, line.Type)
	}
	if line.Type == Reversal && l.Reference != "" {
		line.TransactionID, line.Word = l.Reference, "undone by "+l.TransactionID
	}
	return line, line.Check()
}

// fileLines feeds a file to the database line by line.
type fileLines struct {
	file     *statementfile.Reader
	provider string
	id       uuid.UUID
	line     Line
	total    big.Int
	from, to time.Time
	n        int64
	pending  int64
	days     bool
	err      error
	progress func(lines int64)
}

// Next implements pgx.CopyFromSource.
func (f *fileLines) Next() bool {
	read, err := f.file.Next()
	if err == nil {
		if f.line, err = fileLine(f.provider, read); err != nil {
			err = &statementfile.LineError{Line: read.Number, Err: err}
		}
	}
	if f.err = err; err != nil {
		return false
	}
	f.n++
	f.total.Add(&f.total, big.NewInt(int64(f.line.Amount)))
	if f.line.Status == Pending {
		f.pending++
	}
	f.widen(read.Day)
	if f.progress != nil && f.n%10_000 == 0 {
		f.progress(f.n)
	}
	return true
}

// widen takes a line's time into the file's window.
func (f *fileLines) widen(day bool) {
	if f.line.Undated {
		return
	}
	if f.from.IsZero() || f.line.At.Before(f.from) {
		f.from = f.line.At
	}
	end := f.line.At.Add(time.Microsecond)
	if day { // without a clock a line may be of any time of its day
		end, f.days = f.line.At.AddDate(0, 0, 1), true
	}
	if end.After(f.to) {
		f.to = end
	}
}

// Values implements pgx.CopyFromSource.
func (f *fileLines) Values() ([]any, error) { return lineRow(f.id, 1, f.line, false), nil }

// Err implements pgx.CopyFromSource.
func (f *fileLines) Err() error {
	if errors.Is(f.err, io.EOF) {
		return nil
	}
	return f.err
}

func orEpoch(at time.Time) time.Time {
	if at.IsZero() {
		return noTime
	}
	return at
}

// loadFile keeps a file's lines in one commit: all of them, or none. The window is that of its
// lines where the caller names none.
func (r *Reconciler) loadFile(ctx context.Context, q Request) (*statement, error) {
	if !q.From.IsZero() && !q.To.IsZero() && !q.From.Before(q.To) {
		return nil, fmt.Errorf("the window ends (%s) before it begins (%s)", q.To.Format(time.RFC3339), q.From.Format(time.RFC3339))
	}
	file, err := statementfile.NewReader(q.File, q.Mapping, q.Provider)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	s, err := r.openStatement(ctx, q.Provider, "file", orEpoch(q.From), orEpoch(q.To), q.Complete)
	if err != nil {
		return nil, err
	}
	s.from, s.to = q.From, q.To
	lines := &fileLines{file: file, provider: q.Provider, id: s.id, progress: q.Progress}
	err = postgres.InTx(ctx, r.db.Pool, func(ctx context.Context, tx pgx.Tx) error {
		if err := postgres.Unhurried(ctx, tx, nil); err != nil {
			return err
		}
		if _, err := tx.CopyFrom(ctx, pgx.Identifier{"statement_lines"}, lineColumns, lines); err != nil {
			if lines.Err() != nil {
				return lines.Err()
			}
			return err
		}
		if s.from.IsZero() {
			s.from = orEpoch(lines.from)
		}
		if s.to.IsZero() {
			s.to = orEpoch(lines.to)
		}
		if lines.n == 0 {
			return errors.New("every line of the file is left out by its mapping")
		}
		_, err := tx.Exec(ctx, widenStatement, s.id, s.from, s.to, lines.n, lines.total.String())
		return err
	})
	s.lines, s.ignored, s.pending, s.days = lines.n, file.Ignored(), lines.pending, lines.days
	if err == nil {
		err = r.fits(ctx, q.Provider, s)
	}
	if err != nil {
		return nil, errors.Join(err, r.forget(ctx, s))
	}
	return s, nil
}
