package wallet

import "context"

// Together decides works in one batch, in their order, as a poster does with those that have queued.
func (b *Books) Together(ctx context.Context, works ...*Work) (refusals []error, err error) {
	return b.doAll(ctx, works)
}
