package money

import (
	"encoding/json"
	"errors"
	"math"
	"math/big"
	"testing"

	"pgregory.net/rapid"
)

func TestParse(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		text string
		want Amount
		err  error
	}{
		{"0", 0, nil},
		{"150", 1_500_000, nil},
		{"150.00", 1_500_000, nil},
		{"0.0001", 1, nil},
		{"-0.01", -100, nil},
		{"1.50000", 15_000, nil},
		{"1000000000000", Largest, nil},
		{"-1000000000000.0000", -Largest, nil},
		{"1000000000000.0001", 0, ErrOverflow},
		{"-1000000000000.0001", 0, ErrOverflow},
		{"922337203685477.5807", 0, ErrOverflow},
		{"922337203685477.5808", 0, ErrOverflow},
		{"99999999999999999999999999", 0, ErrOverflow},
		{"1.00001", 0, ErrDecimals},
		{"", 0, ErrSyntax},
		{"-", 0, ErrSyntax},
		{".5", 0, ErrSyntax},
		{"5.", 0, ErrSyntax},
		{"+5", 0, ErrSyntax},
		{"1e3", 0, ErrSyntax},
		{"1,000.00", 0, ErrSyntax},
		{" 1", 0, ErrSyntax},
		{"--1", 0, ErrSyntax},
		{"٣", 0, ErrSyntax},
		{"NaN", 0, ErrSyntax},
	} {
		got, err := Parse(test.text)
		if got != test.want || !errors.Is(err, test.err) {
			t.Errorf("Parse(%q) = %d, %v, want %d, %v", test.text, got, err, test.want, test.err)
		}
	}
}

func TestString(t *testing.T) {
	t.Parallel()
	for amount, want := range map[Amount]string{
		0: "0.00", 1: "0.0001", 100: "0.01", 15_000: "1.50", 15_005: "1.5005", -1: "-0.0001", -15_000: "-1.50",
		math.MaxInt64: "922337203685477.5807", math.MinInt64: "-922337203685477.5808",
	} {
		if got := amount.String(); got != want {
			t.Errorf("Amount(%d).String() = %q, want %q", int64(amount), got, want)
		}
	}
}

func TestAmountsNeverWrap(t *testing.T) {
	t.Parallel()
	if sum, err := Amount(math.MaxInt64).Add(1); !errors.Is(err, ErrOverflow) {
		t.Errorf("max + 1 = %d, %v", sum, err)
	}
	if sum, err := Amount(math.MinInt64).Add(-1); !errors.Is(err, ErrOverflow) {
		t.Errorf("min − 1 = %d, %v", sum, err)
	}
	if difference, err := Amount(0).Sub(math.MinInt64); !errors.Is(err, ErrOverflow) {
		t.Errorf("0 − min = %d, %v", difference, err)
	}
	if _, err := Amount(math.MinInt64).Abs(); !errors.Is(err, ErrOverflow) {
		t.Errorf("|min|: %v", err)
	}
	if _, err := Amount(math.MaxInt64).MulDiv(math.MaxInt64, 1, 1); !errors.Is(err, ErrOverflow) {
		t.Errorf("max × max: %v", err)
	}
}

// Whatever Add and Sub answer is what exact arithmetic says, or an overflow where it does not fit.
func TestAddAndSubAgreeWithExactArithmetic(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, b := Amount(rapid.Int64().Draw(t, "a")), Amount(rapid.Int64().Draw(t, "b"))
		for _, operation := range []struct {
			name  string
			ours  func() (Amount, error)
			exact *big.Int
		}{
			{"sum", func() (Amount, error) { return a.Add(b) }, new(big.Int).Add(big.NewInt(int64(a)), big.NewInt(int64(b)))},
			{"difference", func() (Amount, error) { return a.Sub(b) }, new(big.Int).Sub(big.NewInt(int64(a)), big.NewInt(int64(b)))},
		} {
			got, err := operation.ours()
			if operation.exact.IsInt64() && operation.name == "sum" && (err != nil || int64(got) != operation.exact.Int64()) {
				t.Fatalf("%s of %d and %d = %d, %v, want %s", operation.name, a, b, got, err, operation.exact)
			}
			if err == nil && int64(got) != operation.exact.Int64() {
				t.Fatalf("%s of %d and %d wrapped to %d", operation.name, a, b, got)
			}
			if !operation.exact.IsInt64() && err == nil {
				t.Fatalf("%s of %d and %d does not fit, and was answered %d", operation.name, a, b, got)
			}
		}
	})
}

func TestMulDivAgreesWithExactArithmetic(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a := rapid.Int64Min(0).Draw(t, "a")
		num := rapid.Int64Min(0).Draw(t, "num")
		den := rapid.Int64Min(1).Draw(t, "den")
		unit := rapid.SampledFrom([]int64{1, 10, 100, 10_000}).Draw(t, "unit")
		got, err := Amount(a).MulDiv(num, den, Amount(unit))

		// round half up (a × num ÷ den ÷ unit) × unit
		product := new(big.Int).Mul(big.NewInt(a), big.NewInt(num))
		divisor := new(big.Int).Mul(big.NewInt(den), big.NewInt(unit))
		twice := new(big.Int).Add(new(big.Int).Lsh(product, 1), divisor)
		want := new(big.Int).Div(twice, new(big.Int).Lsh(divisor, 1))
		want.Mul(want, big.NewInt(unit))
		if err == nil && want.Cmp(big.NewInt(int64(got))) != 0 {
			t.Fatalf("%d × %d ÷ %d to %d = %d, want %s", a, num, den, unit, got, want)
		}
		if err != nil && want.IsInt64() && divisor.IsInt64() {
			t.Fatalf("%d × %d ÷ %d to %d: %v, want %s", a, num, den, unit, err, want)
		}
	})
}

