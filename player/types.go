package player

import (
	"strings"

	"evens/ledger"
)

// UnknownType returns the first of the names that is no type of transaction; ok = false where all are.
func UnknownType(names []string) (name string, ok bool) {
	for _, name := range names {
		traits, known := ledger.Kind(strings.TrimSpace(name)).Traits()
		if !known || traits.Class == ledger.HouseMoney {
			return name, true
		}
	}
	return "", false
}
