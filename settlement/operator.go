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
	Provider   string // the bookmaker that sent it
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
	// Raw is the text of a Head that cannot be read: which coupon it is about is a person's to find.
	Raw []byte
	// Likely are coupons without a BarCode that this may be the result of; see [Settler.Waiting].
	Likely []Likely
	// Target is what applying would make the coupon have paid; Decidable is false where the
	// result gives none and the operator must say it.
	Target    Verdict
	Decidable bool
}

// CashAfter is the player's cash if the result were applied: below zero where it was spent.
func (w Waiting) CashAfter() money.Amount { return w.Cash + w.Target.Payout - w.Payout }

// Indexes: results_attention, coupons_bookmaker_code, accounts_player.
const listWaiting = `
	SELECT r.id, r.bar_code, r.status, r.ext_status, r.amount_out, r.decided_at, r.received_at, r.state,
	       r.attention, coalesce(r.reason, ''), c.id, c.player_id, coalesce(c.currency, ''), coalesce(c.stake, 0),
	       coalesce(c.sent_amount, 0), coalesce(c.nominal, false), coalesce(c.coef, 0), coalesce(c.possible_win, 0),
	       coalesce(c.payout, 0), coalesce(a.balance, 0), coalesce(c.sent_currency, c.currency, ''), r.raw, r.provider
	  FROM results r
	  LEFT JOIN coupons c ON c.bet_code = r.bar_code AND c.provider = r.provider
	  LEFT JOIN accounts a ON a.player_id = c.player_id AND a.kind = 'cash'
	 WHERE r.attention IS NOT NULL
	 ORDER BY r.id
	 LIMIT $1`

// ErrNotWaiting says that a result does not wait for a person (any more).
var ErrNotWaiting = errors.New("no such result waits for a decision")

