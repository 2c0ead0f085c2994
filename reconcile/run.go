package reconcile

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/google/uuid"
	"golang.org/x/time/rate"

	"evens/casino"
	"evens/coupon"
	"evens/internal/postgres"
	"evens/player"
	lists "evens/reconcile/statement"
	"evens/settlement"
	"evens/wallet"
)

// How a window is chosen.
const (
	// Lag keeps a window away from now: both sides are still writing there.
	Lag = 5 * time.Minute
	// Overlap is how much of the last window is looked at again.
	Overlap = 20 * time.Minute
	// Skew is how far the other side's clock may be from ours.
	Skew = 5 * time.Minute
	// FirstWindow is how far back a provider's first run looks.
	FirstWindow = 2 * time.Hour
)

// Config of a Reconciler. DB, Poster, Players and Now are required.
type Config struct {
	DB      *postgres.DB
	Poster  *wallet.Poster
	Players *player.Directory
	Floor   *casino.Floor     // nil: no game is healed
	Inbox   *settlement.Inbox // nil: no result is
	Desk    *coupon.Desk      // nil: no coupon is adopted
	Sources map[string]Source // by provider; others have files only
	// Platforms are all that there are, whether they have a source or not.
	Platforms []casino.Kind
	Policy    Policy
	Now       func() time.Time
	// Observe, when not nil, is told of each run and of the breaks it saw.
	Observe func(provider string, ok bool, kind Kind, n int)
	Log     *slog.Logger
}

// Reconciler holds our books against others'. It is safe for concurrent use; runs of one provider
// take turns.
type Reconciler struct {
	db      *postgres.DB
	poster  *wallet.Poster
	players *player.Directory
	floor   *casino.Floor
	inbox   *settlement.Inbox
	desk    *coupon.Desk
	sources map[string]Source
	policy  Policy

	platforms platforms
	now       func() time.Time
	observe   func(provider string, ok bool, kind Kind, n int)
	log       *slog.Logger
}

// New returns a reconciler.
func New(cfg Config) *Reconciler {
	return &Reconciler{
		db: cfg.DB, poster: cfg.Poster, players: cfg.Players, floor: cfg.Floor, inbox: cfg.Inbox, desk: cfg.Desk,
		sources: cfg.Sources, platforms: cfg.Platforms, policy: cfg.Policy, now: cfg.Now, observe: cfg.Observe, log: cfg.Log,
	}
}

// Request is one run.
type Request struct {
	Provider string
	// From and To are the window; zero: from the watermark on, or the file's own.
	From, To time.Time
	// File is a list in a file; nil asks the provider.
	File    io.Reader
	Mapping Mapping
	// Complete says that the file is the whole of its window: what it lacks does not exist there.
	Complete bool
	DryRun   bool
	Progress func(lines int64) // may be nil
}

// Report is what a run found and did.
type Report struct {
	Provider string    `json:"provider"`
	From     time.Time `json:"from"`
	To       time.Time `json:"to"`
	Lines    int64     `json:"lines"`
	Ours     int64     `json:"ours"`
	Matched  int64     `json:"matched"`
	DryRun   bool      `json:"dry_run"`
	Closed   int       `json:"closed"` // breaks of before that agree now
	// Unreadable counts lines that were left aside, each a break; Cut says that the list lacks so much
	// that nothing of what it lacks is believed.
	Unreadable int  `json:"unreadable"`
	Cut        bool `json:"cut,omitempty"`
	// Ignored counts the lines that a file's mapping leaves out, Pending those that prove nothing yet,
	// Outside those of another time than the window, CancelledOut ids that were undone there and never
	// came here.
	Ignored      int64 `json:"ignored"`
	Pending      int64 `json:"pending"`
	Outside      int64 `json:"outside_window"`
	CancelledOut int64 `json:"cancelled_out"`
	// Sums is, by currency, what the run has moved or would move.
	Sums   map[string]Sum `json:"sums"`
	Breaks []Found        `json:"breaks"`
	// Matching is how long the database took to find the differences.
	Matching time.Duration `json:"-"`
}

// Found is one break of a report.
type Found struct {
	ID            *uuid.UUID      `json:"id"`
	Kind          Kind            `json:"kind"`
	TransactionID string          `json:"transaction_id"`
	PlayerID      string          `json:"player_id"`
	Ours          json.RawMessage `json:"ours"`
	Theirs        json.RawMessage `json:"theirs"`
	State         State           `json:"state"`
	Action        Action          `json:"action"`
}

