package player

import (
	"context"
	"testing"
	"time"
)

// While a migration waits for a table, what a platform asks of a player is answered after that wait, and not refused.
func TestStandingsAreReadWhileTheSchemaChanges(t *testing.T) {
	t.Parallel()
	b := setup(t)
	p := b.player(t, "ann")
	directory := NewDirectory(b.db)
	for _, table := range []string{"bonuses", "accounts", "players"} {
		reader, err := b.db.Pool.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := reader.Exec(t.Context(), `SELECT count(*) FROM `+table); err != nil {
			t.Fatal(err)
		}
		change, err := b.db.Pool.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			_, _ = change.Exec(t.Context(), `SET LOCAL lock_timeout = '1s'`)
			_, _ = change.Exec(t.Context(), `LOCK TABLE `+table+` IN ACCESS EXCLUSIVE MODE`)
			_ = change.Rollback(context.WithoutCancel(t.Context()))
		}()
		answered := 0
		for waiting := true; waiting; answered++ {
			began := time.Now()
			if _, err := directory.Standing(t.Context(), p.ID); err != nil {
				t.Fatalf("%s: %v", table, err)
			}
			if took := time.Since(began); took > 2*time.Second {
				t.Errorf("%s: answered after %s", table, took)
			}
			select {
			case <-ended:
				waiting = false
			default:
			}
		}
		if err := reader.Rollback(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}
