package bet

import (
	"errors"
	"fmt"
)

// Codes of a [Rejection]. They are stable: coupons keep them and frontends translate them.
const (
	CodeSelectionUnavailable = "selection_unavailable" // the outcome is gone (error_exist_bet, 3)
	CodeSelectionBlocked     = "selection_blocked"     // blocked for now (error_block_bet_data)
	CodeSameMatch            = "same_match"            // two of one match (error_repeat_bet_data)
	CodeCoefChanged          = "coef_changed"          // the coefficient moved, under reject
	CodeProviderUnavailable  = "provider_unavailable"  // not reached, breaker open, or "try later"
	CodeProviderSession      = "provider_session"      // session refused again after a new login
	CodeProviderLogin        = "provider_login"        // BeT does not know our login
	CodeProviderRefused      = "provider_refused"      // anything else BeT refuses; see Message
	CodeInvalidTicket        = "invalid_ticket"        // never sent: the ticket makes no sense
)

// Rejection says that a coupon is provably not placed.
type Rejection struct {
	// Code is one of the Code constants.
	Code string
	// Message is BeT's own label or text, or our reason where BeT was not asked. For operators.
	Message string
	// HTTPStatus is 0 when BeT did not answer the placement.
	HTTPStatus int
	// ErrorCode and FullErrorCode are BeT's, 0 without an answer; −1 stands for a non-number.
	ErrorCode, FullErrorCode int
	// Body is the answer as it came, for the record; nil without one.
	Body []byte

	bespoke bool // BeT itself said why
	err     error
}

func (r *Rejection) Error() string {
	return fmt.Sprintf("placement rejected: %s: %s", r.Code, r.Message)
}

// Unwrap is what kept the placement from being sent, if that is the reason.
func (r *Rejection) Unwrap() error { return r.err }

// notSent is the rejection of a placement that never left.
func notSent(code string, err error) *Rejection {
	return &Rejection{Code: code, Message: err.Error(), err: err}
}

// ErrUnknownOutcome says that a coupon may or may not be placed: never send it again, and keep
// its stake where it is. errors.AsType finds the [*UnknownError] with the facts.
var ErrUnknownOutcome = errors.New("placement outcome unknown")

// UnknownError is an [ErrUnknownOutcome] with what is known.
type UnknownError struct {
	// Reason says in words what came instead of a clear answer.
	Reason string
	// BetCode is the code in an answer that contradicts itself or cannot be read: [Client.Read]
	// can ask for it. It may be one that CheckCode refuses.
	BetCode string
	// HTTPStatus is 0 and Body nil when no answer came.
	HTTPStatus int
	Body       []byte

	err error
}

func (e *UnknownError) Error() string {
	return fmt.Sprintf("%v: %s", ErrUnknownOutcome, e.Reason)
}

// Unwrap makes errors.Is find ErrUnknownOutcome and the cause, such as a deadline.
func (e *UnknownError) Unwrap() []error {
	if e.err == nil {
		return []error{ErrUnknownOutcome}
	}
	return []error{ErrUnknownOutcome, e.err}
}
