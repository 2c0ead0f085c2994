package wallet

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/google/uuid"

	"evens/ledger"
	"evens/money"
)

// Cash is one deposit or withdrawal as the payment side orders it.
type Cash struct {
	Player        uuid.UUID
	Amount        money.Amount // above zero
	Currency      money.Currency
	Method        string // pix, card, bank transfer, …
	TransactionID string // the payment side's own, unique among deposits and withdrawals together
	Request       Request
	At            time.Time
}

// Balance is what a player has, by pocket.
type Balance struct {
	Player   uuid.UUID
	Currency money.Currency
	Cash     money.Amount
	Bonus    money.Amount
	// State is how the payment stood that this is the answer to; "" where none is.
	State PaymentState `json:",omitempty"`
	// Playable is what may be staked on the game that was asked about; not kept with an answer.
	Playable money.Amount `json:"-"`
}

// Total is cash and bonus together.
func (b Balance) Total() money.Amount { return b.Cash + b.Bonus }

// CashSource is the source under which deposits and withdrawals are unique.
const CashSource = "cashier"

// Deposit brings money in on a caller's request. The same transaction id with the same content moves
// nothing and answers with the balances of the first time; other content is ledger.ErrConflict.
//
// ErrExcluded while the player is self-excluded or cooling off, ErrAccountClosed, a *LimitError over a
// limit of deposits: refusals are for requests. What has happened outside is told with [Tell].
// A player's first deposit brings the bonus that the house offers for it.
func Deposit(ctx context.Context, poster *Poster, cash Cash) (Balance, error) {
	return request(ctx, poster, cash, ledger.Deposit, ledger.Cash)
}

// Withdraw takes money out, as Deposit brings it in; ErrInsufficientFunds where it is not there. It
// forfeits an active bonus.
func Withdraw(ctx context.Context, poster *Poster, cash Cash) (Balance, error) {
	return request(ctx, poster, cash, ledger.Withdrawal, ledger.Cashier)
}

// request asks for a payment. to is where the money goes.
func request(ctx context.Context, poster *Poster, cash Cash, kind ledger.Kind, to ledger.AccountKind) (Balance, error) {
	var balance Balance
	var refusal error
	work := poster.payment(cash)
	work.Request, work.Statuses = cash.Request, kind == ledger.Deposit
	work.Decide = func(batch *Batch) (err error) {
		balance, refusal, err = batch.request(&payment{Cash: cash, kind: kind}, to)
		return err
	}
	if err := poster.Do(ctx, work); err != nil {
		return Balance{}, err
	}
	return balance, refusal
}

// request decides on a payment that was asked for. A refusal that must stay one (insufficient funds
// under an Idempotency-Key) is returned beside no error, so that the commit keeps it.
func (b *Batch) request(p *payment, to ledger.AccountKind) (balance Balance, refusal, err error) {
	answered, err := b.Answered(p.Request)
	if err != nil {
		return Balance{}, nil, err
	}
	if answered != nil && answered.Body == nil {
		return Balance{}, answered.Refusal(), nil
	}
	purse, err := b.payer(p)
	if err != nil {
		return Balance{}, nil, err
	}
	if answered != nil {
		err := json.Unmarshal(answered.Body, &balance)
		return balance, nil, err
	}
	if b.Known(p.key(CashSource)) == nil {
		if refusal := b.mayMove(purse, p.Cash, p.kind); refusal != nil {
			b.RememberRefusal(p.Request, refusal, p.At)
			return Balance{}, refusal, nil
		}
	}
	left, err := b.begin(p, to)
	if err != nil {
		return Balance{}, nil, err
	}
	b.keep(p)
	balance = Balance{Player: p.Player, Currency: p.Currency, Cash: left.Cash, Bonus: left.Bonus, State: b.state(p)}
	body, err := json.Marshal(balance)
	if err != nil {
		return Balance{}, nil, fmt.Errorf("keep the answer: %w", err)
	}
	b.Remember(p.Request, Answer{Status: http.StatusOK, Body: body}, p.At)
	return balance, nil, nil
}

// mayMove asks the rules about a new deposit or withdrawal.
func (b *Batch) mayMove(purse *ledger.Purse, cash Cash, kind ledger.Kind) error {
	if kind == ledger.Withdrawal {
		if purse.Cash.Balance < cash.Amount {
			return ErrInsufficientFunds
		}
		return nil
	}
	if b.statuses[cash.Player] == Closed {
		return ErrAccountClosed
	}
	a := b.allowances[cash.Player]
	if a == nil {
		return nil
	}
	if !a.rules.barred(cash.At).IsZero() {
		return ErrExcluded
	}
	return b.overDeposits(cash)
}

// overDeposits is the limit that a deposit exceeds, which is told in the activity log; nil: none.
func (b *Batch) overDeposits(cash Cash) error {
	a := b.allowances[cash.Player]
	if a == nil {
		return nil
	}
	if exceeded := a.exceeds(Deposits, cash.Amount); exceeded != nil {
		b.tell(limitExceeded(cash.Player, CashSource, cash.TransactionID, exceeded, cash.At), true)
		return exceeded
	}
	return nil
}

// forfeitByWithdrawal takes the active bonus back: who takes money out gives it up.
func (b *Batch) forfeitByWithdrawal(cash Cash) error {
	a := b.allowances[cash.Player]
	if a == nil {
		return nil
	}
	if err := b.lapse(a, cash.At); err != nil || a.active == nil {
		return err
	}
	return b.end(a, BonusForfeited, "", "by withdrawal "+cash.TransactionID, cash.At)
}
