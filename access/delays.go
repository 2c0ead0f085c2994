package access

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"evens/internal/postgres"
)

// DelayedError says that there were too many wrong attempts of an account or from a source.
type DelayedError struct {
	Wait time.Duration // until the next attempt counts
}

// Error implements error.
func (e *DelayedError) Error() string {
	return fmt.Sprintf("too many wrong passwords: try again in %s", e.Wait.Round(time.Second))
}

// What wrong attempts cost. After freeAttempts each doubles the delay, up to a bound: low for an
// account, so that a stranger cannot lock an operator out, high for a source. Whoever logged in to an
// account from a source lately is not held up by others who guess at that account.
const (
	freeAttempts   = 5
	firstDelay     = time.Second
	accountDelay   = 30 * time.Second
	sourceDelay    = 15 * time.Minute
	forgotten      = time.Hour // after the last wrong one
	knownFor       = 30 * 24 * time.Hour
	delaysKept     = 24 * time.Hour
	delaysPerPrune = 50
)

// Source is how an address counts: an IPv6 address by its network, which one subscriber has whole.
func Source(address netip.Addr) string {
	address = address.Unmap().WithZone("")
	if address.Is6() {
		if network, err := address.Prefix(64); err == nil {
			return network.String()
		}
	}
	return address.String()
}

// delays counts wrong attempts in PostgreSQL, where every process sees them.
type delays struct {
	db  *postgres.DB
	now func() time.Time

	mu   sync.Mutex
	held map[string]heldSource
}

// heldSource is a source that was found to wait: until when, and until when it is not looked up again.
type heldSource struct{ until, ask time.Time }

const (
	// heldFor is how long a source that waits is answered from memory: a flood of guesses asks the database once
	// in that time.
	heldFor = time.Second
	// mostHeld bounds the memory.
	mostHeld = 4096
)

// hold is how long a source waits, as far as is known without asking; 0 where it is not.
func (d *delays) hold(source string) time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	now, held := d.now(), d.held[source]
	if !held.ask.After(now) {
		return 0
	}
	return held.until.Sub(now)
}

// remember has a source that waits be answered from memory for a moment.
func (d *delays) remember(source string, wait time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.held == nil || len(d.held) >= mostHeld {
		d.held = make(map[string]heldSource)
	}
	now := d.now()
	d.held[source] = heldSource{until: now.Add(wait), ask: now.Add(min(wait, heldFor))}
}

// subject is one count.
type subject struct {
	name     string
	failures int
	lastAt   time.Time
	until    time.Time
}

func hashed(kind string, parts ...string) string {
	h := sha256.New()
	for _, part := range parts {
		h.Write([]byte(part))
		h.Write([]byte{0})
	}
	return kind + " " + hex.EncodeToString(h.Sum(nil))
}

func accountOf(email string) string       { return hashed("account", email) }
func sourceOf(source string) string       { return hashed("source", source) }
func knownOf(email, source string) string { return hashed("known", email, source) }

const (
	readDelays = `SELECT subject, failures, last_at, until FROM login_delays WHERE subject = ANY ($1) ORDER BY subject`
	openDelays = `
	INSERT INTO login_delays (subject, failures, last_at, until) SELECT s, 0, $2, $2 FROM unnest($1::text[]) s
	    ON CONFLICT DO NOTHING`
	lockDelays   = readDelays + ` FOR UPDATE`
	chargeDelay  = `UPDATE login_delays SET failures = $2, last_at = $3, until = $4 WHERE subject = $1`
	forgiveDelay = `UPDATE login_delays SET failures = greatest(failures - 1, 0), until = $2 WHERE subject = $1`
	removeDelay  = `DELETE FROM login_delays WHERE subject = $1`
	knowSource   = `
	INSERT INTO login_delays (subject, failures, last_at, until) VALUES ($1, 0, $2, $3)
	    ON CONFLICT (subject) DO UPDATE SET last_at = excluded.last_at, until = excluded.until`
	pruneDelays = `
	DELETE FROM login_delays
	 WHERE subject IN (SELECT subject FROM login_delays WHERE until < $1 LIMIT $2 FOR UPDATE SKIP LOCKED)`
)

