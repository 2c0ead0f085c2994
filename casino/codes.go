package casino

import (
	"context"
	"errors"

	"evens/internal/postgres"
	"evens/ledger"
	"evens/money"
	"evens/wallet"
)

// Refusals of this package; those of a player's money are the wallet's. Each leaves everything as
// it was.
var (
	ErrRolledBack   = errors.New("it was rolled back")
	ErrUnknownBet   = errors.New("no such bet")
	ErrSettled      = errors.New("the round is settled")
	ErrRoundClosed  = errors.New("the round is closed")
	ErrSession      = errors.New("unknown, expired or ended game session")
	ErrAmount       = errors.New("another amount than the instruction's own")
	ErrUnavailable  = errors.New("not available now")
	ErrNotAllowed   = errors.New("this address may not call")
	ErrUnreadable   = errors.New("cannot be read")
	ErrUnauthentic  = errors.New("signature or encryption does not fit")
	ErrUnknownGame  = errors.New("no such game")
	ErrUnsupported  = errors.New("the platform does not have it")
	ErrNotAPlatform = errors.New("no such platform, or it is not configured")
)

// Code is a refusal's stable name in metrics, logs, records of callbacks and reports. It is "ok"
// for nil and "internal" for what nobody foresaw.
func Code(err error) string {
	if err == nil {
		return "ok"
	}
	for _, known := range codes {
		if errors.Is(err, known.err) {
			return known.code
		}
	}
	if temporary(err) {
		return "unavailable"
	}
	return "internal"
}

var codes = []struct {
	err  error
	code string
}{
	{wallet.ErrInsufficientFunds, "insufficient_funds"},
	{wallet.ErrUnknownPlayer, "unknown_player"},
	{wallet.ErrLimitExceeded, "limit_exceeded"},
	{wallet.ErrPlayerBlocked, "player_blocked"},
	{wallet.ErrCurrency, "wrong_currency"},
	{ledger.ErrConflict, "id_conflict"},
	{money.ErrOverflow, "amount_out_of_range"},
	{ErrRolledBack, "rolled_back"},
	{ErrUnknownBet, "unknown_bet"},
	{ErrSettled, "settled"},
	{ErrRoundClosed, "round_closed"},
	{ErrSession, "session"},
	{ErrAmount, "amount_mismatch"},
	{ErrNotAllowed, "source_not_allowed"},
	{ErrUnreadable, "unreadable"},
	{ErrUnauthentic, "unauthentic"},
	{ErrUnknownGame, "unknown_game"},
	{ErrUnsupported, "unsupported"},
	{ErrNotAPlatform, "provider_not_configured"},
	{ErrUnavailable, "unavailable"},
}

// temporary reports whether the same call may succeed later: nobody knows yet, or the database is
// away.
func temporary(err error) bool {
	return postgres.Unavailable(err) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled)
}

// kept reports whether a refusal is for good: the same id is answered the same way ever after. Those are
// of figures that change by the second: the platform has given the stake up, and a late copy of it must not
// be taken. Who is blocked, excluded or cooling off is so for a while, and is asked anew.
func kept(err error) bool {
	return errors.Is(err, wallet.ErrInsufficientFunds) || errors.Is(err, wallet.ErrLimitExceeded)
}

// refusedFor are the reasons that a kept refusal may have; an earlier release kept player_blocked too.
var refusedFor = map[string]error{
	"insufficient_funds": wallet.ErrInsufficientFunds,
	"player_blocked":     wallet.ErrPlayerBlocked,
	"limit_exceeded":     wallet.ErrLimitExceeded,
}
