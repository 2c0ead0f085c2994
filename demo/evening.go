package demo

import (
	"context"
	"time"

	"evens/sim/betsim"
)

// Evening has BeT decide what visitors place on the betslip, each coupon so long after it was
// placed, until ctx ends. Nobody else would: without it such a coupon stays accepted.
func (p *Play) Evening(ctx context.Context, after time.Duration) error {
	ticker := time.NewTicker(200 * time.Millisecond)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case now := <-ticker.C:
			heads := p.cfg.BeT.Results(betsim.ResultOptions{
				Mix:  betsim.Mix{Won: 50, Lost: 40, Refunded: 10},
				Only: func(c betsim.Coupon) bool { return now.Sub(c.PlacedAt) >= after },
				At:   now.Add(-time.Minute),
			})
			if err := p.push(ctx, heads); err != nil && ctx.Err() == nil {
				return err
			}
		}
	}
}
