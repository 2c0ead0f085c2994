package betron

import (
	"fmt"

	"evens/casino"
	"evens/internal/jsonin"
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

// request is every field of every method; each has some. Some of their systems write ids as numbers.
type request struct {
	Method        string       `json:"method"`
	UserID        jsonin.Word  `json:"user_id"`
	Amount        money.Number `json:"amount"`
	TransactionID jsonin.Word  `json:"transaction_id"`
	GameID        jsonin.Word  `json:"game_id"`
}

// read reads a body and names the field that is wrong. amount is zero for methods without one.
func read(body []byte) (r request, amount money.Amount, err error) {
	if err := jsonin.Unmarshal(body, &r); err != nil {
		return request{}, 0, fmt.Errorf("%w: %w", casino.ErrUnreadable, err)
	}
	switch r.Method {
	case methodAccount, methodBalance:
	case methodBet, methodWin, methodRefund:
		if err := jsonin.ID(string(r.TransactionID), casino.MaxID); err != nil {
			return r, 0, fmt.Errorf("%w: transaction_id %w", casino.ErrUnreadable, err)
		}
		if amount, err = casino.ReadAmount(r.Amount); err != nil {
			return r, 0, fmt.Errorf("%w: amount: %w", casino.ErrUnreadable, err)
		}
	default:
		return r, 0, fmt.Errorf("%w: method is none of theirs", casino.ErrUnreadable)
	}
	if err := jsonin.ID(string(r.UserID), casino.MaxID); err != nil {
		return r, 0, fmt.Errorf("%w: user_id %w", casino.ErrUnreadable, err)
	}
	if r.GameID != "" {
		if err := jsonin.ID(string(r.GameID), casino.MaxID); err != nil {
			return r, 0, fmt.Errorf("%w: game_id %w", casino.ErrUnreadable, err)
		}
	}
	return r, amount, nil
}
