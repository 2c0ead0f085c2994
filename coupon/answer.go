package coupon

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"evens/coupon/bet"
	"evens/internal/postgres"
	"evens/ledger"
	"evens/wallet"
)

// outcome is what became of a placement.
type outcome struct {
	status  Status // Accepted, Rejected or Unconfirmed
	answer  bet.Answer
	code    string
	message string
	kept    *keptAnswer // where the answer could not be taken
}

// outcomeOf reads the bookmaker's reply: only what is provably not placed is rejected, only what
// has a code is accepted.
func outcomeOf(answer bet.Answer, err error) outcome {
	answer.BetCode = legible(answer.BetCode)
	if err == nil && answer.BetCode != "" {
		return outcome{status: Accepted, answer: answer}
	}
	if rejection, ok := errors.AsType[*bet.Rejection](err); ok {
		return outcome{status: Rejected, code: rejection.Code, message: legible(rejection.Message)}
	}
	said := outcome{status: Unconfirmed, code: CodeUnconfirmed, message: messageLost, kept: keptOf(err)}
	if said.kept != nil && said.kept.code != "" {
		said.message = messageOdd
	}
	return said
}

const (
	messageLost = "the bookmaker's answer was lost"
	messageOdd  = "the bookmaker's answer names a coupon and cannot be taken as it is"
)

// legible makes a bookmaker's text one that the database takes: no coupon is lost for its words.
func legible(text string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\x00", "")
}

// answered is the Data of a work that records an outcome.
type answered struct {
	id     uuid.UUID
	first  bool   // the placement's own answer
	code   string // bet code, "" where there is none
	coupon *Coupon
	taken  bool // another coupon has this bet code
	coded  bool // an answer that named a bet code is kept
}

// answerLocker locks the coupons that a batch's works are about.
type answerLocker struct{}

// Index: coupons_pkey, coupons_bookmaker_code.
const (
	lockCoupons    = `SELECT ` + couponColumns + ` FROM coupons WHERE id = ANY ($1) ORDER BY id FOR UPDATE`
	readTakenCodes = `SELECT bet_code, id FROM coupons WHERE bet_code = ANY ($1) AND provider = '` + Provider + `'`
)

// QueueLocks implements wallet.Locker.
func (*answerLocker) QueueLocks(statements *pgx.Batch, works []*wallet.Work) {
	byID := make(map[uuid.UUID][]*answered, len(works))
	byCode := make(map[string][]*answered, len(works))
	for _, work := range works {
		a := work.Data.(*answered)
		a.coupon, a.taken, a.coded = nil, false, false
		byID[a.id] = append(byID[a.id], a)
		if a.code != "" {
			a.taken = byCode[a.code] != nil // two of one batch: the first has it
			byCode[a.code] = append(byCode[a.code], a)
		}
	}
	statements.Queue(lockCoupons, postgres.UUIDs(keysOf(byID))).Query(func(rows pgx.Rows) error {
		coupons, err := scanCoupons(rows)
		for i := range coupons {
			for _, a := range byID[coupons[i].ID] {
				a.coupon = &coupons[i]
			}
		}
		return err
	})
	if later := laterWorks(works); len(later) > 0 {
		statements.Queue(readCoded, later).Query(func(rows pgx.Rows) error {
			var id uuid.UUID
			_, err := pgx.ForEachRow(rows, []any{&id}, func() error {
				for _, a := range byID[id] {
					a.coded = true
				}
				return nil
			})
			return err
		})
	}
	statements.Queue(readTakenCodes, keysOf(byCode)).Query(func(rows pgx.Rows) error {
		var code string
		var id uuid.UUID
		_, err := pgx.ForEachRow(rows, []any{&code, &id}, func() error {
			for _, a := range byCode[code] {
				a.taken = a.taken || a.id != id
			}
			return nil
		})
		return err
	})
}

// known reports whether the coupon is there, and this desk's.
func (a *answered) known() error {
	switch {
	case a.coupon == nil:
		return ErrNotFound
	case a.coupon.Provider != Provider:
		return ErrOtherBookmaker
	default:
		return nil
	}
}

// laterWorks are the coupons of works that do not bring the placement's own answer.
func laterWorks(works []*wallet.Work) []pgtype.UUID {
	var ids []pgtype.UUID
	for _, work := range works {
		if a := work.Data.(*answered); !a.first {
			ids = append(ids, postgres.UUID(a.id))
		}
	}
	return ids
}

