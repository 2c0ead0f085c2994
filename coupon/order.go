package coupon

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"evens/coupon/bet"
	"evens/ledger"
	"evens/money"
	"evens/wallet"
)

// Order is a player's wish for a coupon.
type Order struct {
	Player   uuid.UUID
	Pointers []string // bet pointers, one a selection
	Stake    money.Amount
	Currency money.Currency
	Lang     string
	RateMode string // "reject" or "accept" a changed coefficient
	Request  wallet.Request
}

// SelectionError says which selection of an order cannot be taken, and why. Nothing has
// happened.
type SelectionError struct {
	Index int // of the pointer; −1: the selections together
	Err   error
}

func (e *SelectionError) Error() string {
	if e.Index < 0 {
		return fmt.Sprintf("selections: %v", e.Err)
	}
	return fmt.Sprintf("selections[%d]: %v", e.Index, e.Err)
}

func (e *SelectionError) Unwrap() error { return e.Err }

// OrderError names another field of an order that cannot be taken.
type OrderError struct {
	Field  string
	Reason string
}

func (e *OrderError) Error() string { return e.Field + ": " + e.Reason }

// parse checks everything about an order that needs no database.
func (o Order) parse() ([]bet.Pointer, money.Coef, error) {
	pointers := make([]bet.Pointer, len(o.Pointers))
	for i, text := range o.Pointers {
		pointer, err := bet.ParsePointer(text)
		if err != nil {
			return nil, 0, &SelectionError{Index: i, Err: err}
		}
		pointers[i] = pointer
	}
	if err := bet.CheckExpress(pointers); err != nil {
		return nil, 0, &SelectionError{Index: -1, Err: err}
	}
	if mode := bet.RateMode(o.RateMode); mode != bet.RateReject && mode != bet.RateAccept {
		return nil, 0, &OrderError{Field: "rate_mode", Reason: "must be reject or accept"}
	}
	if o.Stake <= 0 {
		return nil, 0, &OrderError{Field: "stake", Reason: "must be above zero"}
	}
	coef := money.One
	for _, pointer := range pointers {
		var err error
		if coef, err = coef.Mul(pointer.Coef); err != nil || coef <= 0 {
			return nil, 0, &SelectionError{Index: -1, Err: fmt.Errorf("the coefficients together are out of range")}
		}
	}
	if o.Stake > money.Largest {
		return nil, 0, &OrderError{Field: "stake", Reason: "is out of range"}
	}
	if win, err := coef.Times(o.Stake, o.Currency); err != nil || win > money.Largest {
		return nil, 0, &OrderError{Field: "stake", Reason: "the possible win is out of range"}
	}
	return pointers, coef, nil
}

// Hash fingerprints the order's content for its Idempotency-Key.
func (o Order) Hash() ledger.Hash {
	return ledger.HashOf(o.Player.String(), strings.Join(o.Pointers, "\n"), strconv.Itoa(len(o.Pointers)),
		o.Stake.String(), string(o.Currency), o.Lang, o.RateMode)
}