// Even reports whether no break stays open.
func (r *Report) Even() bool {
	for _, b := range r.Breaks {
		if b.State == StateOpen || b.State == StateHealing && b.Action != ActSettle {
			return false
		}
	}
	return true
}

var (
	// ErrNoSource says that a provider's list can only come from a file.
	ErrNoSource = errors.New("the provider has no list that can be asked for, or is not configured: give a file")
	// ErrBusy says that another run of the provider is under way.
	ErrBusy = errors.New("another run of this provider is under way")
	// ErrCut says that a provider's list seems to lack a part. Nothing of it is believed.
	ErrCut = errors.New("their list lacks too much: it seems cut off")
)

// mostBreaks bounds what one run holds in memory and writes: beyond it the list is the wrong one.
const mostBreaks = 50_000

// Run does one run: load, match, keep the breaks, heal, and move the watermark when all was whole.
// Killed at any moment and repeated, it heals each break once.
func (r *Reconciler) Run(ctx context.Context, q Request) (report *Report, err error) {
	release, err := r.turn(ctx, q.Provider)
	if err != nil {
		return nil, err
	}
	defer release()
	s, err := r.load(ctx, q)
	if err != nil {
		r.tell(q.Provider, false, nil)
		return nil, err
	}
	report = &Report{
		Provider: q.Provider, Lines: s.lines, DryRun: q.DryRun, From: s.from.UTC(), To: s.to.UTC(), Unreadable: s.unreadable, Breaks: []Found{},
		Ignored: s.ignored, Pending: s.pending,
	}
	c := r.comparison(q, s)
	breaks, err := r.compare(ctx, c, q, s, report)
	report.Cut, report.Sums = s.cut, sums(breaks)
	if err == nil && !q.DryRun {
		err = r.conclude(ctx, c, q, s, report, breaks)
	}
	switch {
	case q.DryRun:
		err = errors.Join(err, r.forget(ctx, s))
	default:
		err = errors.Join(err, r.closeStatement(ctx, s, report.Ours, report.Matched, err))
	}
	r.tell(q.Provider, err == nil, breaks)
	if err != nil {
		return nil, err
	}
	for _, b := range breaks {
		found := Found{Kind: b.Kind, TransactionID: b.TransactionID, PlayerID: b.Player, Ours: b.Ours, Theirs: b.Theirs, State: b.State, Action: b.Action}
		if b.ID != uuid.Nil {
			found.ID = &b.ID
		}
		report.Breaks = append(report.Breaks, found)
	}
	return report, nil
}

func (r *Reconciler) tell(provider string, ok bool, breaks []*Break) {
	if r.observe == nil {
		return
	}
	counts := map[Kind]int{}
	for _, b := range breaks {
		counts[b.Kind]++
	}
	r.observe(provider, ok, "", 0)
	for kind, n := range counts {
		r.observe(provider, ok, kind, n)
	}
}

// turn takes the provider's turn in the whole installation, or ErrBusy. The lock is the
// connection's: a process that dies gives it back.
func (r *Reconciler) turn(ctx context.Context, provider string) (release func(), err error) {
	conn, err := r.db.Pool.Acquire(ctx)
	if err != nil {
		return nil, fmt.Errorf("take the turn of %s: %w", provider, err)
	}
	var taken bool
	err = conn.QueryRow(ctx, `SELECT pg_try_advisory_lock(hashtext('reconcile'), hashtext($1))`, provider).Scan(&taken)
	if err != nil || !taken {
		conn.Release()
		if err == nil {
			err = ErrBusy
		}
		return nil, err
	}
	return func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
		defer cancel()
		if _, err := conn.Exec(ctx, `SELECT pg_advisory_unlock(hashtext('reconcile'), hashtext($1))`, provider); err != nil {
			_ = conn.Conn().Close(ctx) // which gives the lock back
		}
		conn.Release()
	}, nil
}

func (r *Reconciler) load(ctx context.Context, q Request) (*statement, error) {
	if q.File != nil {
		return r.loadFile(ctx, q)
	}
	source := r.sources[q.Provider]
	if source == nil {
		return nil, ErrNoSource
	}
	s, err := r.unfinished(ctx, q)
	if err != nil {
		return nil, err
	}
	return s, r.fetch(ctx, q, source, s)
}

