package settlement

import (
	"cmp"
	"fmt"

	"evens/coupon"
	"evens/money"
)

// Outcome is what a result makes of a coupon.
type Outcome string

// The outcomes.
const (
	Won      Outcome = "won"
	Lost     Outcome = "lost"
	Refunded Outcome = "refunded"
	// Cancelled is a person's word: the stake went back.
	Cancelled Outcome = "cancelled"
)

// BeT's statuses (seed 003): a coupon won or lost as a whole; ExtStatus 1 says that one or
// several games count with the coefficient 1.
const (
	statusWon  = 2
	statusLost = 4
)

// Terms are what a coupon was accepted on.
type Terms struct {
	Stake       money.Amount
	Sent        money.Amount // realAmount as BeT was told it: AmountOut counts in it
	Nominal     bool         // Sent is a fixed sum, not the stake
	Coef        money.Coef
	PossibleWin money.Amount
	Currency    money.Currency
	// SentCurrency is that of Sent; empty: Currency. A nominal may have one of its own.
	SentCurrency money.Currency

	// former is the unit to which an earlier release rounded every payout, a refund too; 0: the
	// currency's minor unit, and a refund is the stake.
	former money.Amount
}

// unit is what payouts are rounded to.
func (t Terms) unit() money.Amount {
	if t.former > 0 {
		return t.former
	}
	return t.Currency.MinorUnit()
}

// sentUnit is the minor unit of what BeT counts in.
func (t Terms) sentUnit() money.Amount {
	if t.SentCurrency == "" || t.SentCurrency == t.Currency {
		return t.unit()
	}
	return t.SentCurrency.MinorUnit()
}

// Word is one result as BeT sent it.
type Word struct {
	Status    int
	ExtStatus int
	AmountOut money.Amount
	HasAmount bool
}

// Verdict is what a coupon shall have paid.
type Verdict struct {
	Outcome Outcome
	Payout  money.Amount
}

// ParkedError says why a result makes no sense by itself: an operator decides, nothing moves.
type ParkedError struct{ Reason string }

func (e *ParkedError) Error() string { return e.Reason }

func parked(format string, args ...any) error {
	return &ParkedError{Reason: fmt.Sprintf(format, args...)}
}

// Target is the target rule:
//
//	Status ExtStatus  payout                                             outcome
//	4      0, 1       0; AmountOut is only what could have been won      lost
//	2      0          AmountOut; nominal: stake × accepted coefficient   won
//	2      1          AmountOut; nominal: stake × AmountOut ÷ nominal;   refunded where it
//	                  the stake where there is no AmountOut              is the stake, else won
//
// Payouts are rounded half up to the currency's minor unit, what the coupon could win likewise; a
// refund is the stake as it was taken. Anything else, and whatever would pay more than the coupon
// could win, is a *ParkedError. Under a nominal a win has a second lock, for AmountOut takes no part
// in it and the coefficient alone decides:
//
//	2/0 under a nominal                                     payout
//	no AmountOut                                            stake × accepted coefficient
//	AmountOut is about nominal × accepted coefficient       stake × accepted coefficient
//	AmountOut is far from it: BeT counts with another       parked
//
// About is what coupon.AgreesWithWin lets pass: BeT's rounding of the coefficient and of the win.
func Target(terms Terms, word Word) (Verdict, error) {
	switch {
	case word.ExtStatus != 0 && word.ExtStatus != 1:
		return Verdict{}, parked("unknown ExtStatus %d", word.ExtStatus)
	case word.Status == statusLost:
		return Verdict{Outcome: Lost}, nil
	case word.Status != statusWon:
		return Verdict{}, parked("unknown Status %d", word.Status)
	case word.HasAmount && word.AmountOut < 0:
		return Verdict{}, parked("AmountOut %s is negative", word.AmountOut)
	case word.HasAmount && word.AmountOut == 0:
		return Verdict{}, parked("Status 2 pays nothing")
	}
	payout, err := wonPayout(terms, word)
	if err != nil {
		return Verdict{}, err
	}
	ceiling, err := ceiling(terms)
	if err != nil {
		return Verdict{}, parked("possible win out of range")
	}
	if payout > ceiling {
		return Verdict{}, parked("pays %s, more than the %s it could win", payout, ceiling)
	}
	if word.ExtStatus == 1 && payout == terms.Stake {
		return Verdict{Outcome: Refunded, Payout: payout}, nil
	}
	return Verdict{Outcome: Won, Payout: payout}, nil
}

// wonPayout is the payout of a Status 2, before it is held against the possible win.
func wonPayout(terms Terms, word Word) (payout money.Amount, err error) {
	unit := terms.unit()
	switch {
	case word.ExtStatus == 1 && !word.HasAmount:
		return terms.Stake, nil
	case terms.Nominal && word.ExtStatus == 0:
		if word.HasAmount && !coupon.AgreesWithWin(word.AmountOut, terms.Sent, terms.Coef, cmp.Or(terms.SentCurrency, terms.Currency)) {
			return 0, parked("AmountOut %s is far from %s × coefficient %s", word.AmountOut, terms.Sent, terms.Coef)
		}
		payout, err = terms.Stake.MulDiv(int64(terms.Coef), money.CoefScale, unit)
	case !word.HasAmount:
		return 0, parked("Status 2 without AmountOut")
	case terms.Nominal:
		payout, err = terms.Stake.MulDiv(int64(word.AmountOut), int64(terms.Sent), unit)
	default:
		payout, err = word.AmountOut.Round(unit)
	}
	if err != nil || payout > money.Largest {
		return 0, parked("payout out of range")
	}
	if terms.former == 0 && word.ExtStatus == 1 {
		if whole, err := terms.Stake.Round(unit); err == nil && payout == whole {
			return terms.Stake, nil // a stake that is no whole number of minor units comes back as it went
		}
	}
	return payout, nil
}

// ceiling is the most a coupon may pay, rounded as payouts are. BeT rounds AmountOut to a cent of the
// sum it was told; under a nominal that cent is worth stake ÷ nominal, so that much rounding is let
// pass.
func ceiling(terms Terms) (money.Amount, error) {
	most := terms.PossibleWin
	if terms.Nominal {
		cent, err := terms.Stake.MulDiv(int64(terms.sentUnit()), int64(terms.Sent), 1)
		if err != nil {
			return 0, err
		}
		if most, err = most.Add(cent); err != nil {
			return 0, err
		}
	}
	most, err := most.Round(terms.unit())
	return max(most, terms.Stake), err
}
