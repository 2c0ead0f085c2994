package naga

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"evens/casino"
	"evens/internal/jsonin"
	"evens/money"
	"evens/player"
)

// data is every field of every call; each has some.
type data struct {
	PlayerToken     jsonin.Word  `json:"playerToken"`
	BetID           jsonin.Word  `json:"betId"`
	Currency        string       `json:"currency"`
	GameCode        jsonin.Word  `json:"gameCode"`
	GroupCode       string       `json:"groupCode"`
	BrandCode       string       `json:"brandCode"`
	TransactionID   jsonin.Word  `json:"transactionId"`
	Amount          money.Number `json:"amount"`
	ParentBetID     jsonin.Word  `json:"parentBetId"`
	BetType         string       `json:"betType"`
	IsLastFreeSpins bool         `json:"isLastFreeSpins"`
}

// ofBet are the fields that a place-bet and a payout must have; parentBetId, betType and isLastFreeSpins
// may be absent or null.
var ofBet = []string{"betId", "currency", "gameCode", "playerToken", "groupCode", "transactionId", "amount", "brandCode"}

// readData reads the data of a call; required names fields that must be there.
func readData(text []byte, required ...string) (data, error) {
	var d data
	if err := jsonin.Unmarshal(text, &d); err != nil {
		return data{}, fmt.Errorf("%w: %w", casino.ErrUnreadable, err)
	}
	values := map[string]string{
		"playerToken": string(d.PlayerToken), "betId": string(d.BetID), "currency": d.Currency, "gameCode": string(d.GameCode),
		"transactionId": string(d.TransactionID), "amount": string(d.Amount), "groupCode": d.GroupCode, "brandCode": d.BrandCode,
		"parentBetId": string(d.ParentBetID),
	}
	for _, name := range required {
		if values[name] == "" {
			return d, fmt.Errorf("%w: %s is missing", casino.ErrUnreadable, name)
		}
	}
	for _, name := range [...]string{"playerToken", "betId", "gameCode", "transactionId", "parentBetId"} {
		if values[name] == "" {
			continue
		}
		if err := jsonin.ID(values[name], casino.MaxID); err != nil {
			return d, fmt.Errorf("%w: %s %w", casino.ErrUnreadable, name, err)
		}
	}
	return d, nil
}

var tokens = regexp.MustCompile(`(?i)"playertoken"\s*:\s*"([^"]*)"`)

// secretsOf are the tokens in a text that cannot be read.
func secretsOf(text []byte) (secrets []string) {
	for _, found := range tokens.FindAllSubmatch(text, -1) {
		secrets = append(secrets, string(found[1]))
	}
	return secrets
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
		ID: string(d.BetID), Transaction: string(d.TransactionID), Player: who, Currency: d.currency(), Game: string(d.GameCode),
		Parent: string(d.ParentBetID), Type: d.BetType, LastFree: d.IsLastFreeSpins, At: at,
	}
}

func (d data) token() string { return string(d.PlayerToken) }

func (d data) currency() money.Currency { return money.Currency(strings.ToUpper(d.Currency)) }
