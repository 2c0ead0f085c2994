package betao

import (
	"errors"
	"fmt"
	"strings"

	"evens/casino"
	"evens/internal/jsonin"
	"evens/ledger"
	"evens/money"
)

// body is every field of every call and callback; each has some. It serves both directions.
type body struct {
	// Type says in a callback what happened. Their article does not name the field.
	Type          string       `json:"type"`
	PlayerID      jsonin.Word  `json:"player_id"`
	Amount        money.Number `json:"amount"`
	Currency      string       `json:"currency"`
	TransactionID jsonin.Word  `json:"transaction_id"`
	RoundID       jsonin.Word  `json:"round_id"`
	GameCode      jsonin.Word  `json:"game_code"`
	Original      jsonin.Word  `json:"original_transaction_id"`
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

// parse reads a body. Ids may be texts or numbers; each that is there must be one that cannot be taken for
// another.
func parse(text []byte) (body, error) {
	var b body
	if err := jsonin.Unmarshal(text, &b); err != nil {
		wrong, ok := errors.AsType[*jsonin.Error](err)
		switch {
		case errors.Is(err, money.ErrSyntax):
			return body{}, &fieldError{"amount", money.ErrSyntax}
		case ok && wrong.Member != "":
			return body{}, &fieldError{wrong.Member, wrong.Reason}
		}
		return body{}, fmt.Errorf("%w: %w", casino.ErrUnreadable, err)
	}
	for _, id := range [...]struct {
		field string
		value jsonin.Word
	}{
		{"player_id", b.PlayerID}, {"transaction_id", b.TransactionID}, {"round_id", b.RoundID},
		{"game_code", b.GameCode}, {"original_transaction_id", b.Original},
	} {
		if id.value == "" {
			continue
		}
		if err := jsonin.ID(string(id.value), casino.MaxID); err != nil {
			return body{}, &fieldError{id.field, err}
		}
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
		typeBalance:  {{"player_id", string(b.PlayerID)}},
		typeRollback: {{"original_transaction_id", string(b.Original)}},
		typeDebit: {
			{"player_id", string(b.PlayerID)}, {"amount", string(b.Amount)}, {"currency", b.Currency},
			{"transaction_id", string(b.TransactionID)}, {"round_id", string(b.RoundID)},
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
	m := casino.Message{Transaction: string(b.TransactionID), Kind: kind, Player: string(b.PlayerID)}
	if m.Transaction == "" {
		m.Transaction = string(b.Original)
	}
	sum := string(b.Amount)
	if amount, err := b.amount(); err == nil {
		sum, m.Amount = amount.String(), amount
	}
	if kind == typeDebit {
		m.Amount = -m.Amount
	}
	if currency, err := money.ParseCurrency(string(b.currency())); err == nil {
		m.Currency = currency
	}
	m.Content = ledger.HashOf(kind, string(b.PlayerID), sum, string(b.currency()), string(b.RoundID), string(b.Original))
	return m
}

// describe reads a stored callback again.
func describe(text []byte) casino.Message {
	b, _ := parse(text) // it could be read when it was stored
	return b.message()
}
