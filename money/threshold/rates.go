package threshold

import (
	_ "embed" // the table
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"go.yaml.in/yaml/v3"

	"evens/money"
)

// Rates say roughly what a US dollar is worth in other currencies, on a day. They are for thresholds
// and for nothing else.
type Rates struct {
	Date time.Time
	of   map[money.Currency]money.Coef // units of the currency for one US dollar
}

//go:embed rates.yaml
var shippedRates string

// Shipped is the table that comes with the program.
var Shipped = sync.OnceValue(func() *Rates {
	rates, err := ReadRates(strings.NewReader(shippedRates))
	if err != nil {
		panic(err) // a test reads it
	}
	return rates
})

// ReadRates reads a table: date, and rates by currency, in the form of the one that is shipped.
func ReadRates(r io.Reader) (*Rates, error) {
	var file struct {
		Date  string               `yaml:"date"`
		Rates map[string]yaml.Node `yaml:"rates"` // nodes: a rate is read as it is written
	}
	decoder := yaml.NewDecoder(r)
	decoder.KnownFields(true)
	if err := decoder.Decode(&file); err != nil {
		return nil, fmt.Errorf("rates: %w", err)
	}
	date, err := time.Parse(time.DateOnly, file.Date)
	if err != nil {
		return nil, fmt.Errorf("rates: date: %q is not a day such as 2026-01-31", file.Date)
	}
	rates := &Rates{Date: date, of: make(map[money.Currency]money.Coef, len(file.Rates))}
	for code, node := range file.Rates {
		currency, err := money.ParseCurrency(code)
		if err != nil {
			return nil, fmt.Errorf("rates: %w", err)
		}
		rate, err := money.ParseCoef(node.Value)
		if err != nil || node.Kind != yaml.ScalarNode {
			return nil, fmt.Errorf("rates: %s: %q is no rate above zero with at most 6 decimals", code, node.Value)
		}
		rates.of[currency] = rate
	}
	if len(rates.of) == 0 {
		return nil, errors.New("rates: there are none")
	}
	return rates, nil
}

// worth is a sum of US dollars in another currency; ok = false where there is no rate.
func (r *Rates) worth(dollars money.Amount, in money.Currency) (sum money.Amount, ok bool) {
	rate, ok := r.of[in]
	if !ok {
		return 0, false
	}
	sum, err := dollars.MulDiv(int64(rate), money.CoefScale, 1)
	if err != nil {
		return most, true
	}
	return sum, true
}
