package broadcast

import (
	"encoding/json"
	"fmt"

	"github.com/google/uuid"
)

// Kind says what has changed.
type Kind string

// The kinds of change.
const (
	Coupon Kind = "coupon" // a coupon's state, payout or settlements
	Wallet Kind = "wallet" // a player's balances
)

// Change names what has changed, for a reader to look at.
type Change struct {
	Kind   Kind          `json:"kind"`
	Player uuid.UUID     `json:"player"`
	Coupon uuid.NullUUID `json:"coupon,omitzero"` // set for Coupon
}

// maxMessage is how many changes travel in one message.
const maxMessage = 500

func encode(changes []Change) ([]byte, error) {
	message, err := json.Marshal(changes)
	if err != nil {
		return nil, fmt.Errorf("encode changes: %w", err)
	}
	return message, nil
}

func decode(message string) ([]Change, error) {
	var changes []Change
	if err := json.Unmarshal([]byte(message), &changes); err != nil {
		return nil, fmt.Errorf("decode changes: %w", err)
	}
	return changes, nil
}
