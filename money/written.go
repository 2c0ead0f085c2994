package money

import (
	"slices"
	"strings"

	iso "github.com/bojanz/currency"
)

// Written is the amount as people read it: in the currency's own decimals, grouped by commas, with a point before
// the decimals ("23,740.43", "1,000" yen, "-0.500" dinars). Decimals beyond the currency's own, which rounding leaves
// nowhere but in old rows, are shown rather than hidden.
func (c Currency) Written(a Amount) string {
	text, negative := strings.CutPrefix(formatScaled(int64(a), scaleDigits, c.Decimals()), "-")
	whole, fraction, point := strings.Cut(text, ".")
	var b strings.Builder
	if negative {
		b.WriteByte('-')
	}
	for i, digit := range []byte(whole) {
		if i > 0 && (len(whole)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteByte(digit)
	}
	if point {
		b.WriteString("." + fraction)
	}
	return b.String()
}

// Currencies lists every currency that [ParseCurrency] takes, by code.
func Currencies() []Currency {
	var listed []Currency
	for _, code := range iso.GetCurrencyCodes() {
		if c, err := ParseCurrency(code); err == nil {
			listed = append(listed, c)
		}
	}
	slices.Sort(listed)
	return listed
}
