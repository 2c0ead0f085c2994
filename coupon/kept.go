package coupon

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"evens/coupon/bet"
	"evens/internal/postgres"
	"evens/money"
)

// maxKept is how much of an answer is kept; BeT's largest are a few KiB.
const maxKept = 64 << 10

// keptAnswer is an answer that could not be taken as it came. Where it names a bet code, BeT may
// have the coupon under it: it is asked, and the stake is never returned for want of a word.
type keptAnswer struct {
	code   string // "" without one
	status int    // HTTP's, 0 where it is not known
	reason string
	body   []byte
	size   int // of the whole body
}

func keep(code string, status int, reason string, body []byte) *keptAnswer {
	return &keptAnswer{
		code: legible(code), status: status, reason: legible(reason), body: body[:min(len(body), maxKept)], size: len(body),
	}
}

// keptOf is what to keep of an error of bet.Client.Place: nil where there is nothing.
func keptOf(err error) *keptAnswer {
	unknown, ok := errors.AsType[*bet.UnknownError](err)
	if !ok || unknown.BetCode == "" && len(unknown.Body) == 0 {
		return nil
	}
	return keep(unknown.BetCode, unknown.HTTPStatus, unknown.Reason, unknown.Body)
}

// accepted is the acceptance in a kept answer, on the terms that it tells; readable is false where
// it tells none.
func (k *keptAnswer) accepted() (answer bet.Answer, readable bool) {
	if k.size == len(k.body) {
		answer, readable = bet.ReadAnswer(k.body)
	}
	answer.BetCode = k.code
	return answer, readable
}

// keptRow is a kept answer to insert.
type keptRow struct {
	coupon uuid.UUID
	*keptAnswer
	at    time.Time
	askAt time.Time // zero: never
}

// An answer with a code takes the place of one without. Index: coupon_answers_pkey.
const insertKept = `
	INSERT INTO coupon_answers AS a (coupon_id, bet_code, http_status, reason, body, body_size, at, ask_at)
	VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
	    ON CONFLICT (coupon_id) DO UPDATE
	   SET bet_code = excluded.bet_code, http_status = excluded.http_status, reason = excluded.reason,
	       body = excluded.body, body_size = excluded.body_size, at = excluded.at, ask_at = excluded.ask_at
	 WHERE a.bet_code IS NULL AND excluded.bet_code IS NOT NULL`

func (r keptRow) queue(batch *pgx.Batch) {
	body := r.body
	if body == nil {
		body = []byte{}
	}
	batch.Queue(insertKept, postgres.UUID(r.coupon), orNull(r.code), r.status, r.reason, body, r.size, r.at, postgres.NullTime(r.askAt))
}

// Index: coupon_answers_pkey.
const (
	endAsking = `UPDATE coupon_answers SET ask_at = NULL WHERE coupon_id = ANY ($1) AND ask_at IS NOT NULL`
	readKept  = `SELECT bet_code, http_status, reason, body, body_size, asked, ask_at FROM coupon_answers WHERE coupon_id = $1 AND bet_code IS NOT NULL`
	writeTold = `UPDATE coupon_answers SET asked = asked + 1, told = $2, told_at = $3, ask_at = $4 WHERE coupon_id = $1`
	readCoded = `SELECT coupon_id FROM coupon_answers WHERE coupon_id = ANY ($1) AND bet_code IS NOT NULL`
)

// kept returns the kept answer that names a bet code, how often BeT was asked about it and when
// it shall be next; nil where there is none.
func (s *Store) kept(ctx context.Context, id uuid.UUID) (kept *keptAnswer, asked int, askAt time.Time, err error) {
	kept = &keptAnswer{}
	var at pgtype.Timestamptz
	err = s.db.Pool.QueryRow(ctx, readKept, id).Scan(&kept.code, &kept.status, &kept.reason, &kept.body, &kept.size, &asked, &at)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, 0, time.Time{}, nil
	}
	if err != nil {
		return nil, 0, time.Time{}, fmt.Errorf("read the answer kept for coupon %s: %w", id, err)
	}
	return kept, asked, postgres.Time(at), nil
}

// WaitingCode is an unconfirmed coupon of which BeT's answer named a bet code: its stake stays
// until BeT or a person says what became of it.
type WaitingCode struct {
	Coupon     uuid.UUID
	Player     uuid.UUID
	Currency   money.Currency
	Stake      money.Amount
	PlacedAt   time.Time
	BetCode    string
	HTTPStatus int // 0 where it is not known
	// Reason says why the answer could not be taken; Body is its beginning.
	Reason string
	Body   []byte
	// Asked is how often BeT was asked about the code, Told what it said last, at ToldAt.
	Asked  int
	Told   string
	ToldAt time.Time
}

// Index: coupons_open, coupon_answers_pkey.
const listWaitingCodes = `
	SELECT c.id, c.player_id, c.currency, c.stake, c.placed_at, a.bet_code, a.http_status, a.reason, a.body, a.asked,
	       coalesce(a.told, ''), a.told_at
	  FROM coupons c JOIN coupon_answers a ON a.coupon_id = c.id
	 WHERE c.open_since IS NOT NULL AND c.status = 'unconfirmed' AND a.bet_code IS NOT NULL
	 ORDER BY c.open_since
	 LIMIT $1`

// WaitingCodes lists the unconfirmed coupons of which BeT's answer named a bet code, oldest first.
func (s *Store) WaitingCodes(ctx context.Context, limit int) ([]WaitingCode, error) {
	rows, err := s.db.Pool.Query(ctx, listWaitingCodes, limit)
	if err != nil {
		return nil, fmt.Errorf("list coupons that wait with a bet code: %w", err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (WaitingCode, error) {
		var w WaitingCode
		var told pgtype.Timestamptz
		err := row.Scan(&w.Coupon, &w.Player, &w.Currency, &w.Stake, &w.PlacedAt, &w.BetCode, &w.HTTPStatus, &w.Reason, &w.Body,
			&w.Asked, &w.Told, &told)
		w.PlacedAt, w.ToldAt = w.PlacedAt.UTC(), postgres.Time(told)
		return w, err
	})
	if err != nil {
		return nil, fmt.Errorf("list coupons that wait with a bet code: %w", err)
	}
	return list, nil
}
