package api

import (
	"context"
	"errors"
	"strconv"
	"time"

	"evens/access"
	"evens/casino"
	"evens/coupon"
	"evens/internal/postgres"
	"evens/internal/problem"
	"evens/ledger"
	"evens/money"
	"evens/player"
	"evens/wallet"
)

// retryAfter is how long a caller is asked to wait before it asks again.
const retryAfter = 2 * time.Second

// errForbidden refuses what is not the caller's.
var errForbidden = errors.New("a player's token opens that player's own coupons, wallet and events only")

// errNoDesk refuses placements while BeT is off.
var errNoDesk = errors.New("BeT is not configured")

// problemOf turns what a handler returned into what is answered: the only place that does. An
// error it does not know is internal, and its text stays here.
func problemOf(err error) *Problem {
	if p, ok := errors.AsType[*Problem](err); ok {
		return p
	}
	if selection, ok := errors.AsType[*coupon.SelectionError](err); ok {
		return badField(CodeInvalidSelection, selectionLocation(selection.Index), selection.Err.Error())
	}
	if order, ok := errors.AsType[*coupon.OrderError](err); ok {
		return badField(orderCode(order.Field), "body."+order.Field, order.Reason)
	}
	switch {
	case errors.Is(err, access.ErrToken), errors.Is(err, access.ErrKey):
		return newProblem(CodeUnauthorized, "the bearer is unknown, expired, revoked or logged out").with("WWW-Authenticate", "Bearer")
	case errors.Is(err, errForbidden):
		return newProblem(CodeForbidden, errForbidden.Error())
	case errors.Is(err, wallet.ErrUnknownPlayer):
		return newProblem(CodePlayerNotFound, "there is no such player")
	case errors.Is(err, coupon.ErrNotFound):
		return newProblem(CodeCouponNotFound, "there is no such coupon")
	case errors.Is(err, wallet.ErrInsufficientFunds):
		return newProblem(CodeInsufficientFunds, "the player's cash does not cover this")
	case errors.Is(err, wallet.ErrLimitExceeded):
		return newProblem(CodeLimitExceeded, err.Error())
	case errors.Is(err, wallet.ErrExcluded):
		return newProblem(CodePlayerBlocked, "the player is self-excluded or cooling off")
	case errors.Is(err, wallet.ErrShorter):
		return newProblem(CodeExclusionActive, "an exclusion or a cooling-off cannot be made shorter")
	case errors.Is(err, wallet.ErrZone):
		return badField(CodeValidationFailed, "body.time_zone", "is not an IANA time zone")
	case errors.Is(err, wallet.ErrBonusActive):
		return newProblem(CodeBonusActive, "the player has an active bonus")
	case errors.Is(err, wallet.ErrAccountClosed):
		return newProblem(CodePlayerBlocked, "the account is closed")
	case errors.Is(err, wallet.ErrPlayerBlocked):
		return newProblem(CodePlayerBlocked, "the player may not stake")
	case errors.Is(err, wallet.ErrCurrency):
		return badField(CodeCurrencyMismatch, "body.currency", "the player's wallet is in another currency")
	case errors.Is(err, wallet.ErrRequestConflict), postgres.Violates(err, "requests_pkey"):
		return newProblem(CodeIdempotencyConflict, "the Idempotency-Key was used before with another body")
	case errors.Is(err, ledger.ErrConflict), postgres.Violates(err, "transactions_key"):
		return newProblem(CodeTransactionConflict, "the transaction_id was used before with other content")
	case errors.Is(err, player.ErrConflict):
		return newProblem(CodePlayerConflict, player.ErrConflict.Error())
	case errors.Is(err, access.ErrTTL):
		return badField(CodeValidationFailed, "body.ttl", access.ErrTTL.Error())
	case errors.Is(err, money.ErrOverflow):
		return newProblem(CodeInvalidAmount, "the amount leads to a balance out of range")
	case errors.Is(err, coupon.ErrInProgress):
		return newProblem(CodeRequestInProgress, "a call with this Idempotency-Key is still under way").with("Retry-After", seconds(retryAfter))
	case errors.Is(err, casino.ErrNotAPlatform):
		return newProblem(CodeProviderNotConfigured, "there is no such platform, or it is not configured")
	case errors.Is(err, casino.ErrUnknownGame):
		return newProblem(CodeGameNotFound, "the platform has no such game")
	case errors.Is(err, casino.ErrUnsupported):
		return badField(CodeModeUnsupported, "body.mode", "the game cannot be opened in this mode")
	case errors.Is(err, casino.ErrSession):
		return newProblem(CodeSessionNotFound, "there is no open game session of this id")
	case errors.Is(err, casino.ErrUnavailable):
		return newProblem(CodeProviderUnavailable, "the platform does not answer").with("Retry-After", seconds(retryAfter)).because(err)
	case errors.Is(err, errNoDesk):
		return newProblem(CodeProviderNotConfigured, "no bookmaker is configured")
	case postgres.Unavailable(err), errors.Is(err, context.Canceled):
		return newProblem(CodeUnavailable, "try again with the same Idempotency-Key").with("Retry-After", seconds(retryAfter)).because(err)
	}
	return newProblem(CodeInternal, "").because(err)
}

func selectionLocation(index int) string {
	if index < 0 {
		return "body.selections"
	}
	return "body.selections[" + strconv.Itoa(index) + "]"
}

// orderCode is the code of an order's field: a stake is money.
func orderCode(field string) string {
	if field == "stake" {
		return CodeInvalidAmount
	}
	return CodeValidationFailed
}

func seconds(d time.Duration) string { return strconv.Itoa(int(d / time.Second)) }

// checks gathers what is wrong with the fields of a request beyond what its schema says.
type checks struct {
	code   string // of the first fault
	fields []problem.Field
}

func (c *checks) fault(code, location, message string) {
	if len(c.fields) == 0 {
		c.code = code
	}
	c.fields = append(c.fields, problem.Field{Location: location, Message: message})
}

// err is the problem of all faults, or nil.
func (c *checks) err() error {
	if len(c.fields) == 0 {
		return nil
	}
	return newProblem(c.code, describe(c.fields), c.fields...)
}
