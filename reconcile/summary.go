package reconcile

import (
	"encoding/json"

	"evens/money"
)

// Sum is what a run has moved, or would move, in one currency: paid to players, given back to them, and
// what a person may have to take from them.
type Sum struct {
	Paid, GivenBack, Taken money.Amount
}

// MarshalJSON writes amounts in major units.
func (s Sum) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string]string{"paid": s.Paid.String(), "given_back": s.GivenBack.String(), "taken": s.Taken.String()})
}

// sums adds up what breaks move by their actions. Sums stop growing where they would overflow.
func sums(breaks []*Break) map[string]Sum {
	total := make(map[string]Sum)
	add := func(to *money.Amount, amount money.Amount) {
		if size, err := amount.Abs(); err == nil {
			if sum, err := to.Add(size); err == nil {
				*to = sum
			}
		}
	}
	for _, b := range breaks {
		sum := total[b.Currency]
		switch {
		case b.Action == ActPost:
			add(&sum.Paid, b.Amount)
		case b.Action == ActRollback:
			add(&sum.GivenBack, b.Amount)
		case b.Action == ActSettle:
			add(&sum.Paid, b.gain)
		case b.Action == ActPerson && b.Kind == MissingThere && b.Amount > 0:
			add(&sum.Taken, b.Amount)
		default:
			continue
		}
		total[b.Currency] = sum
	}
	return total
}
