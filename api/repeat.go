package api

import (
	"context"
	"errors"

	"evens/coupon"
	"evens/wallet"
)

// replayed does what a call with an Idempotency-Key asks for, unless today's rules refuse it: then a
// request that was answered before is answered as at first, by read, and a new one is refused. Rules
// change; an answer that was given does not.
func replayed[T any](ctx context.Context, s *server, refusal error, request wallet.Request,
	read func(*wallet.Answer) (T, error), do func() (T, error),
) (T, error) {
	var refused error
	if refusal == nil {
		done, err := do()
		if !ruled(err) {
			return done, err
		}
		refused = err
	} else {
		refused = refusal
	}
	answer, err := s.cfg.Poster.Answered(ctx, request)
	switch {
	case err != nil:
		var none T
		return none, err
	case answer == nil:
		var none T
		return none, refused
	default:
		return read(answer)
	}
}

// ruled reports whether an order was refused before its key was looked at.
func ruled(err error) bool {
	_, selection := errors.AsType[*coupon.SelectionError](err)
	_, order := errors.AsType[*coupon.OrderError](err)
	return selection || order
}
