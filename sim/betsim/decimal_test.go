package betsim

import (
	"math"
	"testing"
)

func TestDecimals(t *testing.T) {
	t.Parallel()
	tests := []struct {
		text   string
		places int
		n      int64
		back   string
	}{
		{"150", 4, 1_500_000, "150"},
		{"150.00", 4, 1_500_000, "150"},
		{"15.5", 4, 155_000, "15.5"},
		{"0.0001", 4, 1, "0.0001"},
		{"1.99", 6, 1_990_000, "1.99"},
		{"12.290001", 6, 12_290_001, "12.290001"},
		{"0", 4, 0, "0"},
		{"999999999999", 4, 9_999_999_999_990_000, "999999999999"},
	}
	for _, tt := range tests {
		n, err := parseDecimal(tt.text, tt.places)
		if err != nil || n != tt.n {
			t.Errorf("parseDecimal(%s) = %d, %v, want %d", tt.text, n, err, tt.n)
		}
		if got := formatDecimal(n, tt.places); got != tt.back {
			t.Errorf("formatDecimal(%d) = %s, want %s", n, got, tt.back)
		}
	}
	for _, bad := range []string{"", ".", "1.", ".5", "-1", "+1", "1e3", "1.23456", "1,5", "1 ", "٣", "1000000000000"} {
		if n, err := parseDecimal(bad, 4); err == nil {
			t.Errorf("parseDecimal(%q) = %d, want an error", bad, n)
		}
	}
}

// The seed's figures, and the edges of rounding half up.
func TestPayout(t *testing.T) {
	t.Parallel()
	tests := []struct {
		stake string
		coefs []string
		coef  string
		win   string
	}{
		{"15.5", []string{"1.99"}, "1.99", "30.85"},
		{"150", []string{"4.82", "2.55"}, "12.29", "1843.5"},
		{"1", []string{"1.005"}, "1.005", "1.01"},
		{"1", []string{"1.0049"}, "1.0049", "1"},
		{"10", []string{"1.1", "1.05"}, "1.16", "11.6"},
		{"10", []string{"1.1", "1.1"}, "1.21", "12.1"},
		{"1000000", []string{"1000", "1000"}, "1000000", "1000000000000"},
		{"0.01", []string{"1"}, "1", "0.01"},
	}
	for _, tt := range tests {
		stake, _ := parseDecimal(tt.stake, amountDigits)
		var coefs []int64
		for _, c := range tt.coefs {
			n, err := parseDecimal(c, coefDigits)
			if err != nil {
				t.Fatal(err)
			}
			coefs = append(coefs, n)
		}
		coef, err := combine(coefs)
		if err != nil || formatDecimal(coef, coefDigits) != tt.coef {
			t.Errorf("combine(%v) = %s, %v, want %s", tt.coefs, formatDecimal(coef, coefDigits), err, tt.coef)
		}
		win, err := payout(stake, coef)
		if err != nil || formatDecimal(win, amountDigits) != tt.win {
			t.Errorf("payout(%s, %s) = %s, %v, want %s", tt.stake, tt.coef, formatDecimal(win, amountDigits), err, tt.win)
		}
	}
	huge := []int64{math.MaxInt64 / 10, math.MaxInt64 / 10}
	if _, err := combine(huge); err == nil {
		t.Error("combine() of huge coefficients: no error")
	}
	if _, err := payout(math.MaxInt64, math.MaxInt64); err == nil {
		t.Error("payout() of huge figures: no error")
	}
}

func TestBetCodes(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for n := range uint64(100_000) {
		code := betCode(7, n)
		if len(code) != 10 || seen[code] {
			t.Fatalf("betCode(7, %d) = %q, want ten characters never seen before", n, code)
		}
		seen[code] = true
	}
	if betCode(7, 1) == betCode(8, 1) {
		t.Error("two seeds, one code")
	}
}
