package money

import (
	"errors"
	"fmt"

	"golang.org/x/text/currency"
)

// Currency is an ISO 4217 code in capitals, such as "USD".
type Currency string

// ErrCurrency says that a text is no ISO 4217 code.
var ErrCurrency = errors.New("not an ISO 4217 currency code")

// ParseCurrency accepts exactly a known code in capitals.
func ParseCurrency(s string) (Currency, error) {
	if len(s) != 3 {
		return "", fmt.Errorf("%w: %q", ErrCurrency, shorten(s))
	}
	for i := range 3 {
		if s[i] < 'A' || s[i] > 'Z' {
			return "", fmt.Errorf("%w: %q", ErrCurrency, s)
		}
	}
	if _, err := currency.ParseISO(s); err != nil {
		return "", fmt.Errorf("%w: %q", ErrCurrency, s)
	}
	return Currency(s), nil
}

// MinorUnit is the smallest amount the currency pays out: 0.01 for USD, 1 for JPY. Currencies
// with more than four decimals do not exist; unknown codes count as two.
func (c Currency) MinorUnit() Amount {
	digits := 2
	if unit, err := currency.ParseISO(string(c)); err == nil {
		digits, _ = currency.Standard.Rounding(unit)
	}
	unit := Amount(Scale)
	for range min(digits, scaleDigits) {
		unit /= 10
	}
	return unit
}
