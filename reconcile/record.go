package reconcile

import (
	"context"

	"github.com/google/uuid"

	"evens/coupon"
	"evens/wallet"
)

// BeT is the provider whose lines are coupons.
const BeT = coupon.Provider

// Records is a kind of record: what the lines of a provider are about.
type Records int

// The kinds of record.
const (
	// Transactions are bets and wins, as game platforms list them.
	Transactions Records = iota
	// Coupons are a bookmaker's.
	Coupons
	// Payments are a payment gateway's deposits and withdrawals.
	Payments
)

// recordsOf names what a provider's lists and files are about, where that is not transactions.
var recordsOf = map[string]Records{BeT: Coupons, wallet.CashSource: Payments}

// takes reports whether lines of a type are about such records.
func (k Records) takes(t Type) bool { return (k == Coupons) == (t == Coupon) }

// record is one id on both sides; a side may be missing.
type record interface {
	// classify says what is wrong with it: nothing, or the kinds of break.
	classify() []Kind
	// describe fills in what a break says about it.
	describe(b *Break) error
}

// comparison holds one kind of record of a provider's list against ours.
type comparison interface {
	// match finds the records that differ, and counts ours.
	match(ctx context.Context, f *findings) error
	// decide says what is to be done about each break, and which rest on what may still come.
	decide(ctx context.Context, breaks []*Break) error
	// heal does it; ended: it is done now, not by a job later.
	heal(ctx context.Context, b *Break) (transaction uuid.UUID, ended bool, err error)
}

// run is what a comparison works on.
type run struct {
	*Reconciler
	provider  string
	statement *statement
	file      bool
	byRound   bool // ids are those of rounds
}

// comparison is how the records of a statement are compared.
func (r *Reconciler) comparison(q Request, s *statement) comparison {
	source := r.sources[q.Provider]
	of := run{r, q.Provider, s, q.File != nil, q.File == nil && source != nil && source.ByRound()}
	switch recordsOf[q.Provider] {
	case Coupons:
		return &coupons{of}
	case Payments:
		return &payments{transactions{of}}
	default:
		return &transactions{of}
	}
}
