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
	"evens/ledger"
	"evens/money"
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

// Message is what an asynchronous callback says, as far as it can be read before it is worked off.
type Message struct {
	// Transaction is the platform's id; Kind what happened to it. Content fingerprints everything that
	// makes the message what it is: the same again is a repeat, another is another message.
	Transaction, Kind string
	Content           ledger.Hash
	// Of whom and of how much, to the player: for whoever must look into it. Zero where it is not told.
	Player   string
	Currency money.Currency
	Amount   money.Amount
}

// Describe reads the body of a stored callback again.
type Describe func(body []byte) Message

// Notices keeps asynchronous callbacks until they are done. It is safe for concurrent use.
type Notices struct {
	db    *postgres.DB
	bell  NoticeBell
	apply map[string]handler
	now   func() time.Time
	log   *slog.Logger
}

// NewNotices returns the notices kept in db.
func NewNotices(db *postgres.DB, bell NoticeBell, now func() time.Time, log *slog.Logger) *Notices {
	return &Notices{db: db, bell: bell, apply: make(map[string]handler), now: now, log: log}
}

type handler struct {
	apply    Apply
	describe Describe
}

// Handle says how a platform's notices are worked off. It is called while wiring.
func (n *Notices) Handle(provider string, apply Apply, describe Describe) {
	n.apply[provider] = handler{apply, describe}
}

// What was refused may be possible by now: told again, it is tried again.
const insertNotice = `
	INSERT INTO notices (provider, transaction_id, kind, content, body, callback_id, rung_at, received_at)
	VALUES ($1, $2, $3, $4, $5, $6, now(), $7)
	    ON CONFLICT ON CONSTRAINT notices_once DO UPDATE
	   SET state = 'pending', reason = NULL, done_at = NULL, rung = notices.rung + 1, rung_at = excluded.rung_at
	 WHERE notices.state = 'refused'
	RETURNING id, rung`

// Store keeps a notice durably and asks for its job. fresh = false: the same was told before, and is
// done or will be.
func (n *Notices) Store(ctx context.Context, provider string, m Message, body []byte, callback uuid.UUID) (fresh bool, err error) {
	for _, text := range []string{m.Transaction, m.Kind} {
		if err := CheckID(text); err != nil {
			return false, err
		}
	}
	var notice Notice
	err = n.db.Pool.QueryRow(ctx, insertNotice, provider, m.Transaction, m.Kind, m.Content[:], body, callback, n.now()).Scan(&notice.ID, &notice.Rung)
	if errors.Is(err, pgx.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("store notice %s %s: %w", provider, m.Transaction, err)
	}
	n.bell.RingNotice(notice)
	return true, nil
}

const (
	readNotice   = `SELECT provider, body, state, received_at FROM notices WHERE id = $1`
	finishNotice = `UPDATE notices SET state = $2, reason = nullif($3, ''), done_at = $4 WHERE id = $1 AND state = 'pending'`
)

// ErrUnknownNotice says that there is no such notice: it is another database's.
var ErrUnknownNotice = errors.New("no such notice")

// Work works a notice off, or answers ErrUnknownNotice. Doing it twice moves nothing the second time.
func (n *Notices) Work(ctx context.Context, id int64) error {
	var provider, state string
	var body []byte
	var received time.Time
	err := n.db.Pool.QueryRow(ctx, readNotice, id).Scan(&provider, &body, &state, &received)
	if errors.Is(err, pgx.ErrNoRows) {
		return fmt.Errorf("work off notice %d: %w", id, ErrUnknownNotice)
	}
	if err == nil && state != "pending" {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read notice %d: %w", id, err)
	}
	handler, on := n.apply[provider]
	if !on {
		return nil // its platform is switched off here; the notice waits
	}
	err = handler.apply(ctx, body, received)
	code := Code(err)
	if code == "unavailable" || code == "internal" {
		return fmt.Errorf("notice %d of %s: %w", id, provider, err)
	}
	if err != nil {
		n.log.WarnContext(ctx, "a notice was refused", "provider", provider, "notice", id, "code", code)
	}
	if err := n.finish(ctx, id, provider, code, handler.describe(body), received); err != nil {
		return fmt.Errorf("finish notice %d: %w", id, err)
	}
	return nil
}

// noticeDoubts are the kinds of doubt that a refused notice may raise, by why it was refused: its
// platform was told that it is in order.
var noticeDoubts = map[string]string{
	"id_conflict": doubtDuplicate, "rolled_back": doubtStatus, "settled": doubtStatus, "unknown_bet": doubtStatus,
	"unknown_player": doubtPlayer, "wrong_currency": doubtCurrency, "unreadable": doubtUnreadable,
}

// finish writes down what became of a notice, and leaves one that was refused to a person.
func (n *Notices) finish(ctx context.Context, id int64, provider, code string, m Message, received time.Time) error {
	return postgres.InTx(ctx, n.db.Pool, func(ctx context.Context, tx pgx.Tx) error {
		now := n.now()
		state, reason := "done", ""
		if code != "ok" {
			state, reason = "refused", code
		}
		tag, err := tx.Exec(ctx, finishNotice, id, state, reason, now)
		if err != nil || tag.RowsAffected() == 0 {
			return err
		}
		message := fmt.Sprintf("the callback %s of %s", m.Kind, m.Transaction)
		if code == "ok" {
			kinds := []string{doubtMissing, doubtStatus, doubtPlayer, doubtCurrency, doubtUnreadable}
			return settle(ctx, tx, provider, m.Transaction, kinds, message+" was done at last", now)
		}
		kind := noticeDoubts[code]
		if kind == "" {
			kind = doubtMissing
		}
		return raise(ctx, tx, doubt{
			provider: provider, kind: kind, id: m.Transaction, player: m.Player, currency: m.Currency, amount: m.Amount,
			code: code, message: message + " was answered as done, and was refused", at: received,
		}, now)
	})
}

// noticePatience is how long a notice that was rung for is left to its job.
const noticePatience = 10 * time.Second

// When a notice was rung for is written and judged by the database's clock alone. Index: notices_open.
const ringNotices = `
	UPDATE notices SET rung = rung + 1, rung_at = now()
	 WHERE id IN (SELECT id FROM notices WHERE state = 'pending' AND rung_at < now() - $1::interval ORDER BY id LIMIT 1000 FOR UPDATE SKIP LOCKED)
	RETURNING id, rung`

// Sweep rings again for notices whose job was lost, and answers for how many.
func (n *Notices) Sweep(ctx context.Context) (int, error) {
	rows, err := n.db.Pool.Query(ctx, ringNotices, noticePatience)
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
