package api

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"evens/ledger"
)

// The document of the API names every kind that a history can show, and no other.
func TestTheDocumentNamesEveryTypeOfTransaction(t *testing.T) {
	t.Parallel()
	field, _ := reflect.TypeFor[transactionView]().FieldByName("Type")
	named := strings.Split(field.Tag.Get("doc"), ", ")
	slices.Sort(named)
	var shown []string
	for _, kind := range ledger.Kinds(func(t ledger.Traits) bool { return !t.Hidden && t.Class != ledger.HouseMoney }) {
		shown = append(shown, string(kind))
	}
	if !slices.Equal(named, shown) {
		t.Errorf("named are %v\nshown %v", named, shown)
	}
}
