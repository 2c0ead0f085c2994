package reconcile

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"evens/casino"
)

// healAll heals what the policy lets heal. What cannot be healed stays open, with the reason in its
// history; the books are as even as before.
func (r *Reconciler) healAll(ctx context.Context, c comparison, breaks []*Break) error {
	for _, b := range breaks {
		if b.Action == ActPerson || b.Action == ActWait || b.State != StateOpen && b.State != StateHealing {
			continue
		}
		moved, err := r.move(ctx, b, StateHealing, "healing", string(b.Action), uuid.Nil, StateOpen, StateHealing)
		if err != nil {
			return err
		}
		if !moved {
			continue
		}
		transaction, ended, err := c.heal(ctx, b)
		switch {
		case err != nil && temporary(err):
			return fmt.Errorf("heal %s %s: %w", b.Provider, b.TransactionID, err)
		case err != nil:
			_, err = r.move(ctx, b, StateOpen, "not healed", err.Error(), uuid.Nil, StateHealing)
		case ended:
			_, err = r.move(ctx, b, StateResolved, "healed", string(b.Action), transaction, StateHealing)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func temporary(err error) bool {
	return casino.Code(err) == "unavailable" || errors.Is(err, context.Canceled)
}

var errUnhealable = errors.New("there is nothing to heal it with")
