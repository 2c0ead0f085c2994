package money

import (
	"errors"
	"fmt"

	iso "github.com/bojanz/currency"
)

// Currency is an ISO 4217 code in capitals, such as "USD".
type Currency string

// ErrCurrency says that a text is no ISO 4217 code.
var ErrCurrency = errors.New("not an ISO 4217 currency code")

// ListAmendment and ListDate say which of ISO 4217's amendments the list of currencies includes as
// its last, and the day it took effect. testdata/iso4217.txt is the whole list.
const (
	ListAmendment = 180
	ListDate      = "2026-01-01"
)

// ParseCurrency accepts exactly the codes, in capitals, that ISO 4217 lists today with a minor unit:
// no historic ones, no metals, nothing for tests.
func ParseCurrency(s string) (Currency, error) {
	if _, listed := iso.GetDigits(s); !listed {
		return "", fmt.Errorf("%w: %q", ErrCurrency, shorten(s))
	}
	return Currency(s), nil
}

// Decimals is how many decimals ISO 4217 gives the currency. What the list no longer has counts as
// two: wallets may outlive their currency.
func (c Currency) Decimals() int {
	if digits, listed := iso.GetDigits(string(c)); listed {
		return min(int(digits), scaleDigits)
	}
	return 2
}

// MinorUnit is the smallest amount the currency pays out: 0.01 for USD, 1 for JPY.
func (c Currency) MinorUnit() Amount { return unitOf(c.Decimals()) }

// Holds reports whether the amount has no more decimals than the currency.
func (c Currency) Holds(a Amount) bool { return a%c.MinorUnit() == 0 }

func unitOf(decimals int) Amount {
	unit := Amount(Scale)
	for range decimals {
		unit /= 10
	}
	return unit
}

// FormerMinorUnit is what Evens took for the minor unit before it followed ISO 4217's own list: the
// digits a currency is shown with. What was rounded by it is judged by it.
func (c Currency) FormerMinorUnit() Amount {
	if formerlyWhole[c] {
		return Scale
	}
	return c.MinorUnit()
}

// formerlyWhole are the currencies that are shown without decimals and have some.
var formerlyWhole = map[Currency]bool{
	"AFN": true, "ALL": true, "AMD": true, "COP": true, "GYD": true, "IDR": true, "IQD": true, "IRR": true, "KPW": true,
	"LAK": true, "LBP": true, "MGA": true, "MMK": true, "MNT": true, "MUR": true, "PKR": true, "RSD": true, "SOS": true,
	"SYP": true, "TZS": true, "UZS": true, "YER": true,
	// historic
	"ADP": true, "BYR": true, "ESP": true, "ITL": true, "LUF": true, "MGF": true, "MRO": true, "SLL": true, "STD": true,
	"TMM": true, "TRL": true, "ZMK": true, "ZWD": true,
}
