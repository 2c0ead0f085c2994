package betao

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"evens/casino"
	"evens/ledger"
	"evens/money"
)

// body is every field of every call and callback; each has some. It serves both directions.
type body struct {
	// Type says in a callback what happened. Their article does not name the field.
	Type          string       `json:"type"`
	PlayerID      string       `json:"player_id"`
	Amount        money.Number `json:"amount"`
	Currency      string       `json:"currency"`
	TransactionID string       `json:"transaction_id"`
	RoundID       string       `json:"round_id"`
	GameCode      string       `json:"game_code"`
	Original      string       `json:"original_transaction_id"`
}

// Types of callbacks, and the wallet calls of the same names.
const (
	typeDebit    = "debit"
	typeCredit   = "credit"
	typeRollback = "rollback"
	typeBalance  = "balance"
)

// fieldError says which field is wrong, and why.
type fieldError struct {
	field  string
	reason error
}

func (e *fieldError) Error() string { return e.field + " " + e.reason.Error() }

// Unwrap makes it casino.ErrUnreadable.
func (e *fieldError) Unwrap() []error { return []error{casino.ErrUnreadable, e.reason} }

var (
	errMissing = errors.New("is missing")
	errType    = errors.New("is none of debit, credit, rollback")
)

func parse(text []byte) (body, error) {
	var b body
	if err := json.Unmarshal(text, &b); err != nil {
		if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok && wrong.Field != "" {
			return b, &fieldError{wrong.Field, errors.New("is of another type")}
		}
		if errors.Is(err, money.ErrSyntax) {
			return b, &fieldError{"amount", money.ErrSyntax}
		}
		return b, fmt.Errorf("%w: the body is no JSON object", casino.ErrUnreadable)
	}
	return b, nil
}

// kind is what a callback is about: its type, or what its fields leave no doubt about.
func (b body) kind() (string, error) {
	switch strings.ToLower(b.Type) {
	case typeDebit, "bet":
		return typeDebit, nil
	case typeCredit, "win":
		return typeCredit, nil
	case typeRollback:
		return typeRollback, nil
	case "":
		if b.Original != "" {
			return typeRollback, nil
		}
	}
	return "", &fieldError{"type", errType}
}

// require names the first field that a call of a kind lacks.
func (b body) require(kind string) error {
	fields := map[string][][2]string{
		typeBalance:  {{"player_id", b.PlayerID}},
		typeRollback: {{"original_transaction_id", b.Original}},
		typeDebit: {
			{"player_id", b.PlayerID}, {"amount", string(b.Amount)}, {"currency", b.Currency},
			{"transaction_id", b.TransactionID}, {"round_id", b.RoundID},
		},
	}
	fields[typeCredit] = fields[typeDebit]
	for _, field := range fields[kind] {
		if field[1] == "" {
			return &fieldError{field[0], errMissing}
		}
	}
	return nil
}

func (b body) amount() (money.Amount, error) {
	amount, err := casino.ReadAmount(b.Amount)
	if err != nil {
		return 0, &fieldError{"amount", err}
	}
	return amount, nil
}

func (b body) currency() money.Currency { return money.Currency(strings.ToUpper(b.Currency)) }

// message is what a callback says. One that nobody understands is told apart by all of its fields.
func (b body) message() casino.Message {
	kind, err := b.kind()
	if err != nil {
		kind = strings.ToLower(b.Type)
	}
	m := casino.Message{Transaction: b.TransactionID, Kind: kind}
	if m.Transaction == "" {
		m.Transaction = b.Original
	}
	sum := string(b.Amount)
	if amount, err := b.amount(); err == nil {
		sum, m.Amount = amount.String(), amount
	}
	if kind == typeDebit {
		m.Amount = -m.Amount
	}
	if casino.CheckID(b.PlayerID) == nil {
		m.Player = b.PlayerID
	}
	if currency, err := money.ParseCurrency(string(b.currency())); err == nil {
		m.Currency = currency
	}
	m.Content = ledger.HashOf(kind, b.PlayerID, sum, string(b.currency()), b.RoundID, b.Original)
	return m
}

// describe reads a stored callback again.
func describe(text []byte) casino.Message {
	b, _ := parse(text) // it could be read when it was stored
	return b.message()
}
