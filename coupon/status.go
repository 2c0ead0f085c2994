package coupon

import (
	"slices"
	"strings"
)

// Status is where a coupon stands.
type Status string

// The statuses, as the outside contract names them. What each is to others stands in states.
const (
	Placing     Status = "placing"     // stake reserved, BeT asked or about to be
	Accepted    Status = "accepted"    // BeT has it; no result yet
	Rejected    Status = "rejected"    // BeT does not have it; stake returned
	Unconfirmed Status = "unconfirmed" // nobody knows whether BeT has it; stake reserved
	Won         Status = "won"
	Lost        Status = "lost"
	Refunded    Status = "refunded"
	Cancelled   Status = "cancelled" // by an operator; stake returned
)

// State is what a status says of its coupon.
type State struct {
	Next []Status // what the coupon may become
	// Open: nobody knows yet whether the bookmaker has it. coupons.open_since is set, and the sweep looks after it.
	Open bool
	// Held: its stake is held for it.
	Held bool
	// Coded: the bookmaker has it under a code.
	Coded bool
	// Settled: a result has been applied.
	Settled bool
	// Returned: its stake came back, as if it had never been made.
	Returned bool
}

var anyResult = []Status{Won, Lost, Refunded, Cancelled}

// states has every status, once. Settled statuses follow each other any number of times, as BeT sends new results.
//
//exhaustive:enforce
var states = map[Status]State{
	Placing:     {Next: []Status{Accepted, Rejected, Unconfirmed}, Open: true, Held: true},
	Unconfirmed: {Next: []Status{Accepted, Rejected, Cancelled}, Open: true, Held: true},
	Accepted:    {Next: anyResult, Held: true, Coded: true},
	Rejected:    {Returned: true},
	Won:         {Next: anyResult, Coded: true, Settled: true},
	Lost:        {Next: anyResult, Coded: true, Settled: true},
	Refunded:    {Next: anyResult, Coded: true, Settled: true, Returned: true},
	Cancelled:   {Returned: true},
}

// May reports whether a coupon may go from s to next.
func (s Status) May(next Status) bool { return slices.Contains(states[s].Next, next) }

// Settled reports whether a result has been applied.
func (s Status) Settled() bool { return states[s].Settled }

// Known reports whether s is one of the statuses.
func (s Status) Known() bool {
	_, known := states[s]
	return known
}

// Statuses is the list of the statuses that are as asked, for a query's IN (…).
func Statuses(are func(State) bool) string {
	var names []string
	for status, state := range states {
		if are(state) {
			names = append(names, "'"+string(status)+"'")
		}
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}