// errDelayed ends the transaction of an attempt that does not count.
var errDelayed = errors.New("delayed")

// charge counts an attempt as wrong before it is looked at, so that attempts at the same moment see
// each other; clear takes it back. A *DelayedError where it comes too early: then nothing is counted.
func (d *delays) charge(ctx context.Context, email, source string) error {
	now := d.now().UTC()
	rows, err := readSubjects(ctx, d.db.Pool, readDelays, accountOf(email), sourceOf(source), knownOf(email, source))
	if err != nil {
		return err
	}
	counted := []string{accountOf(email), sourceOf(source)}
	if slices.ContainsFunc(rows, func(s subject) bool { return s.name == knownOf(email, source) && s.until.After(now) }) {
		counted = counted[1:]
	}
	if wait := waitOf(rows, counted, now); wait > 0 {
		if waits := waitOf(rows, counted[len(counted)-1:], now); waits > 0 {
			d.remember(source, waits)
		}
		return &DelayedError{Wait: wait}
	}
	var wait time.Duration
	err = postgres.InTx(ctx, d.db.Pool, func(ctx context.Context, tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, openDelays, counted, now); err != nil {
			return fmt.Errorf("count a login: %w", err)
		}
		rows, err := readSubjects(ctx, tx, lockDelays, counted...)
		if err != nil {
			return err
		}
		if wait = waitOf(rows, counted, now); wait > 0 {
			return errDelayed
		}
		for _, row := range rows {
			if now.Sub(row.lastAt) > forgotten {
				row.failures = 0
			}
			row.failures++
			limit := sourceDelay
			if row.name == accountOf(email) {
				limit = accountDelay
			}
			if _, err := tx.Exec(ctx, chargeDelay, row.name, row.failures, now, now.Add(delayOf(row.failures, limit))); err != nil {
				return fmt.Errorf("count a login: %w", err)
			}
		}
		if _, err := tx.Exec(ctx, pruneDelays, now.Add(-delaysKept), delaysPerPrune); err != nil {
			return fmt.Errorf("forget old logins: %w", err)
		}
		return nil
	})
	if errors.Is(err, errDelayed) {
		return &DelayedError{Wait: wait}
	}
	return err
}

// clear takes back what charge counted: the login was right. A source's other wrong attempts stay
// counted: who knows one password may guess at others.
func (d *delays) clear(ctx context.Context, email, source string) error {
	now := d.now().UTC()
	batch := &pgx.Batch{}
	batch.Queue(removeDelay, accountOf(email))
	batch.Queue(forgiveDelay, sourceOf(source), now)
	batch.Queue(knowSource, knownOf(email, source), now, now.Add(knownFor))
	if err := d.db.Pool.SendBatch(ctx, batch).Close(); err != nil {
		return fmt.Errorf("count a login: %w", err)
	}
	return nil
}

// delayOf is how long after so many wrong attempts the next one waits.
func delayOf(failures int, limit time.Duration) time.Duration {
	if failures < freeAttempts {
		return 0
	}
	const manyDoublings = 20
	return min(limit, firstDelay<<min(failures-freeAttempts, manyDoublings))
}

// waitOf is the longest wait of those subjects that count.
func waitOf(rows []subject, counted []string, now time.Time) (wait time.Duration) {
	for _, row := range rows {
		if slices.Contains(counted, row.name) {
			wait = max(wait, row.until.Sub(now))
		}
	}
	return wait
}

type querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

func readSubjects(ctx context.Context, db querier, query string, names ...string) ([]subject, error) {
	rows, err := db.Query(ctx, query, names)
	if err != nil {
		return nil, fmt.Errorf("read the delays of logins: %w", err)
	}
	found, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (subject, error) {
		var s subject
		err := row.Scan(&s.name, &s.failures, &s.lastAt, &s.until)
		return s, err
	})
	if err != nil {
		return nil, fmt.Errorf("read the delays of logins: %w", err)
	}
	return found, nil
}
