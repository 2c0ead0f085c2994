package reconcile

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"evens/internal/postgres"
	"evens/money"
	"evens/settlement"
)

// couponPair is a coupon on both sides. Theirs counts in the amount that BeT was told.
type couponPair struct {
	code string
	// theirs
	there  bool
	status Status
	amount money.Amount
	at     time.Time
	player string
	// ours
	id        uuid.NullUUID
	ours      Status
	our       string // our own word for the state
	stake     money.Amount
	sent      money.Amount
	nominal   bool
	payout    money.Amount
	possible  money.Amount
	currency  string
	external  string
	decidedAt time.Time
	placedAt  time.Time
	duplicate bool
	money     string // their currency
	words     string // "2/1": BeT's own Status and ExtStatus, where the list has them
}

// Index: coupons_bet_code. Where the list is the provider's own answer about our codes, or covers a
// window, our coupons of that window ($2, $3) that are not in it are missing there.
const matchCoupons = `
	WITH theirs AS (
	    SELECT transaction_id AS code, min(status) AS status, min(amount) AS amount, max(at) AS at, max(player) AS player, max(currency) AS currency, max(round_id) AS words,
	           min(status) <> max(status) OR min(amount) <> max(amount) OR count(*) > 1 AND min(page) = max(page) AS duplicate
	      FROM statement_lines WHERE statement_id = $1 GROUP BY transaction_id
	), ours AS (
	    SELECT c.* FROM coupons c WHERE c.id >= $2 AND c.id < $3 AND c.bet_code IS NOT NULL
	    UNION
	    SELECT c.* FROM coupons c JOIN theirs t ON t.code = c.bet_code
	)
	SELECT coalesce(t.code, c.bet_code), t.code IS NOT NULL, coalesce(t.status, ''), coalesce(t.amount, 0), t.at, coalesce(t.player, ''),
	       coalesce(t.currency, ''), coalesce(t.duplicate, false), coalesce(t.words, ''),
	       c.id, coalesce(c.status, ''), coalesce(c.stake, 0), coalesce(c.sent_amount, 0), coalesce(c.nominal, false), coalesce(c.payout, 0),
	       coalesce(c.possible_win, 0), coalesce(c.currency, ''), coalesce(p.external_id, ''), c.decided_at, c.placed_at
	  FROM theirs t
	  FULL JOIN ours c ON c.bet_code = t.code
	  LEFT JOIN players p ON p.id = c.player_id`

var ourStatus = map[string]Status{"accepted": Open, "won": Won, "lost": Lost, "refunded": Refunded}

func (r *Reconciler) matchCoupons(ctx context.Context, s *statement, each func(couponPair) error) (ours int64, err error) {
	first, last := idsBetween(s.from, s.to)
	err = postgres.InTx(ctx, r.db.Pool, func(ctx context.Context, tx pgx.Tx) error {
		for _, setting := range settings {
			if _, err := tx.Exec(ctx, setting); err != nil {
				return err
			}
		}
		rows, err := tx.Query(ctx, matchCoupons, s.id, first, last)
		if err != nil {
			return err
		}
		for rows.Next() {
			var p couponPair
			var at, decided, placed pgtype.Timestamptz
			err := rows.Scan(&p.code, &p.there, &p.status, &p.amount, &at, &p.player, &p.money, &p.duplicate, &p.words,
				&p.id, &p.our, &p.stake, &p.sent, &p.nominal, &p.payout, &p.possible, &p.currency, &p.external, &decided, &placed)
			if err == nil {
				p.at, p.decidedAt, p.placedAt, p.ours = at.Time.UTC(), decided.Time.UTC(), placed.Time.UTC(), ourStatus[p.our]
				if p.id.Valid {
					ours++
				}
				err = each(p)
			}
			if err != nil {
				rows.Close()
				return err
			}
		}
		return rows.Err()
	})
	if err != nil {
		return 0, fmt.Errorf("match coupons: %w", err)
	}
	return ours, nil
}

