package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"evens/ledger"
	"evens/money"
	"evens/wallet"
)

var deposit = huma.Operation{
	OperationID: "deposit", Method: http.MethodPost, Path: "/v1/players/{id}/deposits", Tags: []string{"Cashier"},
	Summary:     "Bring money in",
	Description: "For a payment that has been made. A transaction_id moves money once, whatever the Idempotency-Key.",
	Errors:      cashErrors,
}

var withdraw = huma.Operation{
	OperationID: "withdraw", Method: http.MethodPost, Path: "/v1/players/{id}/withdrawals", Tags: []string{"Cashier"},
	Summary:     "Take money out",
	Description: "For a payment that is about to be made. Where a payment gateway is connected the money is held until it says paid or returned. A transaction_id moves money once, whatever the Idempotency-Key.",
	Errors:      cashErrors,
}

var cashErrors = []int{
	http.StatusBadRequest, http.StatusPaymentRequired, http.StatusNotFound, http.StatusConflict, http.StatusRequestEntityTooLarge,
}

type cashInput struct {
	ID             string `path:"id" doc:"The player's id"`
	IdempotencyKey string `header:"Idempotency-Key" doc:"Required. The same key and body answers as the first did"`
	Body           struct {
		Amount        string `json:"amount" example:"150.00" doc:"Above zero, with at most the decimals of its currency"`
		Currency      string `json:"currency" example:"USD" doc:"The wallet's"`
		Method        string `json:"method" example:"card" doc:"How it was paid, at most 64 characters"`
		TransactionID string `json:"transaction_id" minLength:"1" doc:"The payment's own id, unique among all deposits and withdrawals; at most 128 characters"`
	} `nameHint:"Payment"`
}

type cashOutput struct {
	Body struct {
		TransactionID string     `json:"transaction_id"`
		Status        string     `json:"status" enum:"succeeded,reserved,returned" doc:"reserved: until the payment gateway says what became of a withdrawal; returned: it has said that it failed"`
		Wallet        walletView `json:"wallet" doc:"As this left it"`
	} `nameHint:"PaymentDone"`
}

// Longest texts of a payment.
const (
	longestMethod        = 64
	longestTransactionID = 128
)

// What became of a payment.
const (
	statusSucceeded = "succeeded"
	statusReserved  = "reserved" // until the payment gateway says what became of it
	statusReturned  = "returned" // the gateway had called it failed, or taken it back, before
)

func (s *server) deposit(ctx context.Context, who *caller, in *cashInput) (*cashOutput, error) {
	return s.cash(ctx, who, in, "deposit", wallet.Deposit)
}

func (s *server) withdraw(ctx context.Context, who *caller, in *cashInput) (*cashOutput, error) {
	if s.cfg.HoldWithdrawals {
		out, err := s.cash(ctx, who, in, "withdrawal", wallet.Reserve)
		if err == nil && out.Body.Status != statusReturned {
			out.Body.Status = statusReserved
		}
		return out, err
	}
	return s.cash(ctx, who, in, "withdrawal", wallet.Withdraw)
}

func (s *server) cash(ctx context.Context, who *caller, in *cashInput, call string,
	move func(context.Context, *wallet.Poster, wallet.Cash) (wallet.Balance, error),
) (*cashOutput, error) {
	key, err := idempotencyKey(in.IdempotencyKey)
	if err != nil {
		return nil, err
	}
	id, err := who.owner(in.ID)
	if err != nil {
		return nil, err
	}
	order := wallet.Cash{Player: id, Currency: money.Currency(in.Body.Currency), Method: in.Body.Method, TransactionID: in.Body.TransactionID, At: s.cfg.Now()}
	var c checks
	c.currency("body.currency", in.Body.Currency)
	order.Amount = c.amountIn("body.amount", in.Body.Amount, order.Currency)
	c.text("body.method", in.Body.Method, longestMethod)
	c.name("body.transaction_id", in.Body.TransactionID, longestTransactionID)
	order.Request = who.request(call, key, ledger.HashOf(
		id.String(), order.Amount.String(), string(order.Currency), order.Method, order.TransactionID))
	balance, err := replayed(ctx, s, c.err(), order.Request, (*wallet.Answer).Balance, func() (wallet.Balance, error) {
		return move(ctx, s.cfg.Poster, order)
	})
	if err != nil {
		return nil, err
	}
	out := &cashOutput{}
	out.Body.TransactionID, out.Body.Status, out.Body.Wallet = order.TransactionID, statusSucceeded, viewWallet(balance)
	if balance.State == wallet.PaymentReturned {
		out.Body.Status = statusReturned
	}
	return out, nil
}