// unfinished is the run that was cut off, or a new one.
func (r *Reconciler) unfinished(ctx context.Context, q Request) (*statement, error) {
	if q.From.IsZero() && q.To.IsZero() && !q.DryRun {
		s, err := r.resume(ctx, q.Provider)
		if err != nil || s != nil {
			return s, err
		}
	}
	from, to := q.From, q.To
	if to.IsZero() {
		to = r.now().Add(-Lag)
	}
	if from.IsZero() {
		mark, err := r.watermark(ctx, q.Provider)
		if err != nil {
			return nil, err
		}
		if from, err = r.waitingSince(ctx, q.Provider, mark.Add(-Overlap), to); err != nil {
			return nil, err
		}
		if mark.IsZero() {
			from = to.Add(-FirstWindow)
		}
	}
	if !from.Before(to) {
		return nil, fmt.Errorf("the window ends (%s) before it begins (%s)", to.Format(time.RFC3339), from.Format(time.RFC3339))
	}
	return r.openStatement(ctx, q.Provider, "api", from, to, true)
}

// How a provider is asked: not faster than this, and again after errors for a while.
const (
	pagesPerSecond = 50
	pageTries      = 6
	pagePause      = 200 * time.Millisecond
)

// fetch asks for page after page, each kept before the next is asked for. It asks for more than the
// window on both sides: what their clock puts there is no difference.
func (r *Reconciler) fetch(ctx context.Context, q Request, source Source, s *statement) error {
	limit := rate.NewLimiter(pagesPerSecond, pagesPerSecond)
	seen := map[string]bool{}
	for first := s.pages == 0; first || s.cursor != ""; first = false {
		if err := limit.Wait(ctx); err != nil {
			return err
		}
		if seen[s.cursor] {
			return fmt.Errorf("%s: %w: its pages go in a circle", q.Provider, ErrCut)
		}
		seen[s.cursor] = true
		pause := backoff.NewExponentialBackOff()
		pause.InitialInterval = pagePause
		page, err := backoff.Retry(ctx, func() (Page, error) { return source.Page(ctx, s.from.Add(-Skew), s.to.Add(Skew), s.cursor) },
			backoff.WithBackOff(pause), backoff.WithMaxTries(pageTries))
		if err != nil {
			return fmt.Errorf("page %d of %s: %w", s.pages+1, q.Provider, err)
		}
		page.Lines, page.Unreadable = lists.Sorted(page.Lines, page.Unreadable)
		if err := r.addPage(ctx, s, page); err != nil {
			return err
		}
		if q.Progress != nil {
			q.Progress(s.lines)
		}
	}
	return nil
}

// conclude keeps what was found, heals it, closes what agrees now, and moves the watermark.
func (r *Reconciler) conclude(ctx context.Context, c comparison, q Request, s *statement, report *Report, breaks []*Break) error {
	if err := r.keep(ctx, s, breaks); err != nil {
		return err
	}
	if err := r.healAll(ctx, c, breaks); err != nil {
		return err
	}
	var err error
	if report.Closed, err = r.agreed(ctx, q.Provider, s); err != nil {
		return err
	}
	if q.File == nil {
		return r.mark(ctx, q.Provider, s.from, s.to)
	}
	return nil
}

const (
	readMark = `SELECT coalesce((SELECT until FROM watermarks WHERE provider = $1), 'epoch'::timestamptz)`
	// A run of an old window moves nothing back, one of a later window leaves no gap.
	writeMark = `
	INSERT INTO watermarks (provider, until) VALUES ($1, $2)
	    ON CONFLICT (provider) DO UPDATE SET until = greatest(watermarks.until, excluded.until) WHERE watermarks.until >= $3`
)

func (r *Reconciler) watermark(ctx context.Context, provider string) (time.Time, error) {
	var at time.Time
	if err := r.db.Pool.QueryRow(ctx, readMark, provider).Scan(&at); err != nil {
		return time.Time{}, fmt.Errorf("read the watermark of %s: %w", provider, err)
	}
	if at.Unix() == 0 {
		return time.Time{}, nil
	}
	return at.UTC(), nil
}

func (r *Reconciler) mark(ctx context.Context, provider string, from, until time.Time) error {
	if _, err := r.db.Pool.Exec(ctx, writeMark, provider, until, from); err != nil {
		return fmt.Errorf("move the watermark of %s: %w", provider, err)
	}
	return nil
}