// theirPayout is what their amount means in the player's own stake: in nominal mode BeT knows a
// fixed sum only.
func (p couponPair) theirPayout() (money.Amount, error) {
	switch p.status {
	case Lost, Open:
		return 0, nil
	case Refunded:
		return p.stake, nil
	}
	if !p.nominal || p.sent == 0 {
		return p.amount, nil
	}
	return p.amount.MulDiv(int64(p.stake), int64(p.sent), money.Currency(p.currency).MinorUnit())
}

// near compares payouts: in nominal mode a cent of rounding is no difference.
func (p couponPair) near(payout money.Amount) bool {
	difference := payout - p.payout
	if !p.nominal {
		return difference == 0
	}
	unit := money.Currency(p.currency).MinorUnit()
	return difference <= unit && difference >= -unit
}

// classify says what is wrong with a coupon. A lost or open one may be listed with nothing, its
// stake, or what it could win.
func (p couponPair) classify() []Kind {
	switch {
	case !p.there && (p.ours == "" || p.our == "cancelled"):
		return nil
	case !p.there:
		return []Kind{MissingThere}
	case !p.id.Valid:
		return []Kind{MissingHere}
	}
	var kinds []Kind
	if p.duplicate {
		kinds = append(kinds, Duplicate)
	}
	if p.money != "" && p.money != p.currency && !p.nominal {
		kinds = append(kinds, CurrencyDiffers)
	}
	if p.player != "" && p.player != p.external {
		kinds = append(kinds, PlayerDiffers)
	}
	payout, err := p.theirPayout()
	switch {
	case p.status == Won && p.ours == Refunded && err == nil && p.near(payout): // a void in their words
	case p.status != p.ours:
		kinds = append(kinds, StatusDiffers)
	case err != nil, p.status == Won && !p.near(payout), p.status == Refunded && p.amount != 0 && p.amount != p.sent && p.amount != p.payout:
		kinds = append(kinds, AmountDiffers)
	case (p.status == Lost || p.status == Open) && p.amount != 0 && p.amount != p.sent && p.amount != p.stake && p.amount != p.possible && !p.nominal:
		kinds = append(kinds, AmountDiffers)
	}
	return kinds
}

func (r *Reconciler) newCouponBreak(ctx context.Context, provider string, kind Kind, p couponPair) (*Break, error) {
	b := &Break{
		Provider: provider, Kind: kind, TransactionID: p.code, Player: p.external, Currency: p.currency, Amount: p.payout, State: StateOpen,
		At: p.placedAt, Action: ActPerson, heal: &healing{coupon: &p},
	}
	if !p.id.Valid {
		b.Player, b.Currency, b.Amount, b.At = p.player, p.money, p.amount, p.at
	}
	var err error
	if p.id.Valid {
		b.Ours, err = json.Marshal(map[string]any{
			"coupon_id": p.id.UUID, "status": p.our, "stake": p.stake.String(), "payout": p.payout.String(), "player_id": p.external, "currency": p.currency,
		})
	}
	if err == nil && p.there {
		b.Theirs, err = json.Marshal(map[string]any{"status": p.status, "amount": p.amount.String(), "player_id": p.player, "currency": p.money, "at": p.at, "their_status": p.words})
	}
	if err != nil {
		return nil, err
	}
	return b, r.decideCoupon(ctx, b, &p)
}

