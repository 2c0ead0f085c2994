package wallet_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"evens/internal/postgres"
)

// change tries to have the table for itself as a migration does, until ctx ends: each try waits for a second.
func (b *bank) change(ctx context.Context, table string) (tries int) {
	b.t.Helper()
	for ctx.Err() == nil {
		tx, err := b.db.Pool.Begin(ctx)
		if err != nil {
			return tries
		}
		if _, err := tx.Exec(ctx, `SET LOCAL lock_timeout = '1s'`); err == nil {
			_, err = tx.Exec(ctx, `LOCK TABLE `+table+` IN ACCESS EXCLUSIVE MODE`)
			if !postgres.LockTimeout(err) && ctx.Err() == nil {
				b.t.Errorf("lock %s under a reader: %v", table, err)
			}
		}
		_ = tx.Rollback(context.WithoutCancel(ctx))
		tries++
		select {
		case <-ctx.Done():
		case <-time.After(500 * time.Millisecond):
		}
	}
	return tries
}

// While a migration tries to change a table that somebody reads for long, money goes on moving: nobody is told that
// it cannot be done, and nobody waits for much longer than a try takes.
func TestMoneyMovesWhileTheSchemaChanges(t *testing.T) {
	t.Parallel()
	for _, table := range []string{"transactions", "transfers", "accounts"} {
		t.Run(table, func(t *testing.T) {
			t.Parallel()
			b := open(t)
			players := make([]uuid.UUID, 16)
			for i := range players {
				players[i] = b.player("")
			}
			reader, err := b.db.Pool.Begin(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = reader.Rollback(context.WithoutCancel(t.Context())) }()
			if _, err := reader.Exec(t.Context(), `SELECT count(*) FROM `+table); err != nil {
				t.Fatal(err)
			}
			ctx, end := context.WithTimeout(t.Context(), 5*time.Second)
			defer end()
			var mu sync.Mutex
			var longest time.Duration
			var works int
			var all sync.WaitGroup
			for i, player := range players {
				all.Go(func() {
					for n := 0; ctx.Err() == nil; n++ {
						began := time.Now()
						if err := b.poster.Do(t.Context(), post(fmt.Sprint(i, "/", n), player)); err != nil {
							t.Error(err)
							return
						}
						mu.Lock()
						longest, works = max(longest, time.Since(began)), works+1
						mu.Unlock()
						time.Sleep(5 * time.Millisecond)
					}
				})
			}
			tries := b.change(ctx, table)
			all.Wait()
			t.Logf("%d works during %d tries, the longest took %s", works, tries, longest)
			if tries < 3 || works < 100 {
				t.Errorf("%d works during %d tries", works, tries)
			}
			if longest > 2*time.Second {
				t.Errorf("a work took %s", longest)
			}
		})
	}
}
