// Package threshold says how much money is a lot, in any currency: what needs a second pair of eyes.
package threshold

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	iso "github.com/bojanz/currency"
	"go.yaml.in/yaml/v3"

	"evens/money"
)

const most = money.Amount(math.MaxInt64)

// Sums are a threshold: a sum of US dollars, which counts in other currencies by rough rates, sums of
// currencies, or both. The zero value is one that nobody has said.
type Sums struct {
	said    bool
	dollars money.Amount
	worth   bool // dollars is said
	of      map[money.Currency]money.Amount
	rates   *Rates // nil: those that are shipped
}

// Dollars is a threshold of so much in US dollars, or as much as that is worth elsewhere.
func Dollars(amount money.Amount) Sums { return Sums{said: true, dollars: amount, worth: true} }

// Said reports whether there is a threshold; zero is one.
func (s Sums) Said() bool { return s.said }

// Or returns the threshold, or another where nobody has said it.
func (s Sums) Or(other Sums) Sums {
	if s.said {
		return s
	}
	return other
}

// By returns the threshold counted by other rates; nil: those that are shipped.
func (s Sums) By(rates *Rates) Sums {
	s.rates = rates
	return s
}

// In returns the threshold in a currency; ok = false where there is neither a sum of that currency nor a
// rate: whatever it is waits for a person then.
func (s Sums) In(currency money.Currency) (sum money.Amount, ok bool) {
	if sum, ok = s.of[currency]; ok || !s.worth {
		return sum, ok
	}
	rates := s.rates
	if rates == nil {
		rates = Shipped()
	}
	return rates.worth(s.dollars, currency)
}

// Exceeded reports whether an amount, either way, is above the threshold, or nobody can tell.
func (s Sums) Exceeded(amount money.Amount, currency money.Currency) bool {
	sum, ok := s.In(currency)
	return !ok || amount > sum || amount < -sum
}

// All lists the threshold in every currency that has one.
func (s Sums) All() (currencies []string, sums []int64) {
	codes := slices.Clone(iso.GetCurrencyCodes())
	for currency := range s.of {
		codes = append(codes, string(currency))
	}
	slices.Sort(codes)
	for _, code := range slices.Compact(codes) {
		if sum, ok := s.In(money.Currency(code)); ok {
			currencies, sums = append(currencies, code), append(sums, int64(sum))
		}
	}
	return currencies, sums
}

// Parse reads a threshold: "1000", "USD=1000,VND=25000000", or both kinds together.
func Parse(text string) (Sums, error) {
	var s Sums
	for part := range strings.SplitSeq(text, ",") {
		currency, amount, named := strings.Cut(strings.TrimSpace(part), "=")
		if !named {
			currency, amount = "", currency
		} else if currency = strings.TrimSpace(currency); currency == "" {
			return Sums{}, fmt.Errorf("%q names no currency", part)
		}
		if err := s.add(currency, strings.TrimSpace(amount)); err != nil {
			return Sums{}, err
		}
	}
	return s, nil
}

// add adds a sum; "" is the currency of US dollars' worth.
func (s *Sums) add(code, text string) error {
	amount, err := money.Parse(text)
	switch {
	case err != nil:
		return fmt.Errorf("%q is no amount such as 1000, or USD=1000,VND=25000000: %w", text, err)
	case amount < 0:
		return fmt.Errorf("%q is below zero", text)
	case code == "" && s.worth:
		return errors.New("there are two sums without a currency")
	}
	s.said = true
	if code == "" {
		s.dollars, s.worth = amount, true
		return nil
	}
	currency, err := money.ParseCurrency(code)
	if err != nil {
		return err
	}
	if _, twice := s.of[currency]; twice {
		return fmt.Errorf("%s is there twice", code)
	}
	if !currency.Holds(amount) {
		return fmt.Errorf("%s=%s has more decimals than the currency: %d", code, text, currency.Decimals())
	}
	if s.of == nil {
		s.of = make(map[money.Currency]money.Amount)
	}
	s.of[currency] = amount
	return nil
}

// UnmarshalYAML implements yaml.Unmarshaler: a sum, a list as Parse reads it, or a map by currency.
func (s *Sums) UnmarshalYAML(node *yaml.Node) error {
	*s = Sums{}
	switch node.Kind {
	case yaml.ScalarNode:
		if node.Tag == "!!null" || node.Value == "" {
			return nil
		}
		read, err := Parse(node.Value)
		*s = read
		return err
	case yaml.MappingNode:
		for i := 0; i+1 < len(node.Content); i += 2 {
			if node.Content[i].Value == "" || node.Content[i+1].Kind != yaml.ScalarNode {
				return fmt.Errorf("line %d: wants a currency and its sum", node.Content[i].Line)
			}
			if err := s.add(node.Content[i].Value, node.Content[i+1].Value); err != nil {
				return err
			}
		}
		if !s.said {
			return errors.New("there is no sum")
		}
		return nil
	default:
		return errors.New("is neither a sum nor a map of sums by currency")
	}
}
