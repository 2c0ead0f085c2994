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
	"evens/ledger"
	"evens/money"
	"evens/wallet"
)

// Cancellation is an operator's wish to cancel a coupon. Comment is mandatory.
type Cancellation struct {
	Coupon   uuid.UUID
	Operator string
	Comment  string
	DryRun   bool // look, and change nothing
	// Agree, when not nil, is asked before anything moves: see [wallet.Agree].
	Agree func(Effect) (wallet.RowSet, error)
}

// Effect is what a decision about a coupon does, or would do.
type Effect struct {
	Coupon   uuid.UUID
	Player   uuid.UUID
	Currency money.Currency
	From, To coupon.Status
	// PaidFrom and PaidTo are the coupon's payout; the others the player's pockets.
	PaidFrom, PaidTo   money.Amount
	CashFrom, CashTo   money.Amount
	BonusFrom, BonusTo money.Amount
}

// errLooked undoes what a dry run decided.
var errLooked = errors.New("nothing but a look")

const (
	lockCancelled = `SELECT ` + heldColumns + ` FROM coupons c WHERE c.id = $1 FOR UPDATE`

	// The word that held, if any, stays on record. Index: coupons_pkey.
	updateCancelled = `
	UPDATE coupons SET status = 'cancelled', payout = $2, settlement_count = settlement_count + 1, settled_at = $3, open_since = NULL,
	       contributed = $4, counted = $5, error_code = NULL, error_message = NULL
	 WHERE id = $1`

	insertCancelled = `
	INSERT INTO settlements (coupon_id, n, result_id, outcome, payout_before, payout_after, transaction_id, operator, comment, at)
	VALUES ($1, $2, NULL, 'cancelled', $3, $4, $5, $6, $7, $8)`

	logCancelled = `
	INSERT INTO activity_log (at, event, operator, player_id, coupon_id, comment, detail)
	VALUES ($1, 'coupon_cancelled', $2, $3, $4, $5, jsonb_build_object('status', $6::text, 'paid', $7::text))`
)

// Cancel ends a coupon for good: its stake goes back, and what it has paid is taken back, below zero where
// that was spent. It answers what moved, coupon.ErrNotFound, or a refusal where the coupon cannot be
// cancelled: while it is being placed, and once its stake has gone back.
func (s *Settler) Cancel(ctx context.Context, wish Cancellation) (Effect, error) {
	if !wish.DryRun && (wish.Comment == "" || wish.Operator == "") {
		return Effect{}, errors.New("a decision needs a comment and the operator's name")
	}
	var effect Effect
	var c *held
	err := s.books.Run(ctx, func(ctx context.Context, batch *wallet.Batch) (err error) {
		if c, err = lockHeld(ctx, batch, wish.Coupon); err != nil {
			return err
		}
		if effect, err = s.cancel(ctx, batch, c, wish); err == nil && wish.DryRun {
			err = errLooked
		}
		return err
	})
	if wish.DryRun && errors.Is(err, errLooked) {
		return effect, nil
	}
	if err != nil {
		return Effect{}, fmt.Errorf("cancel coupon %s: %w", wish.Coupon, err)
	}
	s.tell(Verdict{Outcome: Cancelled, Payout: effect.PaidTo}, c)
	return effect, nil
}

func lockHeld(ctx context.Context, batch *wallet.Batch, id uuid.UUID) (*held, error) {
	c := &held{}
	var decided pgtype.Timestamptz
	var holds pgtype.Int8
	err := batch.Tx().QueryRow(ctx, lockCancelled, id).Scan(c.targets(&decided, &holds)...)
	if postgres.NotFound(err) {
		return nil, coupon.ErrNotFound
	}
	c.decidedAt, c.hasDecided, c.resultID = decided.Time, decided.Valid, holds.Int64
	return c, err
}

func (s *Settler) cancel(ctx context.Context, batch *wallet.Batch, c *held, wish Cancellation) (Effect, error) {
	if !c.status.May(coupon.Cancelled) {
		return Effect{}, fmt.Errorf("it is %s", c.status)
	}
	now := s.now()
	if err := batch.Lock(ctx, now, []uuid.UUID{c.player}, nil); err != nil {
		return Effect{}, err
	}
	purse := batch.Purse(c.player)
	if purse == nil {
		return Effect{}, ledger.ErrNoPurse
	}
	effect := Effect{
		Coupon: c.id, Player: c.player, Currency: c.terms.Currency, From: c.status, To: coupon.Cancelled,
		PaidFrom: c.payout, PaidTo: c.terms.Stake, CashFrom: purse.Cash.Balance, BonusFrom: purse.Bonus.Balance,
	}
	verdict := Verdict{Outcome: Cancelled, Payout: c.terms.Stake}
	transaction, err := pay(batch, c, verdict, order{operator: wish.Operator, comment: wish.Comment, at: now})
	if err != nil {
		return Effect{}, err
	}
	effect.CashTo, effect.BonusTo = purse.Cash.Balance, purse.Bonus.Balance
	if err := agreedOn(batch, effect, wish); err != nil {
		return Effect{}, err
	}
	batch.Rows(c, func() wallet.RowSet { return &cancelledRow{c, verdict.Payout, transaction, wish, now} })
	return effect, nil
}

func agreedOn(batch *wallet.Batch, effect Effect, wish Cancellation) error {
	if wish.DryRun || wish.Agree == nil {
		return nil
	}
	rows, err := wish.Agree(effect)
	if err == nil {
		batch.AlsoWrite(rows)
	}
	return err
}

// cancelledRow is what a cancelled coupon writes beside the ledger.
type cancelledRow struct {
	*held
	payout      money.Amount
	transaction uuid.NullUUID
	wish        Cancellation
	at          time.Time
}

// Queue implements wallet.RowSet.
func (r *cancelledRow) Queue(batch *pgx.Batch) {
	w := r.wish
	postgres.QueueExactly(batch, 1, "coupons", updateCancelled, r.id, int64(r.payout), r.at, int64(r.contributed), int64(r.counted))
	batch.Queue(insertCancelled, r.id, r.settled+1, int64(r.held.payout), int64(r.payout), postgres.NullUUID(r.transaction), w.Operator, w.Comment, r.at)
	batch.Queue(logCancelled, r.at, w.Operator, r.player, r.id, w.Comment, string(r.status), r.held.payout.String())
}
