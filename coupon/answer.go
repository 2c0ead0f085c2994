package coupon

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"evens/coupon/bet"
	"evens/internal/postgres"
	"evens/ledger"
	"evens/money"
	"evens/wallet"
)

// outcome is what became of a placement.
type outcome struct {
	status  Status // Accepted, Rejected or Unconfirmed
	answer  bet.Answer
	code    string
	message string
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
	return outcome{status: Unconfirmed, code: CodeUnconfirmed, message: messageLost}
}

const messageLost = "the bookmaker's answer was lost"

// legible makes a bookmaker's text one that the database takes: no coupon is lost for its words.
func legible(text string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\x00", "")
}

// answered is the Data of a work that records an outcome.
type answered struct {
	id     uuid.UUID
	code   string // bet code, "" where there is none
	coupon *Coupon
	taken  bool // another coupon has this bet code
}

// answerLocker locks the coupons that a batch's works are about.
type answerLocker struct{}

// Index: coupons_pkey, coupons_bet_code.
const (
	lockCoupons    = `SELECT ` + couponColumns + ` FROM coupons WHERE id = ANY ($1) ORDER BY id FOR UPDATE`
	readTakenCodes = `SELECT bet_code, id FROM coupons WHERE bet_code = ANY ($1)`
)

// QueueLocks implements wallet.Locker.
func (*answerLocker) QueueLocks(statements *pgx.Batch, works []*wallet.Work) {
	byID := make(map[uuid.UUID][]*answered, len(works))
	byCode := make(map[string][]*answered, len(works))
	for _, work := range works {
		a := work.Data.(*answered)
		a.coupon, a.taken = nil, false
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
	data := &answered{id: id, code: said.answer.BetCode}
	work := &wallet.Work{Locker: d.answers, Data: data, At: d.cfg.Now()}
	if said.status == Rejected {
		work.Players = []uuid.UUID{player}
	}
	var result Coupon
	var changed bool
	work.Decide = func(batch *wallet.Batch) error {
		changed = false
		if data.coupon == nil {
			return ErrNotFound
		}
		result = *data.coupon
		if !result.Status.May(said.status) {
			return nil
		}
		said := said
		if said.status == Accepted && data.taken {
			said = outcome{status: Unconfirmed, code: CodeDuplicate, message: "the bookmaker answered with another coupon's code " + data.code}
		}
		if err := result.take(said); err != nil {
			// BeT has it, on terms nobody can count with: a person must see to it.
			result = *data.coupon
			result.Status, result.ErrorCode = Unconfirmed, CodeUnconfirmed
			result.ErrorMessage = fmt.Sprintf("the bookmaker took it as %s: %v", data.code, err)
		}
		if first {
			result.answeredStatus = result.Status
		}
		if result.Status == Rejected {
			if err := returnStake(batch, result, d.cfg); err != nil {
				return err
			}
		}
		*data.coupon = result
		batch.Rows(answerRowsKey{}, openAnswerRows).(*answerRows).add(&result)
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
		Key: returnKey(c.ID), Kind: ledger.StakeReturn, Player: c.Player, Provider: Provider,
		Coupon: uuid.NullUUID{UUID: c.ID, Valid: true}, Payload: ledger.HashOf(c.Stake.String()),
		Comment: c.ErrorCode, At: cfg.Now(),
		BonusID: c.bonusID, Staked: -c.Stake, Effective: c.PlacedAt,
	}, wallet.Split{Cash: c.bonusStake - c.Stake, Bonus: -c.bonusStake}.Moves(ledger.StakesHeld)...)
	return err
}

func (d *Desk) announce(ctx context.Context, c Coupon, said outcome, changed bool) {
	if !changed {
		if said.status == Accepted && c.BetCode != said.answer.BetCode {
			d.cfg.Log.ErrorContext(ctx, "the bookmaker has a coupon that was given up here",
				"coupon_id", c.ID, "player_id", c.Player, "status", c.Status, "bet_code", said.answer.BetCode)
		}
		return
	}
	if said.status == Accepted && c.Status != Accepted {
		d.cfg.Log.ErrorContext(ctx, "the bookmaker's acceptance cannot be recorded as it is", "coupon_id", c.ID,
			"player_id", c.Player, "error_code", c.ErrorCode, "error", c.ErrorMessage, "bet_code", said.answer.BetCode)
	}
	if c.Status == Accepted && d.cfg.Accepted != nil {
		d.cfg.Accepted(c.BetCode)
	}
	if d.cfg.Changed != nil {
		d.cfg.Changed(c.ID, c.Player)
	}
}

// take changes the coupon to what was said of it.
func (c *Coupon) take(said outcome) error {
	c.Status, c.ErrorCode, c.ErrorMessage = said.status, said.code, said.message
	if said.status != Accepted {
		return nil
	}
	answer := said.answer
	c.BetCode, c.differences = answer.BetCode, c.compare(answer)
	for i := range c.Selections {
		c.Selections[i].take(answer.Selections, i)
	}
	coef, err := acceptedCoef(answer, c.Selections)
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

// acceptedCoef is the coupon's coefficient as BeT gives it, else its selections' product.
func acceptedCoef(answer bet.Answer, selections []Selection) (money.Coef, error) {
	if answer.Coef > 0 {
		return answer.Coef, nil
	}
	product := money.One
	for _, selection := range selections {
		var err error
		if product, err = product.Mul(selection.Coef); err != nil {
			return 0, fmt.Errorf("product of the coefficients: %w", err)
		}
	}
	return product, nil
}

// take fills in what BeT tells about a selection. BeT lists them by its own line id, which is
// the pointer's match where it can be recognised; else the position tells.
func (s *Selection) take(told []bet.AcceptedSelection, position int) {
	at := slices.IndexFunc(told, func(t bet.AcceptedSelection) bool { return t.LineID == s.MatchID })
	if at < 0 {
		at = position
	}
	if at >= len(told) {
		return
	}
	t := told[at]
	s.Teams, s.Tournament, s.BetName, s.EventDate = legible(t.Teams), legible(t.Tournament), legible(t.BetName), t.EventDate
	if t.Coef > 0 {
		s.Coef = t.Coef
	}
}
