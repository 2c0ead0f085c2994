package cashier

import (
	"errors"
	"strings"

	"evens/internal/jsonin"
	"evens/money"
)

// notice is what the gateway says of one payment.
type notice struct {
	TransactionID string       `json:"transaction_id"`
	PlayerID      string       `json:"player_id"`
	Type          string       `json:"type"`
	Method        string       `json:"method"`
	Amount        money.Number `json:"amount"`
	Currency      string       `json:"currency"`
	Status        string       `json:"status"`

	amount money.Amount
}

// Types of payment.
const (
	typeDeposit    = "deposit"
	typeWithdrawal = "withdrawal"
)

// phase is what a status means.
type phase int

const (
	pending phase = iota + 1
	succeeded
	failed   // it never happened, or an attempt at it
	returned // it had happened, and the money came back
)

// phases are the words of gateways for the four things that matter.
var phases = map[string]phase{
	"pending": pending, "requested": pending, "processing": pending, "created": pending,
	"succeeded": succeeded, "paid": succeeded, "completed": succeeded, "approved": succeeded, "ok": succeeded,
	"failed": failed, "rejected": failed, "cancelled": failed, "canceled": failed, "expired": failed, "refused": failed,
	"returned": returned, "refunded": returned, "reversed": returned, "chargeback": returned, "charged_back": returned,
}

// FieldError says which field of a callback is wrong, and why.
type FieldError struct{ Field, Reason string }

func (e *FieldError) Error() string { return e.Field + " " + e.Reason }

// errSyntax says that a body is no JSON object.
var errSyntax = errors.New("the body is no JSON object of a payment's fields")

const (
	longestID     = 128
	longestPlayer = 255
	longestMethod = 64
)

// unreadable names the field that a body cannot be read for, where there is one.
func unreadable(err error) error {
	wrong, ok := errors.AsType[*jsonin.Error](err)
	switch {
	case !ok || wrong.Member == "":
		return errSyntax
	case errors.Is(err, money.ErrSyntax):
		return &FieldError{wrong.Member, "is not a decimal number"}
	default:
		return &FieldError{wrong.Member, wrong.Reason.Error()}
	}
}

func parse(body []byte) (notice, phase, error) {
	var n notice
	if err := jsonin.Unmarshal(body, &n); err != nil {
		return n, 0, unreadable(err)
	}
	for _, text := range []struct {
		field string
		err   error
	}{
		{"transaction_id", jsonin.ID(n.TransactionID, longestID)},
		{"player_id", jsonin.ID(n.PlayerID, longestPlayer)},
		{"method", jsonin.ID(n.Method, longestMethod)},
	} {
		if text.err != nil {
			return n, 0, &FieldError{text.field, text.err.Error()}
		}
	}
	if n.Type != typeDeposit && n.Type != typeWithdrawal {
		return n, 0, &FieldError{"type", "is neither deposit nor withdrawal"}
	}
	if _, err := money.ParseCurrency(n.Currency); err != nil {
		return n, 0, &FieldError{"currency", "is not an ISO 4217 currency code in capitals"}
	}
	what := phases[strings.ToLower(n.Status)]
	if what == 0 {
		return n, 0, &FieldError{"status", "is none that is known"}
	}
	var err error
	if n.amount, err = n.Amount.Amount(); err != nil {
		return n, 0, &FieldError{"amount", "is not a decimal number"}
	}
	if n.amount <= 0 {
		return n, 0, &FieldError{"amount", "must be above zero"}
	}
	return n, what, nil
}
