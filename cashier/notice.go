package cashier

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

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
	longestMethod = 64
)

func parse(body []byte) (notice, phase, error) {
	var n notice
	if err := json.Unmarshal(body, &n); err != nil {
		if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok && wrong.Field != "" {
			return n, 0, &FieldError{wrong.Field, "is of another type"}
		}
		if errors.Is(err, money.ErrSyntax) {
			return n, 0, &FieldError{"amount", "is not a decimal number"}
		}
		return n, 0, errSyntax
	}
	for _, text := range []struct {
		field, value string
		longest      int
	}{{"transaction_id", n.TransactionID, longestID}, {"player_id", n.PlayerID, 255}, {"method", n.Method, longestMethod}} {
		if text.value == "" {
			return n, 0, &FieldError{text.field, "is missing"}
		}
		if utf8.RuneCountInString(text.value) > text.longest {
			return n, 0, &FieldError{text.field, fmt.Sprintf("has more than %d characters", text.longest)}
		}
		if !utf8.ValidString(text.value) || strings.ContainsFunc(text.value, unicode.IsControl) {
			return n, 0, &FieldError{text.field, "has characters that are not allowed"}
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
