package settlement

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"evens/coupon"
	"evens/internal/postgres"
	"evens/money"
	"evens/wallet"
)

// Waiting is a result that waits for a person, with what applying it would do.
type Waiting struct {
	ID         int64
	BarCode    string
	Word       Word
	DecidedAt  time.Time
	ReceivedAt time.Time
	State      State
	Attention  string
	Reason     string
	Coupon     uuid.NullUUID // invalid: no coupon has this BarCode
	Player     uuid.NullUUID
	Currency   money.Currency
	Stake      money.Amount
	Payout     money.Amount // paid so far
	Cash       money.Amount // the player's, now
	// Target is what applying would make the coupon have paid; Decidable is false where the
	// result gives none and the operator must say it.
	Target    Verdict
	Decidable bool
}

// CashAfter is the player's cash if the result were applied: below zero where it was spent.
func (w Waiting) CashAfter() money.Amount { return w.Cash + w.Target.Payout - w.Payout }

// Indexes: results_attention, coupons_bet_code, accounts_player.
const listWaiting = `
	SELECT r.id, r.bar_code, r.status, r.ext_status, r.amount_out, r.decided_at, r.received_at, r.state,
	       r.attention, coalesce(r.reason, ''), c.id, c.player_id, coalesce(c.currency, ''), coalesce(c.stake, 0),
	       coalesce(c.sent_amount, 0), coalesce(c.nominal, false), coalesce(c.coef, 0), coalesce(c.possible_win, 0),
	       coalesce(c.payout, 0), coalesce(a.balance, 0)
	  FROM results r
	  LEFT JOIN coupons c ON c.bet_code = r.bar_code
	  LEFT JOIN accounts a ON a.player_id = c.player_id AND a.kind = 'cash'
	 WHERE r.attention IS NOT NULL AND ($1 = 0 OR r.id = $1)
	 ORDER BY r.id
	 LIMIT $2`

// ErrNotWaiting says that a result does not wait for a person (any more).
var ErrNotWaiting = errors.New("no such result waits for a decision")

// Waiting lists the results that wait for a person or for their coupon, oldest first.
func (s *Settler) Waiting(ctx context.Context, limit int) ([]Waiting, error) {
	return s.waiting(ctx, 0, limit)
}

