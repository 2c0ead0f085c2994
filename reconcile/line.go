package reconcile

import (
	"time"

	lists "evens/reconcile/statement"
)

// What lists are made of: see package lists.
type (
	Line       = lists.Line
	Type       = lists.Type
	Status     = lists.Status
	Page       = lists.Page
	Unreadable = lists.Unreadable
	Source     = lists.Source
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
