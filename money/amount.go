package money

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"math/bits"
	"strconv"
	"strings"
)

// Amount is a sum of money in ten-thousandths of the currency's major unit: 1.5 USD is 15000.
type Amount int64

// Scale is how many units of Amount make one major unit.
const Scale = 10_000

// Largest is the largest amount that is taken from outside, either way: a million millions of the major unit.
// Sums of such amounts stay far from where an Amount ends.
const Largest Amount = 1_000_000_000_000 * Scale

const scaleDigits = 4

// Errors of this package. Wrapped errors carry the offending text, cut to a harmless length.
var (
	ErrSyntax   = errors.New("not a decimal number")
	ErrDecimals = errors.New("more than 4 decimals")
	ErrOverflow = errors.New("amount out of range")
)

// Parse reads a plain decimal ("150", "150.00", "-0.0001"): an optional minus, digits, and at
// most four decimals. Exponents, plus signs, blanks and separators are refused, and so is what is beyond
// [Largest].
func Parse(s string) (Amount, error) {
	n, err := parseScaled(s, scaleDigits)
	if amount := Amount(n); err != nil || amount > Largest || amount < -Largest {
		return 0, cmp.Or(err, fmt.Errorf("%w: %q", ErrOverflow, shorten(s)))
	}
	return Amount(n), nil
}

// MustParse is Parse for constants in tests and tables; it panics on an error.
func MustParse(s string) Amount {
	a, err := Parse(s)
	if err != nil {
		panic(err)
	}
	return a
}

// parseScaled reads a plain decimal as an integer count of 10^-digits.
func parseScaled(s string, digits int) (int64, error) {
	text, negative := strings.CutPrefix(s, "-")
	whole, fraction, point := strings.Cut(text, ".")
	if whole == "" || (point && fraction == "") || !allDigits(whole) || !allDigits(fraction) {
		return 0, fmt.Errorf("%w: %q", ErrSyntax, shorten(s))
	}
	if len(fraction) > digits {
		if strings.Trim(fraction[digits:], "0") != "" {
			return 0, fmt.Errorf("%w: %q", ErrDecimals, shorten(s))
		}
		fraction = fraction[:digits]
	}
	combined := strings.TrimLeft(whole+fraction+strings.Repeat("0", digits-len(fraction)), "0")
	if combined == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(combined, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%w: %q", ErrOverflow, shorten(s))
	}
	if negative {
		n = -n
	}
	return n, nil
}

func allDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

func shorten(s string) string {
	if len(s) > 40 {
		return s[:40] + "…"
	}
	return s
}

// String writes the amount in major units with at least two decimals and no more than it
// needs: "150.00", "0.0001".
func (a Amount) String() string {
	return formatScaled(int64(a), scaleDigits, 2)
}

// formatScaled writes n × 10^-digits with at least minimum decimals.
func formatScaled(n int64, digits, minimum int) string {
	sign, magnitude := "", uint64(n)
	if n < 0 {
		sign, magnitude = "-", uint64(-(n+1))+1
	}
	text := strconv.FormatUint(magnitude, 10)
	if len(text) <= digits {
		text = strings.Repeat("0", digits+1-len(text)) + text
	}
	whole, fraction := text[:len(text)-digits], text[len(text)-digits:]
	for len(fraction) > minimum && fraction[len(fraction)-1] == '0' {
		fraction = fraction[:len(fraction)-1]
	}
	if fraction == "" {
		return sign + whole
	}
	return sign + whole + "." + fraction
}

// Add returns a + b, or ErrOverflow.
func (a Amount) Add(b Amount) (Amount, error) {
	sum := a + b
	if (sum > a) != (b > 0) {
		if b == 0 {
			return a, nil
		}
		return 0, ErrOverflow
	}
	return sum, nil
}

// Sub returns a − b, or ErrOverflow.
func (a Amount) Sub(b Amount) (Amount, error) {
	if b == math.MinInt64 {
		return 0, ErrOverflow
	}
	return a.Add(-b)
}

// Abs returns the magnitude. The smallest int64 has none and answers ErrOverflow.
func (a Amount) Abs() (Amount, error) {
	if a == math.MinInt64 {
		return 0, ErrOverflow
	}
	if a < 0 {
		return -a, nil
	}
	return a, nil
}

// MulDiv returns a × num ÷ den rounded half up to a multiple of unit, taken in 128 bits and
// rounded once. All of a, num must be ≥ 0 and den, unit > 0; what does not fit is ErrOverflow.
func (a Amount) MulDiv(num, den int64, unit Amount) (Amount, error) {
	if a < 0 || num < 0 || den <= 0 || unit <= 0 {
		return 0, fmt.Errorf("%w: %d × %d ÷ %d", ErrOverflow, a, num, den)
	}
	high, low := bits.Mul64(uint64(a), uint64(num))
	divHigh, divisor := bits.Mul64(uint64(den), uint64(unit))
	if divHigh != 0 || divisor > math.MaxInt64 || high >= divisor {
		return 0, ErrOverflow
	}
	quotient, remainder := bits.Div64(high, low, divisor)
	if remainder >= divisor-remainder {
		quotient++
	}
	overflow, rounded := bits.Mul64(quotient, uint64(unit))
	if overflow != 0 || rounded > math.MaxInt64 {
		return 0, ErrOverflow
	}
	return Amount(rounded), nil
}

// Round returns a ≥ 0 rounded half up to a multiple of unit.
func (a Amount) Round(unit Amount) (Amount, error) {
	return a.MulDiv(1, 1, unit)
}