func (s *Settler) waiting(ctx context.Context, id int64, limit int) ([]Waiting, error) {
	rows, err := s.db.Pool.Query(ctx, listWaiting, id, limit)
	if err != nil {
		return nil, fmt.Errorf("list waiting results: %w", err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (Waiting, error) {
		var w Waiting
		var amount pgtype.Int8
		var terms Terms
		err := row.Scan(&w.ID, &w.BarCode, &w.Word.Status, &w.Word.ExtStatus, &amount, &w.DecidedAt, &w.ReceivedAt,
			&w.State, &w.Attention, &w.Reason, &w.Coupon, &w.Player, &terms.Currency, &terms.Stake,
			&terms.Sent, &terms.Nominal, &terms.Coef, &terms.PossibleWin, &w.Payout, &w.Cash)
		if err != nil {
			return w, err
		}
		w.Word.AmountOut, w.Word.HasAmount = money.Amount(amount.Int64), amount.Valid
		w.Currency, w.Stake = terms.Currency, terms.Stake
		if w.Coupon.Valid {
			verdict, err := Target(terms, w.Word)
			w.Target, w.Decidable = verdict, err == nil
		}
		return w, nil
	})
	if err != nil {
		return nil, fmt.Errorf("list waiting results: %w", err)
	}
	return list, nil
}

// Decision is an operator's word on a waiting result. Comment is mandatory.
type Decision struct {
	Result   int64
	Operator string
	Comment  string
	// Payout overrules the target rule; nil: the result's own target.
	Payout *money.Amount
	// Agree, when not nil, is asked before anything moves, in the transaction that moves it. Its error ends the
	// decision.
	Agree func(tx postgres.Querier, change Change) error
}

// Change is what a decision would make of what a coupon has paid.
type Change struct {
	Coupon   uuid.UUID
	Currency money.Currency
	From, To money.Amount
}

func (d Decision) check() error {
	if d.Comment == "" {
		return errors.New("a decision needs a comment")
	}
	if d.Operator == "" {
		return errors.New("a decision needs the operator's name")
	}
	if d.Payout != nil && *d.Payout < 0 {
		return errors.New("a payout is not negative")
	}
	return nil
}

const lockWaiting = `
	SELECT r.id, r.decided_at, r.received_at, r.status, r.ext_status, r.amount_out,
	       c.id, c.player_id, c.status, c.stake, c.sent_amount, c.nominal, c.coef, c.possible_win, c.currency,
	       c.payout, c.settlement_count, c.decided_at, c.result_id, c.bonus_stake, c.bonus_id, c.contribution, c.contributed, c.placed_at
	  FROM results r JOIN coupons c ON c.bet_code = r.bar_code
	 WHERE r.id = $1 AND r.state = 'parked'
	   FOR UPDATE OF c, r`

// Decide applies a parked result on an operator's word, guarded or not. It answers the coupon's
// verdict, or ErrNotWaiting.
func (s *Settler) Decide(ctx context.Context, decision Decision) (Verdict, error) {
	if err := decision.check(); err != nil {
		return Verdict{}, err
	}
	var verdict Verdict
	var c *held
	err := s.books.Run(ctx, func(ctx context.Context, batch *wallet.Batch) error {
		rows, err := batch.Tx().Query(ctx, lockWaiting, decision.Result)
		if err != nil {
			return fmt.Errorf("lock result %d: %w", decision.Result, err)
		}
		results, err := scanResults(rows)
		if err != nil {
			return fmt.Errorf("lock result %d: %w", decision.Result, err)
		}
		if len(results) == 0 {
			return ErrNotWaiting
		}
		r := results[0]
		c = r.coupon
		if !c.status.May(coupon.Won) {
			return fmt.Errorf("the coupon is %s: no result can change it", c.status)
		}
		if verdict, err = decided(c, r.word, decision.Payout); err != nil {
			return err
		}
		if err := batch.Lock(ctx, s.now(), []uuid.UUID{c.player}, nil); err != nil {
			return err
		}
		return s.applyDecision(batch, r, verdict, decision)
	})
	if err != nil {
		return Verdict{}, err
	}
	if s.observe.Settled != nil {
		s.observe.Settled(string(verdict.Outcome), 1)
	}
	if s.observe.Changed != nil {
		s.observe.Changed(c.id, c.player)
	}
	return verdict, nil
}

// decided is the verdict of an operator: the result's own target, or the payout they give.
func decided(c *held, word Word, payout *money.Amount) (Verdict, error) {
	if payout == nil {
		verdict, err := Target(c.terms, word)
		if err != nil {
			return Verdict{}, fmt.Errorf("the result gives no payout (%w): say it with --payout", err)
		}
		return verdict, nil
	}
	switch *payout {
	case 0:
		return Verdict{Outcome: Lost}, nil
	case c.terms.Stake:
		return Verdict{Outcome: Refunded, Payout: *payout}, nil
	default:
		return Verdict{Outcome: Won, Payout: *payout}, nil
	}
}

const endDecided = `UPDATE results SET state = $2, attention = NULL, reason = $3 WHERE id = $1`

const logDecision = `
	INSERT INTO activity_log (at, event, operator, player_id, coupon_id, comment, detail)
	VALUES ($1, $2, $3, $4, $5, $6, jsonb_build_object('result', $7::bigint))`

func (s *Settler) applyDecision(batch *wallet.Batch, r *result, verdict Verdict, decision Decision) error {
	now := s.now()
	c := r.coupon
	if decision.Agree != nil {
		if err := decision.Agree(batch.Tx(), Change{Coupon: c.id, Currency: c.terms.Currency, From: c.payout, To: verdict.Payout}); err != nil {
			return err
		}
	}
	rows := batch.Rows(r, func() wallet.RowSet { return &writtenRows{now: now} }).(*writtenRows)
	transaction, err := pay(batch, c, verdict, order{result: r.id, operator: decision.Operator, comment: decision.Comment, at: now})
	if err != nil {
		return err
	}
	if c.hasDecided && c.decidedAt.After(r.decidedAt) {
		r.decidedAt = c.decidedAt // a decision by hand never lets an older push overtake again
	}
	rows.settled = []settledRow{{
		settling: &settling{result: r, verdict: verdict}, transaction: transaction,
		operator: decision.Operator, comment: decision.Comment,
	}}
	rows.statements = append(rows.statements, func(b *pgx.Batch) {
		b.Queue(endDecided, r.id, string(Applied), "applied by an operator")
		b.Queue(logDecision, now, "result_applied", decision.Operator, c.player, c.id, decision.Comment, r.id)
	})
	return nil
}

const refuseWaiting = `
	WITH ended AS (
	    UPDATE results SET state = 'refused', attention = NULL, reason = 'refused by an operator'
	     WHERE id = $1 AND attention IS NOT NULL AND state IN ('parked', 'pending')
	    RETURNING id, bar_code
	)
	INSERT INTO activity_log (at, event, operator, player_id, coupon_id, comment, detail)
	SELECT $2, 'result_refused', $3, c.player_id, c.id, $4, jsonb_build_object('result', e.id)
	  FROM ended e LEFT JOIN coupons c ON c.bet_code = e.bar_code`

// Refuse ends a waiting result without applying it, or answers ErrNotWaiting. It stays in the
// inbox with the operator's comment in the activity log.
func (s *Settler) Refuse(ctx context.Context, decision Decision) error {
	if err := decision.check(); err != nil {
		return err
	}
	tag, err := s.db.Pool.Exec(ctx, refuseWaiting, decision.Result, s.now(), decision.Operator, decision.Comment)
	if err != nil {
		return fmt.Errorf("refuse result %d: %w", decision.Result, err)
	}
	if tag.RowsAffected() == 0 {
		return ErrNotWaiting
	}
	return nil
}
