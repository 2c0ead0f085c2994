package api

import "net/http"

// The codes of errors. They are stable: a client may branch on them.
const (
	CodeInvalidBody            = "invalid_body"
	CodeIdempotencyKeyRequired = "idempotency_key_required"
	CodeUnauthorized           = "unauthorized"
	CodeInsufficientFunds      = "insufficient_funds"
	CodeForbidden              = "forbidden"
	CodePlayerBlocked          = "player_blocked"
	CodeLimitExceeded          = "limit_exceeded"
	CodeNotFound               = "not_found"
	CodePlayerNotFound         = "player_not_found"
	CodeCouponNotFound         = "coupon_not_found"
	CodeGameNotFound           = "game_not_found"
	CodeSessionNotFound        = "session_not_found"
	CodeMethodNotAllowed       = "method_not_allowed"
	CodeRequestTimeout         = "request_timeout"
	CodePlayerConflict         = "player_conflict"
	CodeIdempotencyConflict    = "idempotency_conflict"
	CodeTransactionConflict    = "transaction_conflict"
	CodeBonusActive            = "bonus_active"
	CodeExclusionActive        = "exclusion_active"
	CodeRequestInProgress      = "request_in_progress"
	CodeBodyTooLarge           = "body_too_large"
	CodeUnsupportedMediaType   = "unsupported_media_type"
	CodeValidationFailed       = "validation_failed"
	CodeInvalidAmount          = "invalid_amount"
	CodeInvalidSelection       = "invalid_selection"
	CodeCurrencyMismatch       = "currency_mismatch"
	CodeModeUnsupported        = "mode_unsupported"
	CodeTooManyRequests        = "too_many_requests"
	CodeInternal               = "internal"
	CodeProviderNotConfigured  = "provider_not_configured"
	CodeProviderUnavailable    = "provider_unavailable"
	CodeUnavailable            = "unavailable"
)

// meaning is one line of the list of codes, as /v1/docs shows it.
type meaning struct {
	Code   string
	Status int
	Text   string
}

// meanings is the list of codes: the one place that gives each its status.
var meanings = []meaning{
	{CodeInvalidBody, http.StatusBadRequest, "The body is missing, cut off, or not JSON."},
	{CodeIdempotencyKeyRequired, http.StatusBadRequest, "The call moves money and came without an Idempotency-Key header."},
	{CodeUnauthorized, http.StatusUnauthorized, "No bearer, or one that is unknown, expired, revoked or logged out."},
	{CodeInsufficientFunds, http.StatusPaymentRequired, "The player's cash does not cover it. The same Idempotency-Key is refused again."},
	{CodeForbidden, http.StatusForbidden, "The key lacks the scope, or a player's token asks for what is not that player's."},
	{CodePlayerBlocked, http.StatusForbidden, "The player is blocked, closed, self-excluded or cooling off: no stakes are taken, and no token is made. Payouts and refunds still arrive."},
	{CodeLimitExceeded, http.StatusForbidden, "One of the player's limits would be exceeded; detail has the figures. The same Idempotency-Key is refused again."},
	{CodeNotFound, http.StatusNotFound, "There is nothing at this address."},
	{CodePlayerNotFound, http.StatusNotFound, "There is no such player."},
	{CodeCouponNotFound, http.StatusNotFound, "There is no such coupon, or it is not this player's."},
	{CodeGameNotFound, http.StatusNotFound, "The platform has no such game."},
	{CodeSessionNotFound, http.StatusNotFound, "There is no open game session of this id, or it is not this player's."},
	{CodeMethodNotAllowed, http.StatusMethodNotAllowed, "The address knows other methods; the Allow header lists them."},
	{CodeRequestTimeout, http.StatusRequestTimeout, "The body did not arrive in time."},
	{CodePlayerConflict, http.StatusConflict, "The external_id belongs to a player in another currency."},
	{CodeIdempotencyConflict, http.StatusConflict, "The Idempotency-Key was used before with another body."},
	{CodeTransactionConflict, http.StatusConflict, "The transaction_id was used before with other content."},
	{CodeBonusActive, http.StatusConflict, "The player has an active bonus: one at a time."},
	{CodeExclusionActive, http.StatusConflict, "A self-exclusion or a cooling-off can be made longer, never shorter."},
	{CodeRequestInProgress, http.StatusConflict, "A call with this Idempotency-Key is still under way: ask again after Retry-After."},
	{CodeBodyTooLarge, http.StatusRequestEntityTooLarge, "The body is larger than 1 MiB, or than 64 KiB with a player's token."},
	{CodeUnsupportedMediaType, http.StatusUnsupportedMediaType, "The body's Content-Type is not application/json."},
	{CodeValidationFailed, http.StatusUnprocessableEntity, "A field is missing, of the wrong type, or out of its bounds; errors names it."},
	{CodeInvalidAmount, http.StatusUnprocessableEntity, "An amount is not a decimal above zero with at most the decimals of its currency, or is out of range."},
	{CodeInvalidSelection, http.StatusUnprocessableEntity, "A selection is no bet pointer, or the selections do not go together."},
	{CodeCurrencyMismatch, http.StatusUnprocessableEntity, "The player's wallet is in another currency."},
	{CodeModeUnsupported, http.StatusUnprocessableEntity, "The game cannot be opened in this mode."},
	{CodeTooManyRequests, http.StatusTooManyRequests, "More calls, placements or event streams than are taken at a time: wait for Retry-After."},
	{CodeInternal, http.StatusInternalServerError, "Our mistake. Repeating the call with the same Idempotency-Key is safe."},
	{CodeProviderNotConfigured, http.StatusServiceUnavailable, "The provider this call needs is not configured here."},
	{CodeProviderUnavailable, http.StatusServiceUnavailable, "The provider does not answer, or not in a way that can be used: try again."},
	{CodeUnavailable, http.StatusServiceUnavailable, "Nobody knows yet: repeat the call with the same Idempotency-Key after Retry-After."},
}

// statusOf is the HTTP status of a code; an unknown code is an internal error.
func statusOf(code string) int {
	for i := range meanings {
		if meanings[i].Code == code {
			return meanings[i].Status
		}
	}
	return http.StatusInternalServerError
}
