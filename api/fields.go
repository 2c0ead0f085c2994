package api

import (
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"

	"evens/money"
)

// maxAmount bounds a single amount.
const maxAmount = money.Largest

// longestAmount is how many characters an amount may have.
const longestAmount = 40

// amount reads an amount above zero.
func (c *checks) amount(location, text string) money.Amount {
	if len(text) > longestAmount {
		c.fault(CodeInvalidAmount, location, "is out of range")
		return 0
	}
	amount, err := money.Parse(text)
	switch {
	case errors.Is(err, money.ErrDecimals):
		c.fault(CodeInvalidAmount, location, "has more than 4 decimals")
	case errors.Is(err, money.ErrOverflow), err == nil && amount > maxAmount:
		c.fault(CodeInvalidAmount, location, "is out of range")
	case err != nil:
		c.fault(CodeInvalidAmount, location, `is not a decimal such as "150.00"`)
	case amount <= 0:
		c.fault(CodeInvalidAmount, location, "must be above zero")
	}
	return amount
}

// currency reads an ISO 4217 code.
func (c *checks) currency(location, text string) money.Currency {
	currency, err := money.ParseCurrency(text)
	if err != nil {
		c.fault(CodeValidationFailed, location, "is not an ISO 4217 currency code in capitals")
	}
	return currency
}

// text makes sure that a value can be stored and shown: valid UTF-8 of at most longest
// characters without control characters.
func (c *checks) text(location, value string, longest int) string {
	switch {
	case !utf8.ValidString(value) || strings.ContainsFunc(value, unicode.IsControl):
		c.fault(CodeValidationFailed, location, "has characters that are not allowed")
	case utf8.RuneCountInString(value) > longest:
		c.fault(CodeValidationFailed, location, "is too long")
	}
	return value
}

// id reads an id of ours in a body or a query.
func (c *checks) id(location, text string) uuid.UUID {
	id, ok := parseID(text)
	if !ok {
		c.fault(CodeValidationFailed, location, "is not a UUID")
	}
	return id
}

// parseID reads the one spelling of UUIDs that we write.
func parseID(text string) (uuid.UUID, bool) {
	if len(text) != len("00000000-0000-0000-0000-000000000000") {
		return uuid.UUID{}, false
	}
	id, err := uuid.Parse(text)
	return id, err == nil
}

// idempotencyKey takes the header that calls which move money must carry.
func idempotencyKey(header string) (string, error) {
	if strings.TrimSpace(header) == "" {
		return "", badField(CodeIdempotencyKeyRequired, "header.Idempotency-Key", "is required")
	}
	var c checks
	key := c.text("header.Idempotency-Key", header, longestKey)
	return key, c.err()
}

const longestKey = 255
