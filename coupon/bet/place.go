package bet

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Place asks BeT to take a coupon. A nil error means accepted. Any other error is a
// [*Rejection] (provably not placed) or is [ErrUnknownOutcome] (it may be), never neither.
//
// It takes at most two timeouts for placing, plus what a login takes. When ctx ends before the
// placement was sent the coupon is rejected, afterwards its outcome is unknown.
func (c *Client) Place(ctx context.Context, t Ticket) (Answer, error) {
	start := c.now()
	answer, err := c.place(ctx, t)
	took := c.now().Sub(start)
	outcome := "accepted"
	switch {
	case errors.Is(err, ErrUnknownOutcome):
		outcome = "unknown"
		c.log.Warn("bet placement outcome unknown", "reason", err, "took", took.Round(time.Millisecond))
	case err != nil:
		outcome = "rejected"
	}
	c.observe("place", outcome, took)
	return answer, err
}

func (c *Client) place(ctx context.Context, t Ticket) (Answer, error) {
	payload, err := t.payload()
	if err != nil {
		return Answer{}, notSent(CodeInvalidTicket, err)
	}
	answer, err := c.placeOnce(ctx, payload)
	if !errors.Is(err, errSession) {
		return answer, err
	}
	// BeT refused for the session's sake, so nothing is placed and once more is safe. Once: a
	// session that is refused when it is new is not the session's fault.
	return c.placeOnce(ctx, payload)
}

// placeOnce sends the placement on the current session, which it drops when BeT refuses it.
// Errors are those of Place.
func (c *Client) placeOnce(ctx context.Context, payload []byte) (answer Answer, err error) {
	s, err := c.sessions.get(ctx)
	if err != nil {
		if errors.Is(err, ErrLogin) {
			return Answer{}, notSent(CodeProviderLogin, err)
		}
		return Answer{}, notSent(CodeProviderUnavailable, err)
	}
	if ctx.Err() != nil {
		return Answer{}, notSent(CodeProviderUnavailable, fmt.Errorf("given up before sending: %w", context.Cause(ctx)))
	}
	err = c.guard(func() error {
		r, err := c.exchange(ctx, pathPlace, payload, s.cookies)
		if err != nil {
			return lostPlacement(err)
		}
		answer, err = judge(r)
		if r.redirect() || errors.Is(err, errSession) {
			// A redirect elsewhere is no proof that nothing was placed, but no session to go on
			// with either.
			c.sessions.forget(s)
			c.log.Info("bet session refused", "status", r.status)
		}
		return err
	})
	if breakerOpen(err) {
		return Answer{}, notSent(CodeProviderUnavailable, err)
	}
	return answer, err
}

// lostPlacement says what a placement without an answer amounts to.
func lostPlacement(err error) error {
	lost, ok := errors.AsType[*lostError](err)
	if ok && !lost.sent {
		return notSent(CodeProviderUnavailable, err)
	}
	return &UnknownError{Reason: "no answer: " + err.Error(), err: err}
}
