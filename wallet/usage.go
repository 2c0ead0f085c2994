package wallet

import (
	"math"
	"time"

	"evens/ledger"
	"evens/money"
)

// quarter is the grain in which usage is kept: every time zone's days begin with one.
const quarter = 15 * time.Minute

// keptUsage is how far back a window can reach, with a day to spare.
const keptUsage = 32 * 24 * time.Hour

// Quarter is the quarter of an hour that a time is in.
func Quarter(at time.Time) time.Time { return at.UTC().Truncate(quarter) }

// Usage is what counts towards limits: deposited, lost, wagered.
type Usage [measures]money.Amount

func (u *Usage) add(more Usage) {
	for m := range u {
		u[m] = plus(u[m], more[m])
	}
}

// plus adds without running over: a sum beyond all bounds is beyond every limit too.
func plus(a, b money.Amount) money.Amount {
	sum, err := a.Add(b)
	switch {
	case err == nil:
		return sum
	case b > 0:
		return math.MaxInt64
	default:
		return math.MinInt64
	}
}

// UsageOf is what a transaction counts; nothing where it has no time to count at.
func UsageOf(t *ledger.Transaction) Usage {
	if t.Effective.IsZero() {
		return Usage{}
	}
	if traits, _ := t.Kind.Traits(); traits.Deposits {
		return Usage{Deposits: t.Amount}
	}
	return Usage{Losses: -t.Cash(), Wagers: t.Staked}
}
