package money

import (
	"errors"
	"testing"
)

// Coefficients of a program that counts in floats are rounded as its amounts are.
func TestCoefRoundsFloatNoise(t *testing.T) {
	t.Parallel()
	for text, want := range map[Number]string{
		"1.8500000000000003": "1.85", "1.8499999999999999": "1.85", "12.2910000000000021": "12.291",
		"1.2345675": "1.234568", "1.2345674999": "1.234567", "18500000000000003e-16": "1.85",
	} {
		if got, err := text.Coef(); err != nil || got.String() != want {
			t.Errorf("Coef(%s) = %s, %v, want %s", text, got, err, want)
		}
	}
	for text, want := range map[Number]error{
		"1,85": ErrSyntax, "-1.8500000000000003": ErrOverflow, "-0.0000000000001": ErrOverflow,
		"0.00000000001": ErrOverflow, "9223372036854.7758079": ErrOverflow, "": ErrSyntax,
	} {
		if got, err := text.Coef(); !errors.Is(err, want) {
			t.Errorf("Coef(%s) = %s, %v, want %v", text, got, err, want)
		}
	}
}
