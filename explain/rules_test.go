package explain

import (
	"testing"

	"evens/ledger"
)

// Every kind of transaction has its reason in words.
func TestEveryKindHasItsReason(t *testing.T) {
	t.Parallel()
	for _, kind := range ledger.Kinds(func(ledger.Traits) bool { return true }) {
		if rules[kind] == "" {
			t.Errorf("%s has none", kind)
		}
	}
}
