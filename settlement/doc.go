// Package settlement takes BeT's results and makes each coupon have paid what the last word on
// it says.
//
// A result is a target, not an event: settling moves the target less what was paid. So a
// duplicate moves nothing, win→loss takes back, loss→win pays, and any order of arrival ends in
// the same books. [Receiver] stores what comes in before it answers; [Settler.Apply] works off
// stored results in chunks; what a queue forgets, [Settler.Sweep] finds in the tables.
package settlement
