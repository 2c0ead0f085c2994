package player

import (
	"errors"
	"time"

	"github.com/google/uuid"

	"evens/money"
	"evens/wallet"
)

// Player is someone with a purse, in one currency for good.
type Player struct {
	ID         uuid.UUID
	ExternalID string // the operator's own id; providers know the player by it
	Name       string
	Email      string
	Currency   money.Currency
	Status     wallet.Status
	CreatedAt  time.Time
}

// Registration is what a new player comes with. ExternalID and Currency are required.
type Registration struct {
	ExternalID string
	Name       string
	Email      string
	Currency   money.Currency
}

// Errors of the registry. An unknown player is wallet.ErrUnknownPlayer.
var (
	ErrNoExternalID = errors.New("a player needs an external id")
	// ErrConflict says that the external id belongs to a player in another currency.
	ErrConflict = errors.New("the external id belongs to a player in another currency")
	ErrStatus   = errors.New("not a player's status: active, blocked or closed")
)

func known(status wallet.Status) bool {
	return status == wallet.Active || status == wallet.Blocked || status == wallet.Closed
}
