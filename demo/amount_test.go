package demo_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"evens/demo"
	"evens/internal/testbed/browser"
	"evens/money"
)

// betslipOf opens the page without an Evens behind it: its modules can be called, and nobody is logged in.
func betslipOf(t *testing.T) *browser.Page {
	t.Helper()
	mux := http.NewServeMux()
	mux.Handle("GET "+demo.BetslipPath, demo.Betslip())
	mux.Handle("GET "+demo.BetslipPath+"/", demo.Betslip())
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return browser.Open(t, server.URL+demo.BetslipPath, 800, 600)
}

// reading is what the page makes of an amount that is typed.
type reading struct {
	Amount   string   `json:"amount"`
	Meanings []string `json:"meanings"`
	Fault    string   `json:"fault"`
}

func TestAmountsAreReadByOneRule(t *testing.T) {
	t.Parallel()
	tests := []struct {
		currency, typed string
		want            reading
	}{
		// as the page writes
		{"USD", "5", reading{Amount: "5.00"}},
		{"USD", "5.5", reading{Amount: "5.50"}},
		{"USD", "0.01", reading{Amount: "0.01"}},
		{"USD", "1,000.00", reading{Amount: "1000.00"}},
		{"USD", "12,345,678.90", reading{Amount: "12345678.90"}},
		{"USD", "12,345,678.90 USD", reading{Amount: "12345678.90"}},
		{"USD", " 005.00 ", reading{Amount: "5.00"}},
		{"JPY", "1,000", reading{Amount: "1000"}},
		{"JPY", "12,345,678", reading{Amount: "12345678"}},
		{"KWD", "1.000", reading{Amount: "1.000"}},
		{"KWD", "1,234.567", reading{Amount: "1234.567"}},
		{"UYW", "0.0001", reading{Amount: "0.0001"}},
		{"IQD", "1.500", reading{Amount: "1.500"}}, // ISO 4217 gives it three, browsers show none
		// the other way round, where it can mean nothing else
		{"USD", "2,50", reading{Amount: "2.50"}},
		{"USD", "2,5", reading{Amount: "2.50"}},
		{"USD", "1.000,50", reading{Amount: "1000.50"}},
		{"USD", "1.000.000", reading{Amount: "1000000.00"}},
		{"USD", "1,000,000", reading{Amount: "1000000.00"}},
		{"USD", "1 000", reading{Amount: "1000.00"}},
		{"USD", "1\u202f000,50", reading{Amount: "1000.50"}},
		{"USD", "1'000.50", reading{Amount: "1000.50"}},
		{"KWD", "0,500", reading{Amount: "0.500"}},
		{"KWD", "1234,567", reading{Amount: "1234.567"}},
		// doubtful
		{"USD", "1,000", reading{Meanings: []string{"1000.00", "1.00"}}},
		{"USD", "1.000", reading{Meanings: []string{"1000.00", "1.00"}}},
		{"USD", "12,500", reading{Meanings: []string{"12500.00", "12.50"}}},
		{"USD", "1,234", reading{Meanings: []string{"1234.00"}}},
		{"USD", "999.999", reading{Meanings: []string{"999999.00"}}},
		{"JPY", "1.000", reading{Meanings: []string{"1000", "1"}}},
		{"KWD", "1,000", reading{Meanings: []string{"1000.000", "1.000"}}},
		{"UYW", "1.000", reading{Meanings: []string{"1000.0000", "1.0000"}}},
		// nothing that can be taken
		{"USD", "", reading{Fault: "number"}},
		{"USD", "much", reading{Fault: "number"}},
		{"USD", "-5", reading{Fault: "number"}},
		{"USD", "+5", reading{Fault: "number"}},
		{"USD", "1e3", reading{Fault: "number"}},
		{"USD", "0x10", reading{Fault: "number"}},
		{"USD", "٥", reading{Fault: "number"}},
		{"USD", "5.", reading{Fault: "number"}},
		{"USD", ".5", reading{Fault: "number"}},
		{"USD", "1,00,000.00", reading{Fault: "number"}},
		{"USD", "1,0000.00", reading{Fault: "number"}},
		{"USD", "1,000.000,00", reading{Fault: "number"}},
		{"USD", "1,,000", reading{Fault: "number"}},
		{"USD", "1 00", reading{Fault: "number"}},
		{"USD", "5.00 EUR", reading{Fault: "number"}},
		{"USD", "5.0000", reading{Fault: "decimals"}},
		{"USD", "0.005", reading{Fault: "decimals"}},
		{"USD", "1,000.500", reading{Fault: "decimals"}},
		{"JPY", "5.5", reading{Fault: "decimals"}},
		{"JPY", "1,000.00", reading{Fault: "decimals"}},
		{"KWD", "1.0001", reading{Fault: "decimals"}},
		{"USD", "0", reading{Fault: "zero"}},
		{"USD", "0.00", reading{Fault: "zero"}},
		{"USD", "1000000000000", reading{Fault: "large"}},
	}
	p := betslipOf(t)
	for _, test := range tests {
		call, err := json.Marshal([]string{test.typed, test.currency})
		if err != nil {
			t.Fatal(err)
		}
		got := browser.Evaluate[reading](t, p, `import("/demo/betslip/amount.js").then(m => m.read(...`+string(call)+`))`)
		if got.Amount != test.want.Amount || got.Fault != test.want.Fault || !slices.Equal(got.Meanings, test.want.Meanings) {
			t.Errorf("%q %s reads %+v, want %+v", test.typed, test.currency, got, test.want)
		}
	}
}

// Whatever the page writes can be typed again, in every currency, and is what Evens writes in the console.
func TestAmountsThatAreWrittenCanBeTyped(t *testing.T) {
	t.Parallel()
	type sample struct {
		Currency money.Currency `json:"currency"`
		Plain    string         `json:"plain"`
		Written  string         `json:"written"`
	}
	var samples []sample
	for _, c := range money.Currencies() {
		unit := c.MinorUnit()
		for _, n := range []money.Amount{1, 7, 99, 100, 999, 1000, 1001, 123456, 100000, 1000000, 1000000000} {
			samples = append(samples, sample{c, (n * unit).String(), c.Written(n * unit)}, sample{c, (n * money.Scale).String(), c.Written(n * money.Scale)})
		}
	}
	list, err := json.Marshal(samples)
	if err != nil {
		t.Fatal(err)
	}
	p := betslipOf(t)
	for _, wrong := range browser.Evaluate[[]string](t, p, `import("/demo/betslip/amount.js").then(({ read, write, plain }) => `+string(list)+`.flatMap(s => {
		const written = write(s.plain, s.currency), back = read(written, s.currency);
		return written === s.written && back.amount === plain(s.plain, s.currency) ? [] : [[s.currency, s.plain, s.written, written, JSON.stringify(back)].join(" ")];
	}))`) {
		t.Error(wrong)
	}
}