// Waiting lists the results that wait for a person or for their coupon, oldest first. Those whose BarCode no
// coupon has name the coupons they fit: placed before, without a BarCode, and able to win just that.
func (s *Settler) Waiting(ctx context.Context, limit int) ([]Waiting, error) {
	rows, err := s.db.Pool.Query(ctx, listWaiting, limit)
	if err != nil {
		return nil, fmt.Errorf("list waiting results: %w", err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (Waiting, error) {
		var w Waiting
		var amount pgtype.Int8
		var terms Terms
		err := row.Scan(&w.ID, &w.BarCode, &w.Word.Status, &w.Word.ExtStatus, &amount, &w.DecidedAt, &w.ReceivedAt,
			&w.State, &w.Attention, &w.Reason, &w.Coupon, &w.Player, &terms.Currency, &terms.Stake,
			&terms.Sent, &terms.Nominal, &terms.Coef, &terms.PossibleWin, &w.Payout, &w.Cash, &terms.SentCurrency, &w.Raw, &w.Provider)
		if err != nil {
			return w, err
		}
		w.Word.AmountOut, w.Word.HasAmount = money.Amount(amount.Int64), amount.Valid
		w.Currency, w.Stake = terms.Currency, terms.Stake
		if w.Coupon.Valid && w.Raw == nil {
			verdict, err := Target(terms, w.Word)
			w.Target, w.Decidable = verdict, err == nil
		}
		return w, nil
	})
	if err == nil {
		err = s.nameLikely(ctx, list)
	}
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
	// Coupon is whose result it is, where the result itself could not be read.
	Coupon uuid.NullUUID
	// Force lets a result hold against a later word of BeT's.
	Force bool
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

// NewerWordError says that BeT has said something later than the result that is to be applied.
type NewerWordError struct {
	Result    int64 // the later word
	DecidedAt time.Time
	State     State
}

func (e *NewerWordError) Error() string {
	return fmt.Sprintf("result %d is a later word of BeT's, decided %s (%s): refuse this one, or force it", e.Result,
		e.DecidedAt.UTC().Format(time.RFC3339), e.State)
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

// A parked result, and its coupon: the one that has its BarCode or, where it could not be read, the one that the
// operator names. Indexes: results_pkey, coupons_bookmaker_code, coupons_pkey.
const readParked = `
	SELECT coalesce(r.attention, '') = '` + attentionUnreadable + `', c.id, coalesce(c.bet_code, '')
	  FROM results r
	  LEFT JOIN coupons c ON c.provider = r.provider
	                     AND c.id = (SELECT k.id FROM coupons k WHERE k.bet_code = r.bar_code AND k.provider = r.provider
	                                 UNION ALL SELECT $2::uuid WHERE r.attention = '` + attentionUnreadable + `')
	 WHERE r.id = $1 AND r.state = 'parked'`

// A Head that could not be read counts as decided when it arrived, for its own date is unknown; and so does one
// that is dated in the future, or it would block every correction until then.
const lockWaiting = `
	SELECT r.id, CASE WHEN r.attention IN ('` + attentionUnreadable + `', '` + attentionFuture + `') THEN r.received_at ELSE r.decided_at END, r.received_at,
	       r.status, r.ext_status, r.amount_out, ` + heldColumns + `
	  FROM results r, coupons c
	 WHERE r.id = $1 AND r.state = 'parked' AND c.id = $2
	   FOR UPDATE OF c, r`

// The latest word that BeT has said after a result: the one that holds, or one that waits to be settled or for
// a person who is asked about too much at once. Index: results_once.
const readNewer = `
	SELECT id, decided_at, state FROM results
	 WHERE bar_code = $1 AND provider = $4 AND id <> $2 AND (decided_at, id) > ($3, $2)
	   AND (state IN ('applied', 'duplicate', 'pending') OR attention = '` + attentionGuard + `')
	 ORDER BY decided_at DESC, id DESC LIMIT 1`

// Decide applies a parked result on an operator's word, guarded or not. It answers the coupon's
// verdict, ErrNotWaiting, or a *NewerWordError.
func (s *Settler) Decide(ctx context.Context, decision Decision) (Verdict, error) {
	if err := decision.check(); err != nil {
		return Verdict{}, err
	}
	var verdict Verdict
	var c *held
	err := s.books.Run(ctx, func(ctx context.Context, batch *wallet.Batch) (err error) {
		verdict, c, err = s.decide(ctx, batch, decision)
		return err
	})
	if postgres.Violates(err, "results_once") {
		return Verdict{}, fmt.Errorf("result %d: another Head of the same push was applied to this coupon already", decision.Result)
	}
	if err != nil {
		return Verdict{}, err
	}
	s.tell(verdict, c)
	return verdict, nil
}

// tell tells the observer about a coupon that a person decided about.
func (s *Settler) tell(verdict Verdict, c *held) {
	if s.observe.Settled != nil {
		s.observe.Settled(string(verdict.Outcome), 1)
	}
	if s.observe.Changed != nil {
		s.observe.Changed(c.id, c.player)
	}
}

func (s *Settler) decide(ctx context.Context, batch *wallet.Batch, decision Decision) (Verdict, *held, error) {
	r, err := lockDecided(ctx, batch, decision)
	if err != nil {
		return Verdict{}, nil, err
	}
	c := r.coupon
	if !c.status.May(coupon.Won) {
		return Verdict{}, nil, fmt.Errorf("the coupon is %s: no result can change it", c.status)
	}
	if err := checkNewer(ctx, batch, r, decision); err != nil {
		return Verdict{}, nil, err
	}
	verdict, err := decided(c, r, decision.Payout)
	if err != nil {
		return Verdict{}, nil, err
	}
	if err := batch.Lock(ctx, s.now(), []uuid.UUID{c.player}, nil); err != nil {
		return Verdict{}, nil, err
	}
	return verdict, c, s.applyDecision(batch, r, verdict, decision)
}

func lockDecided(ctx context.Context, batch *wallet.Batch, decision Decision) (*result, error) {
	var unreadable bool
	var id uuid.NullUUID
	var code string
	err := batch.Tx().QueryRow(ctx, readParked, decision.Result, decision.Coupon).Scan(&unreadable, &id, &code)
	switch {
	case postgres.NotFound(err):
		return nil, ErrNotWaiting
	case err != nil:
		return nil, fmt.Errorf("read result %d: %w", decision.Result, err)
	case unreadable && !decision.Coupon.Valid:
		return nil, ErrUnreadable
	case !id.Valid:
		return nil, coupon.ErrNotFound
	case decision.Coupon.Valid && decision.Coupon.UUID != id.UUID:
		return nil, fmt.Errorf("the result is coupon %s's", id.UUID)
	case code == "":
		return nil, errors.New("the coupon has no BarCode yet: adopt it first")
	}
	rows, err := batch.Tx().Query(ctx, lockWaiting, decision.Result, id)
	if err != nil {
		return nil, fmt.Errorf("lock result %d: %w", decision.Result, err)
	}
	results, err := scanResults(rows)
	if err != nil {
		return nil, fmt.Errorf("lock result %d: %w", decision.Result, err)
	}
	if len(results) == 0 {
		return nil, ErrNotWaiting
	}
	r := results[0]
	r.unreadable, r.coupon.code = unreadable, code
	return r, nil
}

// ErrUnreadable says that a result could not be read: the operator must tell its coupon and the payout.
var ErrUnreadable = errors.New("the Head could not be read: name its coupon and the payout")

func checkNewer(ctx context.Context, batch *wallet.Batch, r *result, decision Decision) error {
	if decision.Force {
		return nil
	}
	var newer NewerWordError
	err := batch.Tx().QueryRow(ctx, readNewer, r.coupon.code, r.id, r.decidedAt, r.coupon.provider).Scan(&newer.Result, &newer.DecidedAt, &newer.State)
	switch {
	case err == nil:
		return &newer
	case !postgres.NotFound(err):
		return fmt.Errorf("look for a later word: %w", err)
	case !r.overtakes(r.coupon):
		return &NewerWordError{Result: r.coupon.resultID, DecidedAt: r.coupon.decidedAt, State: Applied}
	default:
		return nil
	}
}

// decided is the verdict of an operator: the result's own target, or the payout they give.
func decided(c *held, r *result, payout *money.Amount) (Verdict, error) {
	if payout == nil && r.unreadable {
		return Verdict{}, ErrUnreadable
	}
	if payout == nil {
		verdict, err := Target(c.terms, r.word)
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

// A Head that could not be read becomes its coupon's.
const endDecided = `
	UPDATE results
	   SET state = 'applied', attention = NULL, reason = 'applied by an operator', bar_code = $2,
	       decided_at = CASE WHEN raw IS NULL THEN decided_at ELSE received_at END
	 WHERE id = $1`

const logDecision = `
	INSERT INTO activity_log (at, event, operator, player_id, coupon_id, comment, detail)
	VALUES ($1, $2, $3, $4, $5, $6, jsonb_build_object('result', $7::bigint, 'payout', $8::text))`

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
	overruled := c.hasDecided && !r.overtakes(c)
	if overruled {
		r.decidedAt = c.decidedAt // what is older than the word that held does not overtake now either
	}
	rows.settled = []settledRow{{
		settling: &settling{result: r, verdict: verdict}, transaction: transaction, overruled: overruled,
		operator: decision.Operator, comment: decision.Comment,
	}}
	rows.statements = append(rows.statements, func(b *pgx.Batch) {
		b.Queue(endDecided, r.id, c.code)
		b.Queue(logDecision, now, "result_applied", decision.Operator, c.player, c.id, decision.Comment, r.id, verdict.Payout.String())
	})
	return nil
}

const refuseWaiting = `
	WITH ended AS (
	    UPDATE results SET state = 'refused', attention = NULL, reason = 'refused by an operator'
	     WHERE id = $1 AND attention IS NOT NULL AND state IN ('parked', 'pending')
	    RETURNING id, bar_code, provider
	)
	INSERT INTO activity_log (at, event, operator, player_id, coupon_id, comment, detail)
	SELECT $2, 'result_refused', $3, c.player_id, c.id, $4, jsonb_build_object('result', e.id)
	  FROM ended e LEFT JOIN coupons c ON c.bet_code = e.bar_code AND c.provider = e.provider`

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
