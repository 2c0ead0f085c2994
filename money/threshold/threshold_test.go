package threshold

import (
	"strings"
	"testing"

	iso "github.com/bojanz/currency"
	"go.yaml.in/yaml/v3"

	"evens/money"
)

func TestThresholdsCountByCurrency(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		text, currency, amount string
		exceeded               bool
	}{
		{"1000", "USD", "1000", false}, {"1000", "USD", "1000.01", true}, {"1000", "USD", "-1000.01", true},
		{"1000", "VND", "190000", false}, {"1000", "VND", "50000000", true},
		{"1000", "KWD", "250", false}, {"1000", "KWD", "950", true},
		{"1000", "XAD", "0.01", true}, {"1000", "DEM", "1", true}, // nobody can tell
		{"USD=1000,VND=25000000", "USD", "1000", false}, {"USD=1000, VND=25000000", "VND", "25000001", true},
		{"USD=1000,VND=25000000", "EUR", "1", true},
		{"1000,VND=1", "VND", "2", true}, {"1000,VND=1", "EUR", "800", false},
		{"0", "USD", "0.01", true}, {"0", "USD", "0", false}, {"KWD=0.001", "KWD", "0.001", false},
		{"900000000000", "IRR", "900000000000", false}, // more than can be counted
	} {
		sums, err := Parse(test.text)
		if err != nil || !sums.Said() {
			t.Errorf("%s: %v", test.text, err)
			continue
		}
		if got := sums.Exceeded(money.MustParse(test.amount), money.Currency(test.currency)); got != test.exceeded {
			t.Errorf("%s: %s %s exceeds it: %t", test.text, test.amount, test.currency, got)
		}
	}
	for _, text := range []string{"", "x", "-1", "1,2", "USD=", "=1", "usd=1", "DEM=1", "USD=1,USD=2", "JPY=0.5", "1000 USD", "1,000.00"} {
		if sums, err := Parse(text); err == nil {
			t.Errorf("%q was read as %+v", text, sums)
		}
	}
}

func TestThresholdsInYAML(t *testing.T) {
	t.Parallel()
	for text, said := range map[string]bool{
		`x: 1000`: true, `x: "1000"`: true, `x: {USD: 1000, VND: "25000000"}`: true, `x: USD=1000,VND=25000000`: true, `x: 0`: true, `x: ""`: false,
		`x:`: false, `y: 1`: false, `x: 1000.50`: true,
	} {
		var file struct{ X Sums }
		if err := yaml.Unmarshal([]byte(text), &file); err != nil || file.X.Said() != said {
			t.Errorf("%s: %+v, %v", text, file.X, err)
		}
	}
	for _, text := range []string{`x: [1]`, `x: {USD: x}`, `x: {USD: {}}`, `x: {}`, `x: {usd: 1}`, `x: 1e3`, `x: -1`, `x: {USD: 1, USD: 2}`} {
		var file struct{ X Sums }
		if err := yaml.Unmarshal([]byte(text), &file); err == nil {
			t.Errorf("%s was read as %+v", text, file.X)
		}
	}
}

// A rate for every currency that people have in their pockets; units of account have none.
func TestShippedRates(t *testing.T) {
	t.Parallel()
	without := map[string]bool{"BOV": true, "CHE": true, "CHW": true, "CLF": true, "COU": true, "MXV": true, "USN": true, "UYI": true, "UYW": true, "XAD": true}
	for _, code := range iso.GetCurrencyCodes() {
		if _, ok := Dollars(money.Scale).In(money.Currency(code)); ok == without[code] {
			t.Errorf("%s has a rate: %t", code, ok)
		}
	}
	if Shipped().Date.IsZero() {
		t.Error("the table bears no date")
	}
	currencies, sums := Dollars(money.Scale).All()
	if len(currencies) != len(sums) || len(currencies) != len(Shipped().of) {
		t.Errorf("%d currencies, %d sums, %d rates", len(currencies), len(sums), len(Shipped().of))
	}
}

func TestOtherRates(t *testing.T) {
	t.Parallel()
	rates, err := ReadRates(strings.NewReader("date: 2026-10-01\nrates: {EUR: 2, USD: 1}\n"))
	if err != nil {
		t.Fatal(err)
	}
	if sum, ok := Dollars(money.MustParse("10")).By(rates).In("EUR"); !ok || sum != money.MustParse("20") {
		t.Errorf("10 dollars are %s euros", sum)
	}
	if _, ok := Dollars(money.MustParse("10")).By(rates).In("GBP"); ok {
		t.Error("a rate that the file does not have")
	}
	for _, text := range []string{
		"", "date: 2026-10-01\nrates: {}", "rates: {EUR: 1}", "date: yesterday\nrates: {EUR: 1}", "date: 2026-10-01\nrates: {EUR: 0}",
		"date: 2026-10-01\nrates: {EUR: -1}", "date: 2026-10-01\nrates: {DEM: 1}", "date: 2026-10-01\nrates: {EUR: [1]}",
		"date: 2026-10-01\nrates: {EUR: 1}\nmore: 1", "date: 2026-10-01\nrates: {EUR: 1e3}",
	} {
		if _, err := ReadRates(strings.NewReader(text)); err == nil {
			t.Errorf("%q was read", text)
		}
	}
}
