package wallet

import (
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgtype"

	"evens/internal/postgres"
	"evens/ledger"
	"evens/money"
)

// allowance is what the rules know of a player beyond the purse: limits, what has been used of them,
// and the bonuses. Only players with limits, or who have had a bonus, have one. Like the purse it
// changes only under the player's lock.
type allowance struct {
	player uuid.UUID
	// revision tells what seldom changes: the rules, earlier, since, and which bonus is active.
	revision int32
	rules    Rules
	quarter  time.Time // that current counts
	starts   [periods]time.Time
	current  Usage
	earlier  [periods]Usage // of each window, up to quarter
	past     []pastUsage    // to be added to earlier quarters
	since    time.Time      // counted from
	bonusID  uuid.NullUUID  // of the active bonus, as it was loaded
	reopened int            // how often that bonus became active again
	wagered  money.Amount   // towards it
	active   *Bonus
	bonuses  map[uuid.UUID]*Bonus // those that a batch may meet

	stale    bool // it was loaded from an earlier quarter than it counts now
	fresh    bool // its row and its usage are made by this batch
	counted  bool // what counts has changed
	turned   bool // and with it more than the current quarter: the windows, or the active bonus
	reworded bool // the rules have changed
}

type pastUsage struct {
	quarter time.Time
	Usage
}

// firstCalendar is that of a player who has said nothing of it.
var firstCalendar = Calendar{Zone: "UTC"}

func newAllowance(player uuid.UUID, now time.Time) *allowance {
	return &allowance{
		player: player, rules: Rules{Calendar: firstCalendar}, quarter: Quarter(now), starts: firstCalendar.starts(Quarter(now)),
		since: Quarter(now.Add(-keptUsage)), bonuses: make(map[uuid.UUID]*Bonus), fresh: true,
	}
}

// turn brings a loaded allowance to a quarter of an hour: the counting begins anew, and the windows
// are summed up from the quarters before.
func (a *allowance) turn(now time.Time, kept []pastUsage) {
	a.rules.at(Quarter(now))
	if to := Quarter(now); to.After(a.quarter) {
		if a.current != (Usage{}) {
			last := pastUsage{a.quarter, a.current}
			a.past = append(a.past, last)
			kept = append(kept, last)
		}
		a.quarter, a.current, a.earlier, a.stale = to, Usage{}, [periods]Usage{}, true
		a.starts = a.rules.Calendar.starts(to)
		for _, past := range kept {
			a.place(past)
		}
		return
	}
	a.starts = a.rules.Calendar.starts(a.quarter)
}

func (a *allowance) place(past pastUsage) {
	for p := range periods {
		if !past.quarter.Before(a.starts[p]) {
			a.earlier[p].add(past.Usage)
		}
	}
}

// count adds what a transaction counts, at the time when it counts.
func (a *allowance) count(t *ledger.Transaction) {
	usage := UsageOf(t)
	if usage == (Usage{}) {
		return
	}
	at := Quarter(t.Effective)
	switch {
	case !at.Before(a.quarter):
		a.current.add(usage)
	case !at.Before(a.since):
		past := pastUsage{at, usage}
		a.past = append(a.past, past)
		a.place(past)
	default:
		return
	}
	a.counted = true
	a.turned = a.turned || a.stale || len(a.past) > 0
}

// activeID is the active bonus's id, null without one.
func (a *allowance) activeID() pgtype.UUID {
	if a.active == nil {
		return pgtype.UUID{}
	}
	return postgres.UUID(a.active.ID)
}

// used is what has been used of a measure in a period.
func (a *allowance) used(m Measure, p Period) money.Amount {
	return plus(a.earlier[p][m], a.current[m])
}

// exceeds returns the limit with the least left that more of a measure would exceed, or nil.
func (a *allowance) exceeds(m Measure, more money.Amount) *LimitError {
	var found *LimitError
	for p := range periods {
		limit, used := a.rules.Limits[m][p], a.used(m, p)
		if !limit.Set || plus(used, more) <= limit.Amount {
			continue
		}
		left := plus(limit.Amount, -used)
		if found == nil || left < plus(found.Limit, -found.Used) {
			found = &LimitError{Measure: m, Period: p, Limit: limit.Amount, Used: used, Asked: more}
		}
	}
	return found
}