// decideCoupon: a result that we never got settles the coupon; a newer one that pays more than ours
// too. What would pay less than it has, or more than the limit, or is older than our word, is a
// person's.
func (r *Reconciler) decideCoupon(ctx context.Context, b *Break, p *couponPair) error {
	switch b.Kind {
	case StatusDiffers, AmountDiffers:
		payout, err := p.theirPayout()
		decided := p.status == Won || p.status == Lost || p.status == Refunded
		newer := p.ours == Open || p.at.After(p.decidedAt)
		if err == nil && decided && newer && payout >= p.payout && p.ours != "" && !p.duplicate && r.inbox != nil && r.policy.allows(b.Provider, b.Kind, payout-p.payout) {
			b.Action = ActSettle
		}
	case MissingHere:
		id, found, err := r.likely(ctx, p)
		if err != nil {
			return err
		}
		if found && r.desk != nil && r.policy.allows(b.Provider, b.Kind, p.amount) {
			p.id = uuid.NullUUID{UUID: id, Valid: true}
			b.Action = ActAdopt
			b.heal.coupon = p
		}
	}
	return nil
}

// An unconfirmed coupon of that player, of those minutes. Index: coupons_open.
const readLikely = `
	SELECT c.id FROM coupons c JOIN players p ON p.id = c.player_id
	 WHERE c.open_since IS NOT NULL AND c.status = 'unconfirmed' AND c.bet_code IS NULL
	   AND c.placed_at BETWEEN $1::timestamptz - interval '2 minutes' AND $1::timestamptz + interval '2 minutes'
	   AND ($2 = '' OR p.external_id = $2) AND ($3 = '' OR c.currency = $3)
	   AND ($4 = 0 OR c.stake = $4 OR c.sent_amount = $4 OR c.possible_win = $4)
	 LIMIT 2`

// likely finds the one unconfirmed coupon that a BarCode can be: with two of them nobody knows.
func (r *Reconciler) likely(ctx context.Context, p *couponPair) (uuid.UUID, bool, error) {
	if p.player == "" && p.amount == 0 {
		return uuid.Nil, false, nil
	}
	rows, err := r.db.Pool.Query(ctx, readLikely, p.at, p.player, p.money, int64(p.amount))
	if err != nil {
		return uuid.Nil, false, fmt.Errorf("look for an unconfirmed coupon: %w", err)
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
	if err != nil || len(ids) != 1 {
		return uuid.Nil, false, err
	}
	return ids[0], true, nil
}

// heads are BeT's words for a status.
var heads = map[Status][2]int{Won: {2, 0}, Lost: {4, 0}, Refunded: {2, 1}}

// settle puts the result that we never got into the inbox, as BeT would have sent it.
func (r *Reconciler) settle(ctx context.Context, p *couponPair) error {
	words, known := heads[p.status]
	if !known || r.inbox == nil {
		return errUnhealable
	}
	amount := p.amount
	if p.status == Refunded {
		amount = p.sent
	}
	if _, err := fmt.Sscanf(p.words, "%d/%d", &words[0], &words[1]); err == nil {
		amount = p.amount
	}
	at := p.at.Truncate(time.Second) // DateRecive counts seconds
	if !at.After(p.decidedAt) {
		at = p.decidedAt.Truncate(time.Second).Add(time.Second)
	}
	body, err := json.Marshal(map[string]any{"reconciled": true, "Heads": []any{map[string]any{
		"KeyHead": map[string]string{"BarCode": p.code}, "Status": words[0], "ExtStatus": words[1],
		"AmountOut": amount.String(), "DateRecive": strconv.FormatInt(at.Unix(), 10),
	}}})
	if err != nil {
		return err
	}
	parsed, err := settlement.ParsePush(body)
	if err != nil {
		return fmt.Errorf("make a result of it: %w", err)
	}
	_, err = r.inbox.Store(ctx, settlement.Push{Heads: parsed, Body: body, Path: "reconciliation", At: r.now()})
	return err
}

func (r *Reconciler) adopt(ctx context.Context, p *couponPair) error {
	if r.desk == nil {
		return errUnhealable
	}
	adopted, err := r.desk.Adopt(ctx, p.id.UUID, p.code)
	if err == nil && !adopted {
		err = errors.New("the coupon is not unconfirmed any more")
	}
	return err
}
