package reconcile

import (
	"strings"
	"testing"

	"evens/money"
)

// What heals by itself counts by currency; nothing said is a thousand dollars' worth, zero is nothing.
func TestHealLimitByCurrency(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		policy, amount, currency string
		heals                    bool
	}{
		{"", "1000", "USD", true}, {"", "1000.01", "USD", false}, {"", "190000", "VND", true}, {"", "-190000", "VND", true},
		{"", "950", "KWD", false}, {"", "250", "KWD", true}, {"", "1", "XAD", false}, {"", "1", "", false},
		{"heal_limit: 0", "0.01", "USD", false}, {`heal_limit: "0"`, "500", "USD", false}, {`heal_limit: "0"`, "0", "USD", false},
		{"heal_limit: {USD: 10, VND: 25000000}", "25000000", "VND", true}, {"heal_limit: {USD: 10, VND: 25000000}", "11", "USD", false},
		{"heal_limit: {USD: 10, VND: 25000000}", "1", "EUR", false}, {"heal_limit: USD=10,EUR=0", "1", "EUR", false},
		{"heal_limit: 50", "50", "USD", true}, {"heal_limit: 50", "50", "KWD", false},
		{"rules: [{provider: cashier, action: person}]", "5", "USD", true}, {"rules: [{provider: tg, action: person}]", "5", "USD", false},
	} {
		policy, err := ReadPolicy(strings.NewReader(test.policy), []string{BeT, "tg", "cashier"})
		if err != nil {
			t.Errorf("%s: %v", test.policy, err)
			continue
		}
		if got := policy.allows("tg", MissingThere, money.MustParse(test.amount), money.Currency(test.currency)); got != test.heals {
			t.Errorf("%q: %s %s heals: %t", test.policy, test.amount, test.currency, got)
		}
	}
}
