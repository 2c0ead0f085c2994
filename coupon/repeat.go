package coupon

import (
	"context"
	"time"

	"github.com/google/uuid"
)

// How a repeated request waits for the first to be answered.
const (
	replayPoll  = 50 * time.Millisecond
	replayLimit = 12 * time.Second
)

// AsAnswered reads a coupon as its placement was answered, waiting for the answer if need be:
// ErrInProgress where it does not come in time. It is for a repeat of the order.
func (s *Store) AsAnswered(ctx context.Context, id uuid.UUID) (Coupon, error) {
	ctx, cancel := context.WithTimeout(ctx, replayLimit)
	defer cancel()
	for {
		known, err := s.Get(ctx, id)
		if err != nil && ctx.Err() != nil {
			return Coupon{}, ErrInProgress // patience ended while it was read
		}
		if err != nil {
			return Coupon{}, err
		}
		if known.Status != Placing {
			return known.asAnswered(), nil
		}
		select {
		case <-time.After(replayPoll):
		case <-ctx.Done():
			return Coupon{}, ErrInProgress
		}
	}
}
