package reconcile

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"

	"evens/money"
	"evens/settlement"
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

// couponOf is the coupon of a break.
func couponOf(b *Break) *couponPair { return b.of.(*couponPair) }

var ourStatus = map[string]Status{"accepted": Open, "won": Won, "lost": Lost, "refunded": Refunded}

// classify implements record. A lost or open one may be listed with nothing, its
// stake, or what it could win.
func (p *couponPair) classify() []Kind {
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

// describe implements record.
func (p *couponPair) describe(b *Break) (err error) {
	b.TransactionID, b.Player, b.Currency, b.Amount, b.At = p.code, p.external, p.currency, p.payout, p.placedAt
	if p.there {
		b.Theirs, err = json.Marshal(p.theirs())
	}
	switch {
	case !p.id.Valid:
		b.Player, b.Currency, b.Amount, b.At = p.player, p.money, p.amount, p.at
	case err == nil:
		b.Ours, err = json.Marshal(map[string]any{
			"coupon_id": p.id.UUID, "status": p.our, "stake": p.stake.String(), "payout": p.payout.String(), "player_id": p.external,
			"currency": p.currency,
		})
	}
	return err
}

// theirs is their side of a break.
func (p *couponPair) theirs() map[string]any {
	side := map[string]any{"status": p.status, "player_id": p.player, "currency": p.money, "their_status": p.words}
	if p.told {
		side["amount"] = p.amount.String()
	}
	if p.dated {
		side["at"] = p.at
	}
	return side
}

// words are BeT's for a status.
var words = map[Status]settlement.Word{Won: {Status: 2}, Lost: {Status: 4}, Refunded: {Status: 2, ExtStatus: 1}}

// word is what their side says as a push would say it; false while it says nothing of an end.
func (p *couponPair) word() (settlement.Word, bool) {
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

func (p *couponPair) terms() settlement.Terms {
	return settlement.Terms{
		Stake: p.stake, Sent: p.sent, Nominal: p.nominal, Coef: p.coef, PossibleWin: p.possible,
		Currency: money.Currency(p.currency), SentCurrency: money.Currency(p.sentIn),
	}
}

// verdict is what settling would make of their word. An error says that it would be parked.
func (p *couponPair) verdict() (verdict settlement.Verdict, decided bool, err error) {
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
func (p *couponPair) differs() []Kind {
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
func (p *couponPair) paysByLegs() bool {
	if p.words != "" || p.status != Won || !p.nominal || !p.told || p.ours != Won && p.ours != Refunded {
		return false
	}
	verdict, err := settlement.Target(p.terms(), settlement.Word{Status: 2, ExtStatus: 1, AmountOut: p.amount, HasAmount: true})
	return err == nil && verdict.Payout == p.payout
}

// mayBeListed reports whether an amount is one that a coupon without a payout is listed with.
func (p *couponPair) mayBeListed() bool {
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

// gain is how much more their word pays than the coupon has, where it settles it: one of ours that is open, or
// has an older word. What would pay less than it has, is older than our word, or of a time that nobody knows, is a
// person's; so is what a push could not settle either.
func (p *couponPair) gain() (more money.Amount, settles bool) {
	verdict, decided, err := p.verdict()
	newer := p.ours == Open || p.dated && p.at.After(p.decidedAt)
	other := Status(verdict.Outcome) != p.ours || verdict.Payout != p.payout
	return verdict.Payout - p.payout, err == nil && decided && newer && other && verdict.Payout >= p.payout && p.ours != "" && !p.duplicate
}
