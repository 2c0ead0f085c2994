package reconcile

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"evens/internal/postgres"
	"evens/money"
)

// couponPair is a coupon on both sides. Theirs counts in the amount that BeT was told.
type couponPair struct {
	code string
	// theirs
	there  bool
	status Status
	amount money.Amount
	told   bool // whether they say an amount, and whether a time
	dated  bool
	at     time.Time
	player string
	// ours
	id        uuid.NullUUID
	ours      Status
	our       string // our own word for the state
	stake     money.Amount
	sent      money.Amount
	nominal   bool
	coef      money.Coef
	payout    money.Amount
	possible  money.Amount
	currency  string
	sentIn    string // the currency of what BeT was told
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
	           bool_and(dated) AS dated, bool_and(amount_told) AS told,
	           min(status) <> max(status) OR min(amount) <> max(amount) OR bool_and(amount_told) <> bool_or(amount_told) OR count(*) > 1 AND min(page) = max(page) AS duplicate
	      FROM statement_lines WHERE statement_id = $1 GROUP BY transaction_id
	), ours AS (
	    SELECT c.* FROM coupons c WHERE c.id >= $2 AND c.id < $3 AND c.bet_code IS NOT NULL
	    UNION
	    SELECT c.* FROM coupons c JOIN theirs t ON t.code = c.bet_code
	)
	SELECT coalesce(t.code, c.bet_code), t.code IS NOT NULL, coalesce(t.status, ''), coalesce(t.amount, 0), t.at, coalesce(t.player, ''),
	       coalesce(t.currency, ''), coalesce(t.duplicate, false), coalesce(t.words, ''),
	       coalesce(t.dated, false), coalesce(t.told, false), c.id, coalesce(c.status, ''), coalesce(c.stake, 0), coalesce(c.sent_amount, 0), coalesce(c.nominal, false), coalesce(c.coef, 0), coalesce(c.payout, 0),
	       coalesce(c.possible_win, 0), coalesce(c.currency, ''), coalesce(c.sent_currency, c.currency, ''), coalesce(p.external_id, ''), c.decided_at, c.placed_at
	  FROM theirs t
	  FULL JOIN ours c ON c.bet_code = t.code
	  LEFT JOIN players p ON p.id = c.player_id`

var ourStatus = map[string]Status{"accepted": Open, "won": Won, "lost": Lost, "refunded": Refunded}

func (r *Reconciler) matchCoupons(ctx context.Context, s *statement, each func(couponPair) error) (ours int64, err error) {
	first, last := idsBetween(s.from, s.to)
	err = postgres.InTx(ctx, r.db.Pool, func(ctx context.Context, tx pgx.Tx) error {
		if err := postgres.Unhurried(ctx, tx, whole); err != nil {
			return err
		}
		rows, err := tx.Query(ctx, matchCoupons, s.id, first, last)
		if err != nil {
			return err
		}
		for rows.Next() {
			var p couponPair
			var at, decided, placed pgtype.Timestamptz
			err := rows.Scan(&p.code, &p.there, &p.status, &p.amount, &at, &p.player, &p.money, &p.duplicate, &p.words,
				&p.dated, &p.told, &p.id, &p.our, &p.stake, &p.sent, &p.nominal, &p.coef, &p.payout, &p.possible, &p.currency, &p.sentIn, &p.external, &decided, &placed)
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
	if p.money != "" && p.money != p.sentIn && p.money != p.currency {
		kinds = append(kinds, CurrencyDiffers)
	}
	if p.player != "" && p.player != p.external {
		kinds = append(kinds, PlayerDiffers)
	}
	return append(kinds, p.differs()...)
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
		b.Theirs, err = json.Marshal(p.theirs())
	}
	if err != nil {
		return nil, err
	}
	return b, r.decideCoupon(ctx, b, &p)
}

// decideCoupon: a result that we never got settles the coupon; a newer one that pays more than ours
// too. What would pay less than it has, or more than the limit, is older than our word, or of a time that
// nobody knows, is a person's; so is what a push could not settle either.
func (r *Reconciler) decideCoupon(ctx context.Context, b *Break, p *couponPair) error {
	switch b.Kind {
	case StatusDiffers, AmountDiffers:
		verdict, decided, err := p.verdict()
		newer := p.ours == Open || p.dated && p.at.After(p.decidedAt)
		other := Status(verdict.Outcome) != p.ours || verdict.Payout != p.payout
		if err == nil && decided && newer && other && verdict.Payout >= p.payout && p.ours != "" && !p.duplicate && r.inbox != nil &&
			r.policy.allows(b.Provider, b.Kind, verdict.Payout-p.payout, money.Currency(b.Currency)) {
			b.Action = ActSettle
		}
	case MissingHere:
		id, found, err := r.singledOut(ctx, p)
		if err != nil || !found {
			return err
		}
		if b.Ours, err = likelyCoupon(id); err != nil {
			return err
		}
		if r.desk != nil && r.policy.allows(b.Provider, b.Kind, p.amount, money.Currency(b.Currency)) {
			p.id = uuid.NullUUID{UUID: id, Valid: true}
			b.Action = ActAdopt
			b.heal.coupon = p
		}
	}
	return nil
}
