package coupon

import (
	"context"
	"errors"
	"fmt"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"evens/coupon/bet"
	"evens/ledger"
	"evens/money"
	"evens/wallet"
)

// Adoption is an operator's word that BeT has a coupon, under that code. Comment is mandatory.
type Adoption struct {
	Coupon   uuid.UUID
	BetCode  string
	Operator string
	Comment  string
	DryRun   bool // look, and change nothing
	// Agree, when not nil, is asked before anything moves: see [wallet.Agree].
	Agree func(Adopted) (wallet.RowSet, error)
}

// Adopted is what an adoption does, or would do.
type Adopted struct {
	Coupon   Coupon // as it is then
	From     Status
	Retaken  money.Amount // the stake that had gone back
	CashFrom money.Amount
	CashTo   money.Amount // below zero where the stake has been spent meanwhile

	BonusFrom, BonusTo money.Amount
}

// ErrTaken says that another coupon has the bet code.
var ErrTaken = errors.New("another coupon has that bet code")

// StateError says that a coupon's state does not let an operator do that.
type StateError struct {
	Status Status
	Code   string
}

func (e *StateError) Error() string {
	if e.Code == "" {
		return "the coupon is " + string(e.Status)
	}
	return fmt.Sprintf("the coupon is %s (%s)", e.Status, e.Code)
}

// adoptable reports whether BeT may turn out to have a coupon: nobody knew, or it was given up because nobody
// did. One that BeT refused is no such coupon.
func (c *Coupon) adoptable() bool {
	return c.Status == Unconfirmed || c.givenUp()
}

func (c *Coupon) givenUp() bool {
	return c.Status == Rejected && (c.ErrorCode == CodeExpired || c.ErrorCode == CodeUnconfirmed)
}

const longestBetCode = 64

func checkBetCode(code string) error {
	if code == "" || len(code) > longestBetCode || !utf8.ValidString(code) {
		return fmt.Errorf("a bet code has 1 to %d bytes of text", longestBetCode)
	}
	for _, r := range code {
		if unicode.IsSpace(r) || !unicode.IsPrint(r) {
			return errors.New("a bet code has neither blanks nor invisible characters")
		}
	}
	return nil
}

// errLooked undoes what a dry run decided.
var errLooked = errors.New("nothing but a look")

// AdoptByHand ties an unconfirmed coupon to its bet code, on the terms that were asked for: it is accepted from
// then on. A coupon that was given up is adopted too: BeT has it, so its stake is taken again, from the pockets
// that it went back to, below zero where it has been spent. It answers what moved, ErrNotFound, ErrTaken, or a
// *StateError.
func (d *Desk) AdoptByHand(ctx context.Context, wish Adoption) (Adopted, error) {
	if err := checkBetCode(wish.BetCode); err != nil {
		return Adopted{}, err
	}
	if !wish.DryRun && (wish.Comment == "" || wish.Operator == "") {
		return Adopted{}, errors.New("a decision needs a comment and the operator's name")
	}
	known, err := d.store.Get(ctx, wish.Coupon)
	if err != nil {
		return Adopted{}, err
	}
	data := &answered{id: wish.Coupon, code: wish.BetCode}
	work := &wallet.Work{Players: []uuid.UUID{known.Player}, Locker: d.answers, Data: data, At: d.cfg.Now()}
	var done Adopted
	work.Decide = func(batch *wallet.Batch) (err error) {
		if err := data.known(); err != nil {
			return err
		}
		if data.taken {
			return ErrTaken
		}
		done, err = d.adoptByHand(batch, data.coupon, wish, work.At)
		return err
	}
	err = d.poster.Do(ctx, work)
	if wish.DryRun && errors.Is(err, errLooked) {
		return done, nil
	}
	if err != nil {
		return Adopted{}, fmt.Errorf("adopt coupon %s: %w", wish.Coupon, err)
	}
	d.announce(ctx, done.Coupon, outcome{status: Accepted, answer: bet.Answer{BetCode: wish.BetCode}}, true)
	return done, nil
}

func (d *Desk) adoptByHand(batch *wallet.Batch, c *Coupon, wish Adoption, at time.Time) (Adopted, error) {
	if !c.adoptable() {
		return Adopted{}, &StateError{Status: c.Status, Code: c.ErrorCode}
	}
	purse := batch.Purse(c.Player)
	if purse == nil {
		return Adopted{}, ledger.ErrNoPurse
	}
	done := Adopted{Coupon: *c, From: c.Status, CashFrom: purse.Cash.Balance, BonusFrom: purse.Bonus.Balance}
	if c.givenUp() {
		if err := retakeStake(batch, *c, wish, at); err != nil {
			return Adopted{}, err
		}
		done.Retaken = c.Stake
	}
	if err := done.Coupon.take(outcome{status: Accepted, answer: bet.Answer{BetCode: wish.BetCode}}); err != nil {
		return Adopted{}, err
	}
	done.CashTo, done.BonusTo = purse.Cash.Balance, purse.Bonus.Balance
	if wish.DryRun {
		return done, errLooked
	}
	if wish.Agree != nil {
		rows, err := wish.Agree(done)
		if err != nil {
			return Adopted{}, err
		}
		batch.AlsoWrite(rows)
	}
	*c = done.Coupon
	batch.Rows(answerRowsKey{}, openAnswerRows).(*answerRows).add(&done.Coupon)
	batch.Rows(adoptionKey(wish.Coupon), func() wallet.RowSet {
		return &adoptionRow{wish: wish, player: c.Player, from: done.From, at: at}
	})
	return done, nil
}

// A stake is taken again once: what was adopted is not given up any more.
func retakeKey(id uuid.UUID) ledger.Key {
	return ledger.Key{Source: KeySource, ExternalID: id.String() + ":stake:2"}
}

// retakeStake takes the stake of a coupon that was given up. It is a correction, like that of a settlement.
func retakeStake(batch *wallet.Batch, c Coupon, wish Adoption, at time.Time) error {
	_, _, err := batch.Post(ledger.Transaction{
		Key: retakeKey(c.ID), Kind: ledger.Resettlement, Player: c.Player, Provider: c.Provider,
		Coupon: uuid.NullUUID{UUID: c.ID, Valid: true}, Payload: ledger.HashOf(c.Stake.String()),
		Operator: wish.Operator, Comment: wish.Comment, At: at,
		BonusID: c.bonusID, Staked: c.Stake, Effective: c.PlacedAt,
	}, wallet.Split{Cash: c.Stake - c.bonusStake, Bonus: c.bonusStake}.Moves(ledger.StakesHeld)...)
	return err
}

const logAdopted = `
	INSERT INTO activity_log (at, event, operator, player_id, coupon_id, comment, detail)
	VALUES ($1, 'coupon_adopted', $2, $3, $4, $5, jsonb_build_object('status', $6::text, 'bet_code', $7::text))`

// adoptionKey is that of an adoption's row in a batch.
type adoptionKey uuid.UUID

// adoptionRow writes an adoption into the activity log.
type adoptionRow struct {
	wish   Adoption
	player uuid.UUID
	from   Status
	at     time.Time
}

// Queue implements wallet.RowSet.
func (r *adoptionRow) Queue(batch *pgx.Batch) {
	batch.Queue(logAdopted, r.at, r.wish.Operator, r.player, r.wish.Coupon, r.wish.Comment, string(r.from), r.wish.BetCode)
}
