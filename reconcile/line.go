package reconcile

import (
	"time"

	lists "evens/reconcile/statement"
)

// What lists are made of stands in package statement, for those who read their own.
type (
	// Line is one line of a provider's list.
	Line = lists.Line
	// Type is what a line says happened.
	Type = lists.Type
	// Status is where a line stands.
	Status = lists.Status
	// Page is one page of a provider's list.
	Page = lists.Page
	// Unreadable is a line that could not be read.
	Unreadable = lists.Unreadable
	// Source is a provider's own list.
	Source = lists.Source
)

// The types of line.
const (
	Debit    = lists.Debit
	Credit   = lists.Credit
	Reversal = lists.Reversal
	Coupon   = lists.Coupon
)

// The statuses of transactions, then of coupons.
const (
	OK       = lists.OK
	Failed   = lists.Failed
	Pending  = lists.Pending
	Open     = lists.Open
	Won      = lists.Won
	Lost     = lists.Lost
	Refunded = lists.Refunded
)

// noTime is the time of what has none.
var noTime = time.Unix(0, 0).UTC()
