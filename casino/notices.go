package casino

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"evens/internal/postgres"
)

// Notice is an asynchronous callback: stored and acknowledged, and worked off by a job. Rung
// counts how often its job was asked for.
type Notice struct {
	ID   int64
	Rung int
}

// NoticeBell asks for notices to be worked off soon. It must not block and may forget: the sweep
// rings again.
type NoticeBell interface{ RingNotice(Notice) }

// Apply works off the body of a platform's notice: nil when its money has moved, a refusal when
// it never will. Any other error is tried again.
type Apply func(ctx context.Context, body []byte, at time.Time) error

// Notices keeps asynchronous callbacks until they are done. It is safe for concurrent use.
type Notices struct {
	db    *postgres.DB
	bell  NoticeBell
	apply map[string]Apply
	now   func() time.Time
	log   *slog.Logger
}

// NewNotices returns the notices kept in db.
func NewNotices(db *postgres.DB, bell NoticeBell, now func() time.Time, log *slog.Logger) *Notices {
	return &Notices{db: db, bell: bell, apply: make(map[string]Apply), now: now, log: log}
}

// Handle says how a platform's notices are worked off. It is called while wiring.
func (n *Notices) Handle(provider string, apply Apply) { n.apply[provider] = apply }

const insertNotice = `
	INSERT INTO notices (provider, transaction_id, body, callback_id, rung_at, received_at)
	VALUES ($1, $2, $3, $4, $5, $5)
	    ON CONFLICT ON CONSTRAINT notices_once DO NOTHING
	RETURNING id`

// Store keeps a notice durably and asks for its job. fresh = false: this platform's transaction
// was told of before.
func (n *Notices) Store(ctx context.Context, provider, transaction string, body []byte, callback uuid.UUID) (fresh bool, err error) {
	if err := CheckID(transaction); err != nil {
		return false, err
	}
	notice := Notice{Rung: 1}
	err = n.db.Pool.QueryRow(ctx, insertNotice, provider, transaction, body, callback, n.now()).Scan(&notice.ID)
	if errors.Is(err, pgx.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("store notice %s %s: %w", provider, transaction, err)
	}
	n.bell.RingNotice(notice)
	return true, nil
}

const (
	readNotice   = `SELECT provider, body, state, received_at FROM notices WHERE id = $1`
	finishNotice = `UPDATE notices SET state = $2, reason = nullif($3, ''), done_at = $4 WHERE id = $1 AND state = 'pending'`
)

// Work works a notice off. Doing it twice moves nothing the second time.
func (n *Notices) Work(ctx context.Context, id int64) error {
	var provider, state string
	var body []byte
	var received time.Time
	err := n.db.Pool.QueryRow(ctx, readNotice, id).Scan(&provider, &body, &state, &received)
	if errors.Is(err, pgx.ErrNoRows) || err == nil && state != "pending" {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read notice %d: %w", id, err)
	}
	apply := n.apply[provider]
	if apply == nil {
		return nil // its platform is switched off here; the notice waits
	}
	err = apply(ctx, body, received)
	code := Code(err)
	if code == "unavailable" || code == "internal" {
		return fmt.Errorf("notice %d of %s: %w", id, provider, err)
	}
	state = "done"
	if err != nil {
		state = "refused"
		n.log.WarnContext(ctx, "a notice was refused", "provider", provider, "notice", id, "code", code)
	} else {
		code = ""
	}
	if _, err := n.db.Pool.Exec(ctx, finishNotice, id, state, code, n.now()); err != nil {
		return fmt.Errorf("finish notice %d: %w", id, err)
	}
	return nil
}

// noticePatience is how long a notice that was rung for is left to its job.
const noticePatience = 10 * time.Second

// Index: notices_open.
const ringNotices = `
	UPDATE notices SET rung = rung + 1, rung_at = $1
	 WHERE id IN (SELECT id FROM notices WHERE state = 'pending' AND rung_at < $2 ORDER BY id LIMIT 1000 FOR UPDATE SKIP LOCKED)
	RETURNING id, rung`

// Sweep rings again for notices whose job was lost, and answers for how many.
func (n *Notices) Sweep(ctx context.Context) (int, error) {
	now := n.now()
	rows, err := n.db.Pool.Query(ctx, ringNotices, now, now.Add(-noticePatience))
	if err != nil {
		return 0, fmt.Errorf("sweep notices: %w", err)
	}
	var notice Notice
	count := 0
	_, err = pgx.ForEachRow(rows, []any{&notice.ID, &notice.Rung}, func() error {
		count++
		n.bell.RingNotice(notice)
		return nil
	})
	if err != nil {
		return count, fmt.Errorf("sweep notices: %w", err)
	}
	return count, nil
}
