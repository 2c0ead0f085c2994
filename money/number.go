package money

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// Number is a decimal as a provider wrote it in JSON: a number or a string with a number in
// it. The text is kept as it came; "" stands for a missing or null value.
type Number string

// UnmarshalJSON takes 30.85, "30.85", 1.113e4 or null; anything else is ErrSyntax.
func (n *Number) UnmarshalJSON(data []byte) error {
	if bytes.Equal(data, []byte("null")) {
		*n = ""
		return nil
	}
	text := string(data)
	if strings.HasPrefix(text, `"`) {
		if err := json.Unmarshal(data, &text); err != nil {
			return err
		}
		text = strings.Trim(text, " \t\r\n") // the blanks of JSON, and no others
	}
	if text == "" {
		*n = ""
		return nil
	}
	if _, err := expand(text); err != nil {
		return err
	}
	*n = Number(text)
	return nil
}

// MarshalJSON writes a plain JSON number, or null for a missing value.
func (n Number) MarshalJSON() ([]byte, error) {
	if n == "" {
		return []byte("null"), nil
	}
	plain, err := expand(string(n))
	if err != nil {
		return nil, err
	}
	return []byte(plain), nil
}

// Amount reads the number as money. Decimals beyond the fourth are rounded half away from
// zero: providers that compute in floats send 19.849999999999998 for 19.85.
func (n Number) Amount() (Amount, error) {
	plain, err := expand(string(n))
	if err != nil {
		return 0, err
	}
	whole, fraction, _ := strings.Cut(plain, ".")
	if len(fraction) <= scaleDigits {
		return Parse(plain)
	}
	amount, err := Parse(whole + "." + fraction[:scaleDigits])
	if err != nil || fraction[scaleDigits] < '5' {
		return amount, err
	}
	if strings.HasPrefix(whole, "-") {
		return amount.Sub(1)
	}
	return amount.Add(1)
}

// Coef reads the number as a coefficient. Decimals beyond the sixth are rounded half up, as those
// of amounts are: 1.8500000000000003 is 1.85.
func (n Number) Coef() (Coef, error) {
	plain, err := expand(string(n))
	if err != nil {
		return 0, err
	}
	whole, fraction, _ := strings.Cut(plain, ".")
	if len(fraction) <= coefDigits {
		return ParseCoef(plain)
	}
	count, err := parseScaled(whole+"."+fraction[:coefDigits], coefDigits)
	if err == nil && fraction[coefDigits] >= '5' {
		var rounded Amount
		rounded, err = Amount(count).Add(1)
		count = int64(rounded)
	}
	if err == nil && (count <= 0 || whole[0] == '-') {
		err = ErrOverflow
	}
	if err != nil {
		return 0, err
	}
	return Coef(count), nil
}

// Int reads the number as a whole number ("2", 2, 2.0).
func (n Number) Int() (int64, error) {
	plain, err := expand(string(n))
	if err != nil {
		return 0, err
	}
	return parseScaled(plain, 0)
}

// longest is what a provider's number may take in characters; the largest amount needs 20.
const longest = 40

// expand turns a decimal with an optional exponent into plain digits. Its input and exponent
// are bounded, so that "1e999999999" costs nothing.
func expand(s string) (string, error) {
	if len(s) == 0 || len(s) > longest {
		return "", notANumber(s)
	}
	mantissa, exponentText, scientific := strings.Cut(strings.ToLower(s), "e")
	sign := ""
	if rest, negative := strings.CutPrefix(mantissa, "-"); negative {
		sign, mantissa = "-", rest
	}
	whole, fraction, point := strings.Cut(mantissa, ".")
	if whole == "" || (point && fraction == "") || !allDigits(whole) || !allDigits(fraction) {
		return "", notANumber(s)
	}
	if !scientific {
		return sign + mantissa, nil
	}
	exponent, err := strconv.Atoi(exponentText)
	if err != nil || exponent < -longest || exponent > longest {
		return "", notANumber(s)
	}
	digits := whole + fraction
	position := len(whole) + exponent
	switch {
	case position <= 0:
		return sign + "0." + strings.Repeat("0", -position) + digits, nil
	case position >= len(digits):
		return sign + digits + strings.Repeat("0", position-len(digits)), nil
	default:
		return sign + digits[:position] + "." + digits[position:], nil
	}
}

func notANumber(s string) error { return fmt.Errorf("%w: %q", ErrSyntax, shorten(s)) }
