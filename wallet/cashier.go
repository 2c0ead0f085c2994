package wallet

import (
	"context"
	"encoding/json"
	"errors"
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
	// Playable is what may be staked on the game that was asked about; not kept with an answer.
	Playable money.Amount `json:"-"`
}

// Total is cash and bonus together.
func (b Balance) Total() money.Amount { return b.Cash + b.Bonus }

// CashSource is the source under which deposits and withdrawals are unique.
const CashSource = "cashier"

// Deposit brings money in. The same transaction id with the same content moves nothing and
// answers with the balances of the first time; other content is ledger.ErrConflict.
//
// ErrExcluded while the player is self-excluded or cooling off, a *LimitError over a limit of deposits.
// A player's first deposit brings the bonus that the house offers for it.
func Deposit(ctx context.Context, poster *Poster, cash Cash) (Balance, error) {
	return moveCash(ctx, poster, cash, ledger.Deposit, ledger.Move{From: ledger.Cashier, To: ledger.Cash, Amount: cash.Amount})
}

// Withdraw takes money out, as Deposit brings it in; ErrInsufficientFunds where it is not there. It
// forfeits an active bonus.
func Withdraw(ctx context.Context, poster *Poster, cash Cash) (Balance, error) {
	return moveCash(ctx, poster, cash, ledger.Withdrawal, ledger.Move{From: ledger.Cash, To: ledger.Cashier, Amount: cash.Amount})
}

func moveCash(ctx context.Context, poster *Poster, cash Cash, kind ledger.Kind, move ledger.Move) (Balance, error) {
	key := ledger.Key{Source: CashSource, ExternalID: cash.TransactionID}
	var balance Balance
	var refusal error
	work := &Work{Players: []uuid.UUID{cash.Player}, Keys: []ledger.Key{key}, Request: cash.Request, At: cash.At}
	if kind == ledger.Deposit && poster.books.Offers != nil {
		work.Reader = firstDeposits{}
	}
	work.Decide = func(batch *Batch) error {
		balance, refusal = Balance{}, nil
		return decideCash(batch, cash, key, kind, move, &balance, &refusal)
	}
	if err := poster.Do(ctx, work); err != nil {
		return Balance{}, err
	}
	return balance, refusal
}

// decideCash leaves a refusal that must stay one (insufficient funds under an Idempotency-Key)
// in refusal and returns nil, so that the commit keeps it.
func decideCash(batch *Batch, cash Cash, key ledger.Key, kind ledger.Kind, move ledger.Move, balance *Balance, refusal *error) error {
	answered, err := batch.Answered(cash.Request)
	if err != nil {
		return err
	}
	if answered != nil && answered.Body == nil {
		*refusal = answered.Refusal()
		return nil
	}
	purse := batch.Purse(cash.Player)
	if purse == nil {
		return ErrUnknownPlayer
	}
	if purse.Currency != cash.Currency {
		return ErrCurrency
	}
	if answered != nil {
		return json.Unmarshal(answered.Body, balance)
	}
	if batch.Known(key) == nil {
		if *refusal = batch.mayMove(purse, cash, kind); *refusal != nil {
			batch.RememberRefusal(cash.Request, *refusal, cash.At)
			return nil
		}
		if kind == ledger.Withdrawal {
			if err := batch.forfeitByWithdrawal(cash); err != nil {
				return err
			}
		}
	}
	var effective time.Time
	if kind == ledger.Deposit {
		effective = cash.At
	}
	posted, fresh, err := batch.Post(ledger.Transaction{
		Key: key, Kind: kind, Player: cash.Player, Provider: CashSource, Comment: cash.Method, At: cash.At,
		Payload:   ledger.HashOf(string(kind), cash.Player.String(), cash.Amount.String(), string(cash.Currency), cash.Method),
		Effective: effective,
	}, move)
	if err != nil {
		return err
	}
	*balance = Balance{Player: cash.Player, Currency: cash.Currency, Cash: posted.CashTo, Bonus: posted.BonusTo}
	if fresh && kind == ledger.Deposit {
		if err := batch.offer(cash); err != nil {
			return err
		}
		balance.Cash, balance.Bonus = purse.Cash.Balance, purse.Bonus.Balance
	}
	body, err := json.Marshal(balance)
	if err != nil {
		return fmt.Errorf("keep the answer: %w", err)
	}
	batch.Remember(cash.Request, Answer{Status: http.StatusOK, Body: body}, cash.At)
	return nil
}

// mayMove asks the rules about a new deposit or withdrawal.
func (b *Batch) mayMove(purse *ledger.Purse, cash Cash, kind ledger.Kind) error {
	if kind == ledger.Withdrawal {
		if purse.Cash.Balance < cash.Amount {
			return ErrInsufficientFunds
		}
		return nil
	}
	a := b.allowances[cash.Player]
	if a == nil {
		return nil
	}
	if !a.rules.barred(cash.At).IsZero() {
		return ErrExcluded
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

// Terminal reports whether err is a refusal by rule, as opposed to a failure to decide.
func Terminal(err error) bool {
	for _, refusal := range []error{ErrUnknownPlayer, ErrPlayerBlocked, ErrInsufficientFunds, ErrLimitExceeded, ErrCurrency, ErrRequestConflict, ledger.ErrConflict} {
		if errors.Is(err, refusal) {
			return true
		}
	}
	return false
}