func keysOf[K comparable, V any](m map[K]V) []K {
	keys := make([]K, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	return keys
}

// answer moves a coupon on to what was learnt about it, and returns its stake where it was
// rejected. first says that this answers the placement call itself. A coupon that went on
// meanwhile comes back as it is.
func (d *Desk) answer(ctx context.Context, id, player uuid.UUID, said outcome, first bool) (Coupon, error) {
	data := &answered{id: id, first: first, code: said.answer.BetCode}
	work := &wallet.Work{Locker: d.answers, Data: data, At: d.cfg.Now()}
	if said.status == Rejected {
		work.Players = []uuid.UUID{player}
	}
	var result Coupon
	var changed bool
	work.Decide = func(batch *wallet.Batch) error {
		changed = false
		if err := data.known(); err != nil {
			return err
		}
		result = *data.coupon
		before := result.Status
		rows := batch.Rows(answerRowsKey{}, openAnswerRows).(*answerRows)
		if !before.May(said.status) {
			rows.keepLate(&result, said, first, d.cfg.Now())
			return nil
		}
		if said.status == Rejected && (data.coded || rows.names(id)) {
			return nil // BeT may have it: only a person gives it up
		}
		kept := result.settle(said, data.taken)
		if first {
			result.answeredStatus = result.Status
		}
		if result.Status == Rejected {
			if err := returnStake(batch, result, d.cfg); err != nil {
				return err
			}
		}
		rows.keep(&result, kept, d.cfg.Now())
		if before == Unconfirmed && result.Status != Unconfirmed {
			rows.ended = append(rows.ended, postgres.UUID(result.ID))
		}
		*data.coupon = result
		rows.add(&result)
		changed = true
		return nil
	}
	if err := d.poster.Do(ctx, work); err != nil {
		return Coupon{}, err
	}
	d.announce(ctx, result, said, changed)
	return result, nil
}

func returnStake(batch *wallet.Batch, c Coupon, cfg Config) error {
	_, _, err := batch.Post(ledger.Transaction{
		Key: returnKey(c.ID), Kind: ledger.StakeReturn, Player: c.Player, Provider: c.Provider,
		Coupon: uuid.NullUUID{UUID: c.ID, Valid: true}, Payload: ledger.HashOf(c.Stake.String()),
		Comment: c.ErrorCode, At: cfg.Now(),
		BonusID: c.bonusID, Staked: -c.Stake, Effective: c.PlacedAt,
	}, wallet.Split{Cash: c.bonusStake - c.Stake, Bonus: -c.bonusStake}.Moves(ledger.StakesHeld)...)
	return err
}

func (d *Desk) announce(ctx context.Context, c Coupon, said outcome, changed bool) {
	if !changed {
		code := said.answer.BetCode
		if said.kept != nil {
			code = said.kept.code
		}
		if code != "" && c.Status != Unconfirmed && c.BetCode != code {
			d.cfg.Log.ErrorContext(ctx, "the bookmaker has a coupon that was given up here",
				"coupon_id", c.ID, "player_id", c.Player, "status", c.Status, "bet_code", code)
		}
		return
	}
	if said.status == Accepted && c.Status != Accepted {
		d.cfg.Log.ErrorContext(ctx, "the bookmaker's acceptance cannot be recorded as it is", "coupon_id", c.ID,
			"player_id", c.Player, "error_code", c.ErrorCode, "error", c.ErrorMessage, "bet_code", said.answer.BetCode)
	}
	if c.Status == Accepted && d.cfg.Accepted != nil {
		d.cfg.Accepted(c.Provider, c.BetCode)
	}
	if d.cfg.Changed != nil {
		d.cfg.Changed(c.ID, c.Player)
	}
}

// settle changes the coupon to what was said of it, or to unconfirmed where BeT has it on terms that
// nobody can count with. It returns the answer to keep, nil where there is none.
func (c *Coupon) settle(said outcome, taken bool) *keptAnswer {
	answer := said.answer
	if said.status == Accepted && taken {
		const reason = "another coupon has its bet code"
		*c = c.unconfirmed(CodeDuplicate, "the bookmaker answered with another coupon's code "+answer.BetCode)
		return keep(answer.BetCode, 0, reason, answer.Raw)
	}
	before := *c
	before.Selections = slices.Clone(c.Selections)
	if err := c.take(said); err != nil {
		*c = before.unconfirmed(CodeUnconfirmed, fmt.Sprintf("the bookmaker took it as %s: %v", answer.BetCode, err))
		return keep(answer.BetCode, 0, err.Error(), answer.Raw)
	}
	return said.kept
}

func (c Coupon) unconfirmed(code, message string) Coupon {
	c.Status, c.ErrorCode, c.ErrorMessage = Unconfirmed, code, message
	return c
}

// take changes the coupon to what was said of it.
func (c *Coupon) take(said outcome) error {
	c.Status, c.ErrorCode, c.ErrorMessage = said.status, said.code, said.message
	if said.status != Accepted {
		return nil
	}
	answer := said.answer
	c.BetCode, c.differences = answer.BetCode, c.compare(answer)
	coef, err := takeTerms(answer, c.Selections)
	if err != nil {
		return err
	}
	c.Coef = coef
	if c.PossibleWin, err = coef.Times(c.Stake, c.Currency); err != nil {
		return fmt.Errorf("possible win: %w", err)
	}
	if !c.nominal && answer.PossibleWin > 0 {
		c.PossibleWin = answer.PossibleWin
	}
	return nil
}
