package wallet

import (
	"context"

	"evens/ledger"
)

// Said is what a payment gateway says has become of a payment. It has happened outside, so it is
// always booked: to the player, below zero if it must be.
type Said string

// What can be said.
const (
	DepositSucceeded   Said = "deposit_succeeded"
	DepositFailed      Said = "deposit_failed"      // an attempt at it, or all of it
	DepositReturned    Said = "deposit_returned"    // charged back, or refunded outside
	WithdrawalPaid     Said = "withdrawal_paid"     //
	WithdrawalFailed   Said = "withdrawal_failed"   // it was never paid
	WithdrawalReturned Said = "withdrawal_returned" // it came back
)

// Moves reports whether money has moved outside, so that it must be booked somewhere.
func (s Said) Moves() bool { return s != DepositFailed && s != WithdrawalFailed }

func (s Said) kind() ledger.Kind {
	switch s {
	case DepositSucceeded, DepositFailed, DepositReturned:
		return ledger.Deposit
	default:
		return ledger.Withdrawal
	}
}

// source is that of the key under which it is known that this was said.
func (s Said) source() string {
	switch s {
	case DepositSucceeded:
		return CashSource
	case WithdrawalPaid:
		return paidSource
	case DepositReturned, WithdrawalReturned:
		return returnedSource
	default:
		return failedSource
	}
}

func returnedOf(kind ledger.Kind) Said {
	if kind == ledger.Deposit {
		return DepositReturned
	}
	return WithdrawalReturned
}

// PaymentState is how a payment stands.
type PaymentState string

// The states.
const (
	PaymentNoted     PaymentState = "noted"    // nothing has moved
	PaymentBooked    PaymentState = "booked"   // a deposit is the player's
	PaymentReserved  PaymentState = "reserved" // a withdrawal is held
	PaymentPaid      PaymentState = "paid"     // a withdrawal is out
	PaymentReturned  PaymentState = "returned" // it was undone
	PaymentSuspended PaymentState = "suspense" // it is in the suspense account
)

// Tell books what has happened to a payment, and answers how the payment stands. Whatever is said in
// whatever order, and however often, the books end the same. A withdrawal that was paid takes the
// player below zero where the cash is not there; a deposit over a limit, or while the player may not
// deposit, is booked and the limit told in the activity log. What a gateway says against itself (paid,
// and failed) leaves a row that a person sees, beside what moved money.
//
// ErrUnknownPlayer, ErrCurrency, ledger.ErrConflict where it was told before with other content:
// nothing has moved, and [Suspend] is for it.
func Tell(ctx context.Context, poster *Poster, cash Cash, said Said) (PaymentState, error) {
	return tell(ctx, poster, payment{Cash: cash, kind: said.kind()}, said)
}

func tell(ctx context.Context, poster *Poster, order payment, said Said) (PaymentState, error) {
	var state PaymentState
	work := poster.payment(order.Cash)
	work.Decide = func(batch *Batch) (err error) {
		p := order
		state, err = batch.tellOf(&p, said)
		return err
	}
	err := poster.Do(ctx, work)
	return state, err
}

func (b *Batch) tellOf(p *payment, said Said) (PaymentState, error) {
	if _, err := b.payer(p); err != nil {
		return "", err
	}
	if !b.told(p, said.source()) {
		if err := b.book(p, said); err != nil {
			return "", err
		}
	}
	if p.by != "" && len(p.used) == 0 {
		return "", ErrNotAssignable
	}
	if err := b.agreed(p.agree, p.Amount, p.Currency); err != nil {
		return "", err
	}
	b.keep(p)
	return b.state(p), nil
}

// keep leaves what a payment means for the suspense account, once everything it posts is accepted.
func (b *Batch) keep(p *payment) {
	b.contradicted(p)
	for _, row := range p.used {
		row.claimed = true
		paymentsOf(b).ended = append(paymentsOf(b).ended, endedSuspense{row.id, p.Player, p.by, p.comment, p.At})
		b.tell(event{at: p.At, name: EventSuspenseAssigned, player: p.Player, operator: p.by, comment: p.comment, detail: map[string]string{
			"suspense": row.id.String(), "transaction_id": p.TransactionID, "amount": p.Amount.String(),
		}}, false)
	}
}

// book posts what is said for the first time.
func (b *Batch) book(p *payment, said Said) error {
	if said == DepositSucceeded {
		_ = b.overDeposits(p.Cash) // told, not refused
		_, err := b.begin(p, ledger.Cash)
		return err
	}
	if said == WithdrawalPaid && !b.told(p, CashSource) { // it was asked for at the gateway
		if _, err := b.begin(p, ledger.WithdrawalsHeld); err != nil {
			return err
		}
	}
	return b.finish(p, said.source(), said, b.reserved(p))
}

// state is how a payment stands now.
func (b *Batch) state(p *payment) PaymentState {
	switch {
	case !b.told(p, CashSource):
		return PaymentNoted
	case b.back(p):
		return PaymentReturned
	case p.kind == ledger.Deposit:
		return PaymentBooked
	case b.reserved(p):
		return PaymentReserved
	default:
		return PaymentPaid
	}
}

// contradicted has a person see what a gateway said against itself.
func (b *Batch) contradicted(p *payment) {
	other := paidSource
	if p.kind == ledger.Deposit {
		other = CashSource
	}
	if b.told(p, failedSource) && b.told(p, other) {
		said := WithdrawalFailed
		if p.kind == ledger.Deposit {
			said = DepositFailed
		}
		paymentsOf(b).added = append(paymentsOf(b).added, newSuspense(p.Cash, said, p.Player.String(), Contradiction))
	}
}
