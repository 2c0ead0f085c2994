package reconcile

import (
	"context"

	"evens/reconcile/seal"
)

// Sealed extends the chain of seals up to what is certain to be complete, and returns its end. Several
// at once are fine: one extends, the others find it done.
func (r *Reconciler) Sealed(ctx context.Context) (seal.Seal, error) {
	return seal.Extend(ctx, r.db, r.now())
}
