package settlement

import (
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgtype"

	"evens/coupon"
	"evens/money"
)

// held is a coupon as settling needs it.
type held struct {
	id         uuid.UUID
	provider   string // the bookmaker that has it
	code       string // its BarCode; "" where it was not asked for
	player     uuid.UUID
	status     coupon.Status
	terms      Terms
	payout     money.Amount
	settled    int // settlements so far
	decidedAt  time.Time
	resultID   int64
	hasDecided bool
	overruled  bool // a person had an older word than decidedAt hold

	placedAt     time.Time
	counted      money.Amount // of the stake, towards what the player has staked
	bonusStake   money.Amount // the part of the stake that the bonus pocket paid
	bonusID      uuid.NullUUID
	contribution money.Amount // what it counts towards that bonus, won or lost
	contributed  money.Amount // what it has counted so far

	paidUnit pgtype.Int8 // the minor unit that payout was rounded to; null: the one of an earlier release
}

// heldColumns are a coupon as settling needs it. One that has counted its stake in an earlier version says so by
// its first settlement: a stake that came back with it was taken out again.
const heldColumns = `c.id, c.provider, c.player_id, c.status, c.stake, c.sent_amount, c.nominal, c.coef, c.possible_win, c.currency,
	       coalesce(c.sent_currency, c.currency), c.payout, c.settlement_count, c.decided_at, c.result_id, c.overruled,
	       c.bonus_stake, c.bonus_id, c.contribution, c.contributed, c.placed_at,
	       CASE WHEN c.counted IS NOT NULL THEN c.counted
	            WHEN c.settlement_count > 0 AND (SELECT s.outcome FROM settlements s WHERE s.coupon_id = c.id AND s.n = 1) = 'refunded' THEN 0
	            ELSE c.stake END,
	       ` + paidUnit

func (c *held) targets(decided *pgtype.Timestamptz, holds *pgtype.Int8) []any {
	return []any{
		&c.id, &c.provider, &c.player, &c.status, &c.terms.Stake, &c.terms.Sent, &c.terms.Nominal, &c.terms.Coef, &c.terms.PossibleWin,
		&c.terms.Currency, &c.terms.SentCurrency, &c.payout, &c.settled, decided, holds, &c.overruled,
		&c.bonusStake, &c.bonusID, &c.contribution, &c.contributed, &c.placedAt, &c.counted, &c.paidUnit,
	}
}
