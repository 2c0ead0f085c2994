package api

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"evens/access"
	"evens/coupon"
	"evens/internal/postgres"
	"evens/ledger"
	"evens/money"
	"evens/player"
	"evens/wallet"
)

func TestProblemOfEveryDomainError(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		err    error
		status int
		code   string
		header string
	}{
		{access.ErrKey, 401, CodeUnauthorized, "WWW-Authenticate"},
		{access.ErrToken, 401, CodeUnauthorized, "WWW-Authenticate"},
		{errForbidden, 403, CodeForbidden, ""},
		{wallet.ErrUnknownPlayer, 404, CodePlayerNotFound, ""},
		{coupon.ErrNotFound, 404, CodeCouponNotFound, ""},
		{wallet.ErrInsufficientFunds, 402, CodeInsufficientFunds, ""},
		{wallet.ErrPlayerBlocked, 403, CodePlayerBlocked, ""},
		{wallet.ErrExcluded, 403, CodePlayerBlocked, ""},
		{wallet.ErrLimitExceeded, 403, CodeLimitExceeded, ""},
		{&wallet.LimitError{Measure: wallet.Wagers, Limit: 10}, 403, CodeLimitExceeded, ""},
		{wallet.ErrBonusActive, 409, CodeBonusActive, ""},
		{wallet.ErrShorter, 409, CodeExclusionActive, ""},
		{wallet.ErrZone, 422, CodeValidationFailed, ""},
		{wallet.ErrCurrency, 422, CodeCurrencyMismatch, ""},
		{wallet.ErrRequestConflict, 409, CodeIdempotencyConflict, ""},
		{&pgconn.PgError{Code: "23505", ConstraintName: "requests_pkey"}, 409, CodeIdempotencyConflict, ""},
		{ledger.ErrConflict, 409, CodeTransactionConflict, ""},
		{&pgconn.PgError{Code: "23505", ConstraintName: "transactions_key"}, 409, CodeTransactionConflict, ""},
		{player.ErrConflict, 409, CodePlayerConflict, ""},
		{access.ErrTTL, 422, CodeValidationFailed, ""},
		{money.ErrOverflow, 422, CodeInvalidAmount, ""},
		{coupon.ErrInProgress, 409, CodeRequestInProgress, "Retry-After"},
		{&coupon.SelectionError{Index: 2, Err: errors.New("odd")}, 422, CodeInvalidSelection, ""},
		{&coupon.OrderError{Field: "stake", Reason: "odd"}, 422, CodeInvalidAmount, ""},
		{&coupon.OrderError{Field: "rate_mode", Reason: "odd"}, 422, CodeValidationFailed, ""},
		{errNoDesk, 503, CodeProviderNotConfigured, ""},
		{postgres.ErrUnavailable, 503, CodeUnavailable, "Retry-After"},
		{wallet.ErrClosed, 503, CodeUnavailable, "Retry-After"},
		{context.DeadlineExceeded, 503, CodeUnavailable, "Retry-After"},
		{context.Canceled, 503, CodeUnavailable, "Retry-After"},
		{&net.OpError{Op: "read", Err: errors.New("reset")}, 503, CodeUnavailable, "Retry-After"},
		{&pgconn.PgError{Code: "42P01"}, 500, CodeInternal, ""},
		{errors.New("anything else"), 500, CodeInternal, ""},
	} {
		got := problemOf(fmt.Errorf("do something: %w", test.err))
		if got.Status != test.status || got.Code != test.code {
			t.Errorf("problemOf(%v) = %d %s, want %d %s", test.err, got.Status, got.Code, test.status, test.code)
		}
		if test.header != "" && got.header.Get(test.header) == "" {
			t.Errorf("problemOf(%v) has no %s header", test.err, test.header)
		}
		if got.Status == http.StatusInternalServerError && got.Detail != "" {
			t.Errorf("problemOf(%v) tells %q", test.err, got.Detail)
		}
		if got.Status >= 500 && !errors.Is(got, test.err) && got.Code != CodeProviderNotConfigured {
			t.Errorf("problemOf(%v) forgets its cause", test.err)
		}
	}
}
