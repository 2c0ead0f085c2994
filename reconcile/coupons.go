package reconcile

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"evens/money"
	"evens/settlement"
)

// coupons compares coupons, by the code that the bookmaker gave them.
type coupons struct{ run }

// Index: coupons_bookmaker_code. Where the list is the provider's own answer about our codes, or covers a
// window, our coupons with it ($4) of that window ($2, $3) that are not in it are missing there.
const matchCoupons = `
	WITH theirs AS (
	    SELECT transaction_id AS code, min(status) AS status, min(amount) AS amount, max(at) AS at, max(player) AS player, max(currency) AS currency, max(round_id) AS words,
	           bool_and(dated) AS dated, bool_and(amount_told) AS told,
	           min(status) <> max(status) OR min(amount) <> max(amount) OR bool_and(amount_told) <> bool_or(amount_told) OR count(*) > 1 AND min(page) = max(page) AS duplicate
	      FROM statement_lines WHERE statement_id = $1 GROUP BY transaction_id
	), ours AS (
	    SELECT c.* FROM coupons c WHERE c.id >= $2 AND c.id < $3 AND c.bet_code IS NOT NULL AND c.provider = $4
	    UNION
	    SELECT c.* FROM coupons c JOIN theirs t ON t.code = c.bet_code AND c.provider = $4
	)
	SELECT coalesce(t.code, c.bet_code), t.code IS NOT NULL, coalesce(t.status, ''), coalesce(t.amount, 0), t.at, coalesce(t.player, ''),
	       coalesce(t.currency, ''), coalesce(t.duplicate, false), coalesce(t.words, ''),
	       coalesce(t.dated, false), coalesce(t.told, false), c.id, coalesce(c.status, ''), coalesce(c.stake, 0), coalesce(c.sent_amount, 0), coalesce(c.nominal, false), coalesce(c.coef, 0), coalesce(c.payout, 0),
	       coalesce(c.possible_win, 0), coalesce(c.currency, ''), coalesce(c.sent_currency, c.currency, ''), coalesce(p.external_id, ''), c.decided_at, c.placed_at
	  FROM theirs t
	  FULL JOIN ours c ON c.bet_code = t.code
	  LEFT JOIN players p ON p.id = c.player_id`

// match implements comparison. An open coupon is of any time, and lines come in no order of theirs.
func (c *coupons) match(ctx context.Context, f *findings) error {
	s := c.statement
	s.ownCodes, f.last = !c.file, s.to
	first, last := idsBetween(s.from, s.to)
	err := c.atLength(ctx, func(ctx context.Context, tx pgx.Tx) error {
		rows, err := tx.Query(ctx, matchCoupons, s.id, first, last, c.provider)
		if err != nil {
			return err
		}
		return eachRow(rows, scanCouponPair, func(p *couponPair) error { return c.add(f, p) })
	})
	if err != nil {
		return fmt.Errorf("match coupons: %w", err)
	}
	return nil
}

func (c *coupons) add(f *findings, p *couponPair) error {
	kinds := p.classify()
	if p.id.Valid {
		f.ours++
	}
	switch {
	case p.id.Valid && !p.there && (len(kinds) == 0 || !c.statement.covers(p.placedAt) || c.statement.unread[p.code]):
		f.differ++ // cancelled, of another time, or in a line that cannot be read
	case len(kinds) > 0:
		return f.add(p, kinds)
	}
	return nil
}

func scanCouponPair(rows pgx.CollectableRow) (*couponPair, error) {
	p := &couponPair{}
	var at, decided, placed pgtype.Timestamptz
	err := rows.Scan(&p.code, &p.there, &p.status, &p.amount, &at, &p.player, &p.money, &p.duplicate, &p.words,
		&p.dated, &p.told, &p.id, &p.our, &p.stake, &p.sent, &p.nominal, &p.coef, &p.payout, &p.possible, &p.currency, &p.sentIn, &p.external, &decided, &placed)
	p.at, p.decidedAt, p.placedAt, p.ours = at.Time.UTC(), decided.Time.UTC(), placed.Time.UTC(), ourStatus[p.our]
	return p, err
}

// decide implements comparison: a result that we never got settles its coupon, and a BarCode may be that of an
// unconfirmed one.
func (c *coupons) decide(ctx context.Context, breaks []*Break) error {
	for _, b := range breaks {
		p := couponOf(b)
		b.waits = p.status == Pending
		switch b.Kind {
		case StatusDiffers, AmountDiffers:
			more, settles := p.gain()
			if settles && c.inbox != nil && c.policy.allows(b.Provider, b.Kind, more, money.Currency(b.Currency)) {
				b.Action, b.gain = ActSettle, more
			}
		case MissingHere:
			id, found, err := c.singledOut(ctx, p)
			if err != nil {
				return err
			}
			if !found {
				continue
			}
			if b.Ours, err = likelyCoupon(id); err != nil {
				return err
			}
			if c.desk != nil && c.policy.allows(b.Provider, b.Kind, p.amount, money.Currency(b.Currency)) {
				p.id, b.Action = uuid.NullUUID{UUID: id, Valid: true}, ActAdopt
			}
		}
	}
	return nil
}

// heal implements comparison. A result is settled by the inbox's worker.
func (c *coupons) heal(ctx context.Context, b *Break) (transaction uuid.UUID, ended bool, err error) {
	if b.Action == ActAdopt {
		return uuid.Nil, true, c.adopt(ctx, couponOf(b))
	}
	return uuid.Nil, false, c.settle(ctx, couponOf(b))
}

// settle puts the result that we never got into the inbox, as BeT would have sent it. One that they give no time
// for was decided no earlier than its coupon was placed: whatever BeT says with a time of its own holds against it.
func (c *coupons) settle(ctx context.Context, p *couponPair) error {
	word, _ := p.word()
	at := p.at
	if !p.dated {
		at = p.placedAt.Truncate(time.Second)
	}
	head := map[string]any{
		"KeyHead": map[string]string{"BarCode": p.code}, "Status": word.Status, "ExtStatus": word.ExtStatus,
		"DateRecive": strconv.FormatInt(at.UnixMilli(), 10),
	}
	if word.HasAmount {
		head["AmountOut"] = word.AmountOut.String()
	}
	body, err := json.Marshal(map[string]any{"reconciled": true, "Heads": []any{head}})
	if err != nil {
		return err
	}
	parsed, err := settlement.ParsePush(body)
	if err != nil {
		return fmt.Errorf("make a result of it: %w", err)
	}
	if parsed[0].Fault != "" {
		return fmt.Errorf("make a result of it: %s", parsed[0].Fault)
	}
	_, err = c.inbox.Store(ctx, settlement.Push{Heads: parsed, Body: body, Path: "reconciliation", At: c.now()})
	return err
}
