package wallet

import (
	"context"
	"errors"

	"github.com/google/uuid"

	"evens/ledger"
)

// A withdrawal that a payment gateway pays has three states, which its ledger keys tell: reserved,
// then paid or returned.
const (
	paidSource     = CashSource + ":paid"
	returnedSource = CashSource + ":returned"
)

var (
	// ErrNoWithdrawal says that no withdrawal of that id was reserved.
	ErrNoWithdrawal = errors.New("no such withdrawal")
	// ErrWithdrawalEnded says that a withdrawal has ended the other way already.
	ErrWithdrawalEnded = errors.New("the withdrawal has ended otherwise")
)

// Reserve takes a withdrawal out of the player's cash and holds it until the gateway says what
// became of it; ErrInsufficientFunds where it is not there.
func Reserve(ctx context.Context, poster *Poster, cash Cash) (Balance, error) {
	return moveCash(ctx, poster, cash, ledger.Withdrawal, ledger.Move{From: ledger.Cash, To: ledger.WithdrawalsHeld, Amount: cash.Amount})
}

// EndWithdrawal ends a reserved withdrawal: paid, or returned to the player. The same again moves
// nothing. ErrNoWithdrawal, ErrWithdrawalEnded, or ledger.ErrConflict where it was for another
// amount or player.
func EndWithdrawal(ctx context.Context, poster *Poster, cash Cash, paid bool) (Balance, error) {
	asked := ledger.Key{Source: CashSource, ExternalID: cash.TransactionID}
	end, other := ledger.Key{Source: paidSource, ExternalID: cash.TransactionID}, ledger.Key{Source: returnedSource, ExternalID: cash.TransactionID}
	t := ledger.Transaction{
		Key: end, Kind: ledger.WithdrawalPaid, Player: cash.Player, Provider: CashSource, Comment: cash.Method, At: cash.At,
		Payload: ledger.HashOf("end of withdrawal", cash.Amount.String()),
	}
	move := ledger.Move{From: ledger.WithdrawalsHeld, To: ledger.Cashier, Amount: cash.Amount}
	if !paid {
		end, other = other, end
		t.Key, t.Kind = end, ledger.WithdrawalReturn
		move.To = ledger.Cash
	}
	var balance Balance
	work := &Work{Players: []uuid.UUID{cash.Player}, Keys: []ledger.Key{asked, end, other}, At: cash.At}
	work.Decide = func(batch *Batch) error {
		purse := batch.Purse(cash.Player)
		request := batch.Known(asked)
		switch {
		case purse == nil:
			return ErrUnknownPlayer
		case purse.Currency != cash.Currency:
			return ErrCurrency
		case request == nil:
			return ErrNoWithdrawal
		case request.Kind != ledger.Withdrawal || request.Player != cash.Player || request.Amount != -cash.Amount:
			return ledger.ErrConflict
		case batch.Known(other) != nil:
			return ErrWithdrawalEnded
		}
		_, _, err := batch.Post(t, move)
		balance = Balance{Player: cash.Player, Currency: purse.Currency, Cash: purse.Cash.Balance, Bonus: purse.Bonus.Balance}
		return err
	}
	if err := poster.Do(ctx, work); err != nil {
		return Balance{}, err
	}
	return balance, nil
}

// WithdrawalChecks are the audit's rules about withdrawals.
var WithdrawalChecks = []ledger.Check{
	{Name: "held withdrawals are those neither paid nor returned", SQL: `
	WITH held AS (
	    SELECT a.currency, coalesce(sum(CASE WHEN t.credit_account = a.id THEN t.amount ELSE -t.amount END), 0) AS total
	      FROM accounts a LEFT JOIN transfers t ON a.id IN (t.debit_account, t.credit_account)
	     WHERE a.kind = 'withdrawals_held' GROUP BY a.currency
	), open AS (
	    SELECT a.currency, sum(t.amount) AS total
	      FROM transactions x
	      JOIN transfers t ON t.transaction_id = x.id
	      JOIN accounts a ON a.id = t.credit_account AND a.kind = 'withdrawals_held'
	     WHERE x.kind = 'withdrawal'
	       AND NOT EXISTS (SELECT FROM transactions e WHERE e.source IN ('cashier:paid', 'cashier:returned') AND e.external_id = x.external_id)
	     GROUP BY a.currency
	)
	SELECT coalesce(h.currency, o.currency), format('held %s, open withdrawals %s', h.total, o.total)
	  FROM held h FULL JOIN open o USING (currency) WHERE coalesce(h.total, 0) <> coalesce(o.total, 0)`},
}
