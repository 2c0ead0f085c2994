package player

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"evens/wallet"
)

// Honest calls beside a user_id with a NUL in it, as an outsider sent it: they are answered.
func TestAnIDThatNoRowHoldsFailsNobodyElse(t *testing.T) {
	t.Parallel()
	b := setup(t)
	directory := NewDirectory(b.db)
	honest := make([]string, 40)
	for i := range honest {
		honest[i] = fmt.Sprint("honest-", i)
		b.player(t, honest[i])
	}
	var wg sync.WaitGroup
	for i, id := range honest {
		wg.Go(func() {
			if found, err := directory.Find(t.Context(), id); err != nil || found.ExternalID != id {
				t.Errorf("find %s: %v", id, err)
			}
		})
		wg.Go(func() {
			if _, err := directory.Find(t.Context(), fmt.Sprintf("x\x00%d\xff", i)); !errors.Is(err, wallet.ErrUnknownPlayer) {
				t.Errorf("find an id with a NUL: %v", err)
			}
		})
	}
	wg.Wait()
}