func TestCoefTimesStakeRoundsHalfUp(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ stake, coef, currency, want string }{
		{"15.50", "1.99", "USD", "30.85"}, // 30.845, BeT's own example
		{"150.00", "12.29", "USD", "1843.50"},
		{"0.01", "1.49", "USD", "0.01"},
		{"0.01", "1.50", "USD", "0.02"},
		{"100", "1.005", "JPY", "101"}, // 100.5: no yen are cut in half
		{"1.000", "1.0005", "KWD", "1.001"},
	} {
		coef, err := ParseCoef(test.coef)
		if err != nil {
			t.Fatal(err)
		}
		got, err := coef.Times(MustParse(test.stake), Currency(test.currency))
		if err != nil || got != MustParse(test.want) {
			t.Errorf("%s × %s %s = %s, %v, want %s", test.stake, test.coef, test.currency, got, err, test.want)
		}
	}
}

func TestCoefProduct(t *testing.T) {
	t.Parallel()
	a, b := Coef(4_820_000), Coef(2_550_000)
	if got, err := a.Mul(b); err != nil || got != 12_291_000 {
		t.Errorf("4.82 × 2.55 = %s, %v, want 12.291", got, err)
	}
	for _, text := range []string{"0", "-1.5", "1.0000001", "x"} {
		if got, err := ParseCoef(text); err == nil {
			t.Errorf("ParseCoef(%q) = %s, want an error", text, got)
		}
	}
}

func TestCurrency(t *testing.T) {
	t.Parallel()
	for code, unit := range map[string]string{"USD": "0.01", "BRL": "0.01", "JPY": "1", "KWD": "0.001"} {
		currency, err := ParseCurrency(code)
		if err != nil || currency.MinorUnit() != MustParse(unit) {
			t.Errorf("%s: unit %s, %v, want %s", code, currency.MinorUnit(), err, unit)
		}
	}
	for _, code := range []string{"", "usd", "US", "USDT", "ZZZ", "U$D", "ÄÖ"} {
		if currency, err := ParseCurrency(code); !errors.Is(err, ErrCurrency) {
			t.Errorf("ParseCurrency(%q) = %q, %v, want ErrCurrency", code, currency, err)
		}
	}
}

// Providers write numbers as they please.
func TestNumber(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ json, want string }{
		{`30.85`, "30.85"},
		{`"30.85"`, "30.85"},
		{`11130`, "11130.00"},
		{`1.113e4`, "11130.00"},
		{`"1E-2"`, "0.01"},
		{`19.849999999999998`, "19.85"},
		{`-0.00005`, "-0.0001"},
		{`" 7 "`, "7.00"},
	} {
		var n Number
		if err := json.Unmarshal([]byte(test.json), &n); err != nil {
			t.Errorf("%s: %v", test.json, err)
			continue
		}
		if got, err := n.Amount(); err != nil || got != MustParse(test.want) {
			t.Errorf("%s = %s, %v, want %s", test.json, got, err, test.want)
		}
	}
	for _, text := range []string{`"abc"`, `true`, `{}`, `[1]`, `"1e999999999"`, `"0x10"`, `"1.2.3"`, `"Infinity"`} {
		var n Number
		if err := json.Unmarshal([]byte(text), &n); err == nil {
			t.Errorf("%s was read as %q", text, n)
		}
	}
	var missing Number
	if err := json.Unmarshal([]byte(`null`), &missing); err != nil || missing != "" {
		t.Errorf("null = %q, %v", missing, err)
	}
}

// What is read and written again is the same amount, and nothing makes the parser panic.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{"0", "150.00", "-0.0001", "922337203685477.5807", "1e9", "..", "9999999999999999999"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		amount, err := Parse(text)
		if err != nil {
			return
		}
		if again, err := Parse(amount.String()); err != nil || again != amount {
			t.Errorf("Parse(%q) = %s, read again %s, %v", text, amount, again, err)
		}
	})
}

func FuzzNumber(f *testing.F) {
	for _, seed := range []string{`1`, `"30.85"`, `1.113e4`, `null`, `"x"`, `-1e-40`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var n Number
		if n.UnmarshalJSON(data) != nil || n == "" {
			return
		}
		exact, ok := new(big.Rat).SetString(string(n))
		if !ok {
			t.Fatalf("%q was taken and is no number", n)
		}
		amount, err := n.Amount()
		if err != nil {
			return
		}
		difference := new(big.Rat).Sub(exact, big.NewRat(int64(amount), Scale))
		if difference.Abs(difference).Cmp(big.NewRat(1, 2*Scale)) > 0 {
			t.Errorf("%q = %s, more than half a unit off", n, amount)
		}
	})
}
