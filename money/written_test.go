package money

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestWritten(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		currency Currency
		amount   string
		want     string
	}{
		{"USD", "23740.43", "23,740.43"},
		{"USD", "0", "0.00"},
		{"USD", "-130.5", "-130.50"},
		{"USD", "-1234567", "-1,234,567.00"},
		{"USD", "999", "999.00"},
		{"USD", "1000", "1,000.00"},
		{"USD", "0.0001", "0.0001"}, // more than a cent can say: shown, not hidden
		{"JPY", "1000", "1,000"},
		{"JPY", "100", "100"},
		{"JPY", "100000", "100,000"},
		{"KWD", "1", "1.000"},
		{"KWD", "-1234.5", "-1,234.500"},
		{"UYW", "1000", "1,000.0000"},
	} {
		if got := test.currency.Written(MustParse(test.amount)); got != test.want {
			t.Errorf("%s Written(%s) = %q, want %q", test.currency, test.amount, got, test.want)
		}
	}
}

// What is written says the amount, whatever the currency.
func TestWrittenSaysTheAmount(t *testing.T) {
	t.Parallel()
	all := Currencies()
	if len(all) < 150 || !slices.Contains(all, "USD") || !slices.Contains(all, "KWD") || !slices.IsSorted(all) {
		t.Fatalf("Currencies() = %v", all)
	}
	rapid.Check(t, func(t *rapid.T) {
		c := rapid.SampledFrom(all).Draw(t, "currency")
		a := Amount(rapid.Int64Range(int64(-Largest), int64(Largest)).Draw(t, "amount"))
		if back, err := Parse(strings.ReplaceAll(c.Written(a), ",", "")); err != nil || back != a {
			t.Fatalf("%s Written(%d) = %q, which reads %d, %v", c, a, c.Written(a), back, err)
		}
	})
}
