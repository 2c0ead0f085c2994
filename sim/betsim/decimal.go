package betsim

import (
	"errors"
	"math"
	"math/big"
	"math/bits"
	"strconv"
	"strings"
)

// Amounts are counted in ten-thousandths, coefficients in millionths.
const (
	amountDigits = 4
	coefDigits   = 6
	coefOne      = 1_000_000
)

var (
	errDecimal  = errors.New("not a decimal number")
	errTooLarge = errors.New("number too large")
)

// parseDecimal reads a plain, unsigned decimal as a count of 10^-places.
func parseDecimal(s string, places int) (int64, error) {
	whole, fraction, point := strings.Cut(s, ".")
	if whole == "" || (point && fraction == "") || len(fraction) > places || len(whole) > 12 {
		return 0, errDecimal
	}
	var n int64
	for i := range len(whole) + places {
		d := byte('0')
		switch {
		case i < len(whole):
			d = whole[i]
		case i-len(whole) < len(fraction):
			d = fraction[i-len(whole)]
		}
		if d < '0' || d > '9' {
			return 0, errDecimal
		}
		n = n*10 + int64(d-'0') // at most 18 digits
	}
	return n, nil
}

// appendDecimal writes n × 10^-places without zeros at the end: 30.85, 1843.5, 150.
func appendDecimal(b []byte, n int64, places int) []byte {
	unit := int64(1)
	for range places {
		unit *= 10
	}
	b = strconv.AppendInt(b, n/unit, 10)
	fraction := n % unit
	if fraction == 0 {
		return b
	}
	b = append(b, '.')
	for fraction > 0 {
		unit /= 10
		b = append(b, byte('0'+fraction/unit))
		fraction %= unit
	}
	return b
}

func formatDecimal(n int64, places int) string {
	return string(appendDecimal(nil, n, places))
}

// payout is stake × coefficient, rounded half up to two decimals as BeT does
// (15.5 × 1.99 = 30.845 → 30.85), in ten-thousandths.
func payout(stake, coef int64) (int64, error) {
	const hundredths = 100 // ten-thousandths in a hundredth
	high, low := bits.Mul64(uint64(stake), uint64(coef))
	low, carry := bits.Add64(low, coefOne*hundredths/2, 0)
	high += carry
	if high >= coefOne*hundredths {
		return 0, errTooLarge
	}
	cents, _ := bits.Div64(high, low, coefOne*hundredths)
	if cents > math.MaxInt64/hundredths {
		return 0, errTooLarge
	}
	return int64(cents) * hundredths, nil
}

// combine is the coefficient of an express: the exact product, rounded half up to two decimals
// (4.82 × 2.55 = 12.291 → 12.29). A single's coefficient stays as it is.
func combine(coefs []int64) (int64, error) {
	if len(coefs) == 1 {
		return coefs[0], nil
	}
	product := big.NewInt(1)
	for _, c := range coefs {
		product.Mul(product, big.NewInt(c))
	}
	// The product counts 10^-(6n); a hundredth is 10^(6n-2) of it.
	hundredth := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(coefDigits*len(coefs)-2)), nil)
	product.Add(product, new(big.Int).Rsh(hundredth, 1))
	product.Div(product, hundredth)
	if !product.IsInt64() || product.Int64() > math.MaxInt64/(coefOne/100) {
		return 0, errTooLarge
	}
	return product.Int64() * (coefOne / 100), nil
}
