package betron

import (
	"encoding/json"
	"fmt"

	"evens/casino"
	"evens/money"
)

// Methods of their webhook.
const (
	methodAccount = "account_details"
	methodBalance = "user_balance"
	methodBet     = "transaction_bet"
	methodWin     = "transaction_win"
	methodRefund  = "refund"
)

// id is an id as they write it: a string, or by some of their systems a number.
type id string

// UnmarshalJSON implements json.Unmarshaler.
func (i *id) UnmarshalJSON(data []byte) error {
	var text string
	if err := json.Unmarshal(data, &text); err == nil {
		*i = id(text)
		return nil
	}
	var number json.Number
	if err := json.Unmarshal(data, &number); err != nil {
		return err
	}
	*i = id(number)
	return nil
}

// request is every field of every method; each has some.
type request struct {
	Method        string       `json:"method"`
	UserID        id           `json:"user_id"`
	Amount        money.Number `json:"amount"`
	TransactionID id           `json:"transaction_id"`
	GameID        id           `json:"game_id"`
}

// read reads a body and names the field that is wrong. amount is zero for methods without one.
func read(body []byte) (r request, amount money.Amount, err error) {
	if err := json.Unmarshal(body, &r); err != nil {
		return r, 0, fmt.Errorf("%w: no JSON object of their fields", casino.ErrUnreadable)
	}
	switch r.Method {
	case methodAccount, methodBalance:
	case methodBet, methodWin, methodRefund:
		if r.TransactionID == "" {
			return r, 0, fmt.Errorf("%w: transaction_id is missing", casino.ErrUnreadable)
		}
		if amount, err = casino.ReadAmount(r.Amount); err != nil {
			return r, 0, fmt.Errorf("%w: amount: %w", casino.ErrUnreadable, err)
		}
	default:
		return r, 0, fmt.Errorf("%w: method is none of theirs", casino.ErrUnreadable)
	}
	if r.UserID == "" {
		return r, 0, fmt.Errorf("%w: user_id is missing", casino.ErrUnreadable)
	}
	return r, amount, nil
}
