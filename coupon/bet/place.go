package bet

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// Place asks BeT to take a coupon. A nil error means accepted. Any other error is a
// [*Rejection] (provably not placed) or is [ErrUnknownOutcome] (it may be), never neither.
//
// It takes at most three timeouts for placing, plus what a login takes. When ctx ends before the
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
	var last *session
	var refused error
	for attempt := 1; ; attempt++ {
		s, err := c.sessionFor(ctx)
		if err != nil && last == nil {
			return Answer{}, err
		}
		if s == last || err != nil {
			return Answer{}, refused // on the only session there is
		}
		answer, err := c.placeOnce(ctx, payload, s)
		if !errors.Is(err, errSession) || attempt == placeAttempts {
			return answer, err
		}
		// BeT refused for the session's sake, so nothing is placed and once more is safe.
		refused, last = err, s
	}
}

// placeAttempts is how often a coupon is sent that BeT refuses for the session's sake: on the
// session that has ended, on the one that another process made meanwhile, and on a new one.
const placeAttempts = 3

// sessionFor is the session for a placement, or the rejection of one that cannot be sent.
func (c *Client) sessionFor(ctx context.Context) (*session, error) {
	s, err := c.sessions.get(ctx)
	switch {
	case errors.Is(err, ErrLogin):
		return nil, notSent(CodeProviderLogin, err)
	case errors.Is(err, errPaused):
		return nil, notSent(CodeProviderSession, err)
	case err != nil:
		return nil, notSent(CodeProviderUnavailable, err)
	case ctx.Err() != nil:
		return nil, notSent(CodeProviderUnavailable, fmt.Errorf("given up before sending: %w", context.Cause(ctx)))
	}
	return s, nil
}

// placeOnce sends the placement on a session, which it drops when the answer is not BeT's own.
// Errors are those of Place.
func (c *Client) placeOnce(ctx context.Context, payload []byte, s *session) (answer Answer, err error) {
	var outcome error
	err = c.placing.guard(func() error {
		r, err := c.exchange(ctx, pathPlace, payload, s.cookies)
		if err != nil {
			outcome = lostPlacement(err)
			return outcome
		}
		answer, outcome = judge(r)
		old := !c.sessions.is(s)
		c.tend(ctx, s, r, outcome)
		if old && !bespoke(outcome) {
			return errOldSession
		}
		return outcome
	})
	if breakerOpen(err) {
		return Answer{}, notSent(CodeProviderUnavailable, err)
	}
	return answer, outcome
}

// tend keeps or drops the session after the answer to a placement.
//
//	BeT refuses it, by 99, 401, 403 or a way to the login     | dropped
//	a redirect to elsewhere                                   | dropped
//	a bet code, or an error of BeT's own                      | kept
//	429: too much, whoever says it                            | kept
//	another refusal by status alone, which may mean the coupon | dropped, now and then
//	anything else: a page, 5xx, {"d":null}                    | dropped
//
// A login is harmless, a dead session that is kept is not.
func (c *Client) tend(ctx context.Context, s *session, r reply, outcome error) {
	c.sessions.renewed(ctx, s, r)
	_, rejected := errors.AsType[*Rejection](outcome)
	switch {
	case errors.Is(outcome, errSession), r.refusesSession():
		c.log.Info("bet session refused", "status", r.status)
		c.sessions.forget(ctx, s)
	case r.redirect():
		c.sessions.forget(ctx, s)
	case bespoke(outcome):
		c.sessions.answered(ctx, s)
	case r.status == http.StatusTooManyRequests:
	case rejected:
		c.sessions.doubt(ctx, s)
	default:
		c.sessions.forget(ctx, s)
	}
}

// lostPlacement says what a placement without an answer amounts to.
func lostPlacement(err error) error {
	lost, ok := errors.AsType[*lostError](err)
	if ok && !lost.sent {
		return notSent(CodeProviderUnavailable, err)
	}
	return &UnknownError{Reason: "no answer: " + err.Error(), err: err}
}
