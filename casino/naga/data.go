package naga

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"evens/casino"
	"evens/money"
	"evens/player"
)

// data is every field of every call; each has some.
type data struct {
	PlayerToken     string       `json:"playerToken"`
	BetID           string       `json:"betId"`
	Currency        string       `json:"currency"`
	GameCode        string       `json:"gameCode"`
	GroupCode       string       `json:"groupCode"`
	BrandCode       string       `json:"brandCode"`
	TransactionID   string       `json:"transactionId"`
	Amount          money.Number `json:"amount"`
	ParentBetID     string       `json:"parentBetId"`
	BetType         string       `json:"betType"`
	IsLastFreeSpins bool         `json:"isLastFreeSpins"`
}

// ofBet are the fields that a place-bet and a payout must have; parentBetId, betType and isLastFreeSpins
// may be absent or null.
var ofBet = []string{"betId", "currency", "gameCode", "playerToken", "groupCode", "transactionId", "amount", "brandCode"}

// readData reads the data of a call; required names fields that must be there.
func readData(text []byte, required ...string) (data, error) {
	var d data
	if err := json.Unmarshal(text, &d); err != nil {
		return d, fmt.Errorf("%w: data has a field of another type", casino.ErrUnreadable)
	}
	values := map[string]string{
		"playerToken": d.PlayerToken, "betId": d.BetID, "currency": d.Currency, "gameCode": d.GameCode,
		"transactionId": d.TransactionID, "amount": string(d.Amount), "groupCode": d.GroupCode, "brandCode": d.BrandCode,
	}
	for _, name := range required {
		if values[name] == "" {
			return d, fmt.Errorf("%w: %s is missing", casino.ErrUnreadable, name)
		}
	}
	return d, nil
}

func (d data) amount() (money.Amount, error) {
	amount, err := casino.ReadAmount(d.Amount)
	if err != nil {
		return 0, fmt.Errorf("%w: amount: %w", casino.ErrUnreadable, err)
	}
	return amount, nil
}

func (d data) event(who player.Identity, at time.Time) casino.Event {
	return casino.Event{
		ID: d.BetID, Transaction: d.TransactionID, Player: who, Currency: d.currency(), Game: d.GameCode,
		Parent: d.ParentBetID, Type: d.BetType, LastFree: d.IsLastFreeSpins, At: at,
	}
}

func (d data) currency() money.Currency { return money.Currency(strings.ToUpper(d.Currency)) }
