package coupon

import (
	"context"
	"fmt"
	"slices"
	"time"

	"evens/coupon/bet"
	"evens/internal/postgres"
)

// Reader tells how coupons stand, by their bet codes. *bet.Client is one.
type Reader interface {
	Read(ctx context.Context, betCodes []string) ([]bet.Head, error)
}

// How long to wait before BeT is asked about a code again: a minute, doubling up to an hour.
const (
	firstAsk   = time.Minute
	longestAsk = time.Hour
)

func askAgain(asked int) time.Duration { return min(firstAsk<<min(asked, 10), longestAsk) }

// ask asks BeT about the code in an answer that could not be taken. Where BeT has the coupon, on
// terms that are known, it is accepted; else it waits for a person.
func (d *Desk) ask(ctx context.Context, open Coupon, kept *keptAnswer, asked int, askAt time.Time) error {
	if d.cfg.Reader == nil || askAt.IsZero() || d.cfg.Now().Before(askAt) {
		return nil
	}
	heads, err := d.cfg.Reader.Read(ctx, []string{kept.code})
	answer, told := hear(open, kept, heads)
	if err != nil {
		told = "could not be asked: " + err.Error()
	}
	if answer.BetCode != "" {
		now, err := d.answer(ctx, open.ID, open.Player, outcome{status: Accepted, answer: answer}, false)
		if err != nil {
			return err
		}
		if now.Status != Unconfirmed {
			return nil
		}
		told = now.ErrorMessage
	}
	next := d.cfg.Now().Add(askAgain(asked))
	if _, err := d.store.db.Pool.Exec(ctx, writeTold, open.ID, legible(told), d.cfg.Now(), postgres.NullTime(next)); err != nil {
		return fmt.Errorf("write down what the bookmaker says of coupon %s: %w", open.ID, err)
	}
	return nil
}

// BeT's statuses in its list: open, won, lost. Others are in no document.
var standing = []int{1, 2, 4}

// hear is what BeT's list says about a kept code: the answer to accept, empty where there is none
// to accept, and in words for a person.
//
//	the list                                         | the coupon
//	does not have the code, or with a strange status | waits
//	states a win that is not the terms'              | waits
//	has it; the kept answer tells its terms          | accepted on those
//	has it and states the win of the terms asked for | accepted on those
//	has it, terms unknown                            | waits
func hear(open Coupon, kept *keptAnswer, heads []bet.Head) (bet.Answer, string) {
	at := slices.IndexFunc(heads, func(h bet.Head) bool { return h.BarCode == kept.code })
	if at < 0 {
		return bet.Answer{}, "BeT's list does not have it"
	}
	head := heads[at]
	if !slices.Contains(standing, head.Status) {
		return bet.Answer{}, fmt.Sprintf("BeT's list has it with status %d", head.Status)
	}
	answer, known := kept.accepted()
	// A coupon that must not change its coefficient stands at the one that was asked for.
	known = known || open.RateMode == string(bet.RateReject)
	selections := slices.Clone(open.Selections)
	coef, err := takeTerms(answer, selections)
	if err != nil || !known {
		coef, known = open.Coef, false
		answer.Coef, answer.Unread, answer.PossibleWin = coef, nil, 0
	}
	stated := head.HasAmount && head.AmountOut > 0 && head.ExtStatus == 0
	agrees := stated && AgreesWithWin(head.AmountOut, open.sent, coef, open.Currency)
	switch {
	case stated && !agrees:
		return bet.Answer{}, fmt.Sprintf("BeT's list has it with a win of %s, which is not %s × %s", head.AmountOut, open.sent, coef)
	case !known && !agrees:
		return bet.Answer{}, "BeT's list has it, at a coefficient that is not known"
	}
	return answer, ""
}
