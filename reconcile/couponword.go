package reconcile

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"evens/money"
	"evens/settlement"
)

// words are BeT's for a status.
var words = map[Status]settlement.Word{Won: {Status: 2}, Lost: {Status: 4}, Refunded: {Status: 2, ExtStatus: 1}}

// word is what their side says as a push would say it; false while it says nothing of an end.
func (p couponPair) word() (settlement.Word, bool) {
	word, decided := words[p.status]
	if !decided {
		return word, false
	}
	word.AmountOut, word.HasAmount = p.amount, p.told
	if n, err := fmt.Sscanf(p.words, "%d/%d", &word.Status, &word.ExtStatus); err == nil && n == 2 {
		return word, true
	}
	if p.status == Refunded && (p.amount == 0 || p.amount == p.sent || p.amount == p.stake) {
		word.AmountOut, word.HasAmount = 0, false // the stake comes back
	}
	return word, true
}

func (p couponPair) terms() settlement.Terms {
	return settlement.Terms{
		Stake: p.stake, Sent: p.sent, Nominal: p.nominal, Coef: p.coef, PossibleWin: p.possible,
		Currency: money.Currency(p.currency), SentCurrency: money.Currency(p.sentIn),
	}
}

// verdict is what settling would make of their word. An error says that it would be parked.
func (p couponPair) verdict() (verdict settlement.Verdict, decided bool, err error) {
	word, decided := p.word()
	if !decided {
		return verdict, false, nil
	}
	if p.words == "" && p.status == Refunded && word.HasAmount {
		return verdict, true, &settlement.ParkedError{Reason: fmt.Sprintf("%s is not the stake that came back", p.amount)}
	}
	verdict, err = settlement.Target(p.terms(), word)
	return verdict, true, err
}

// differs compares what they say with what we hold.
//
//	their word                       | and ours                      | is
//	open, or proves nothing          | in another state              | status differs
//	would be parked                  | in the same state             | amount differs
//	would be parked                  | in another                    | status differs
//	pays what ours has               | won or refunded, either       | no difference: a void in their words
//	pays anything else               | in the same state             | amount differs
//	any other state                  |                               | status differs
//
// A lost or open one may be listed with nothing, its stake, or what it could win.
func (p couponPair) differs() []Kind {
	verdict, decided, err := p.verdict()
	says := Status(verdict.Outcome)
	if !decided || err != nil {
		says = p.status
	}
	returned := func(s Status) bool { return s == Won || s == Refunded }
	switch {
	case err != nil && p.paysByLegs():
		return nil
	case decided && err == nil && verdict.Payout == p.payout && returned(says) && returned(p.ours):
		return nil
	case says != p.ours:
		return []Kind{StatusDiffers}
	case err != nil, decided && verdict.Payout != p.payout:
		return []Kind{AmountDiffers}
	case !returned(says) && p.told && !p.nominal && !p.mayBeListed():
		return []Kind{AmountDiffers}
	}
	return nil
}

// paysByLegs reports whether a "won" of a file, which does not say whether a leg was voided, is what we have
// paid if one was.
func (p couponPair) paysByLegs() bool {
	if p.words != "" || p.status != Won || !p.nominal || !p.told || p.ours != Won && p.ours != Refunded {
		return false
	}
	verdict, err := settlement.Target(p.terms(), settlement.Word{Status: 2, ExtStatus: 1, AmountOut: p.amount, HasAmount: true})
	return err == nil && verdict.Payout == p.payout
}

// mayBeListed reports whether an amount is one that a coupon without a payout is listed with.
func (p couponPair) mayBeListed() bool {
	unit := money.Currency(p.sentIn).MinorUnit()
	for _, amount := range []money.Amount{0, p.sent, p.stake, p.possible} {
		rounded, err := amount.Round(unit)
		listed, wrong := p.amount.Round(unit)
		if p.amount == amount || err == nil && wrong == nil && rounded == listed {
			return true
		}
	}
	return false
}

// theirs is their side of a break.
func (p couponPair) theirs() map[string]any {
	side := map[string]any{"status": p.status, "player_id": p.player, "currency": p.money, "their_status": p.words}
	if p.told {
		side["amount"] = p.amount.String()
	}
	if p.dated {
		side["at"] = p.at
	}
	return side
}

// settle puts the result that we never got into the inbox, as BeT would have sent it. One that they give no time
// for was decided no earlier than its coupon was placed: whatever BeT says with a time of its own holds against it.
func (r *Reconciler) settle(ctx context.Context, p *couponPair) error {
	word, decided := p.word()
	if !decided || r.inbox == nil {
		return errUnhealable
	}
	at := p.at
	if !p.dated {
		at = p.placedAt.Truncate(time.Second)
	}
	head := map[string]any{
		"KeyHead": map[string]string{"BarCode": p.code}, "Status": word.Status, "ExtStatus": word.ExtStatus,
		"DateRecive": strconv.FormatInt(at.UnixMilli(), 10),
	}
	if word.HasAmount {
		head["AmountOut"] = word.AmountOut.String()
	}
	body, err := json.Marshal(map[string]any{"reconciled": true, "Heads": []any{head}})
	if err != nil {
		return err
	}
	parsed, err := settlement.ParsePush(body)
	if err != nil {
		return fmt.Errorf("make a result of it: %w", err)
	}
	if parsed[0].Fault != "" {
		return fmt.Errorf("make a result of it: %s", parsed[0].Fault)
	}
	_, err = r.inbox.Store(ctx, settlement.Push{Heads: parsed, Body: body, Path: "reconciliation", At: r.now()})
	return err
}
