package wallet_test

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"evens/internal/postgres"
	"evens/wallet"
)

// lock holds a player's row in a transaction of somebody else's, until the returned function ends it.
func (b *bank) lock(player uuid.UUID) (release func()) {
	b.t.Helper()
	tx, err := b.db.Pool.Begin(b.t.Context())
	if err != nil {
		b.t.Fatal(err)
	}
	if _, err := tx.Exec(b.t.Context(), `SELECT FROM accounts WHERE player_id = $1 AND kind = 'cash' FOR UPDATE`, player); err != nil {
		b.t.Fatal(err)
	}
	release = sync.OnceFunc(func() { _ = tx.Rollback(b.t.Context()) })
	b.t.Cleanup(release)
	return release
}

// One player's row is locked by somebody else: the 63 others don't notice, and the one is through as
// soon as the lock is gone.
func TestALockedPlayerStopsNobodyElse(t *testing.T) {
	t.Parallel()
	b := open(t)
	players := make([]uuid.UUID, 64)
	for i := range players {
		players[i] = b.player("")
	}
	release := b.lock(players[0])
	const span = 2 * time.Second
	var mu sync.Mutex
	var took []time.Duration
	var neighbours, locked sync.WaitGroup
	var freed time.Time
	for i := range 3 { // the locked player keeps asking
		locked.Go(func() {
			if err := b.poster.Do(t.Context(), post(fmt.Sprint("locked ", i), players[0])); err != nil {
				t.Error(err)
			}
			if mu.Lock(); freed.IsZero() {
				t.Error("a work went through the lock")
			}
			mu.Unlock()
		})
		time.Sleep(20 * time.Millisecond)
	}
	ends := time.Now().Add(span)
	for i, player := range players[1:] {
		neighbours.Go(func() {
			for n := 0; time.Now().Before(ends); n++ {
				started := time.Now()
				if err := b.poster.Do(t.Context(), post(fmt.Sprint(i, "/", n), player)); err != nil {
					t.Error(err)
				}
				mu.Lock()
				took = append(took, time.Since(started))
				mu.Unlock()
			}
		})
	}
	neighbours.Wait()
	slices.Sort(took)
	if p99 := took[len(took)*99/100]; p99 > 700*time.Millisecond || took[len(took)-1] > 3*time.Second {
		t.Errorf("of %d works the 99th percentile took %s, the longest %s", len(took), p99, took[len(took)-1])
	}
	mu.Lock()
	freed = time.Now()
	mu.Unlock()
	release()
	locked.Wait()
	if waited := time.Since(freed); waited > 5*time.Second {
		t.Errorf("the locked player waited for %s after the lock was gone", waited)
	}
	if cash := b.cash(players[0]); cash != "3.00" {
		t.Errorf("the locked player has %s", cash)
	}
}

// A process that is frozen in the middle of a transaction loses its locks.
func TestAFrozenProcessLosesItsLocks(t *testing.T) {
	t.Parallel()
	b := open(t)
	player := b.player("")
	frozen, err := b.db.Hot.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = frozen.Rollback(t.Context()) }()
	if _, err := frozen.Exec(t.Context(), `SELECT FROM accounts WHERE player_id = $1 FOR UPDATE`, player); err != nil {
		t.Fatal(err)
	}
	if err := b.poster.Do(t.Context(), post("after", player)); err != nil {
		t.Error(err)
	}
}

// Whoever waits for too long is told that nobody knows; a row that is no player's is waited for alone.
func TestALockThatStays(t *testing.T) {
	t.Parallel()
	b := open(t)
	player, other := b.player(""), b.player("")
	b.lock(player)
	poster := wallet.NewPoster(wallet.NewBooks(b.db, nil, nil), wallet.PosterConfig{Timeout: time.Second})
	defer poster.Close()
	started := time.Now()
	if err := poster.Do(t.Context(), post("never", player)); !errors.Is(err, postgres.ErrUnavailable) {
		t.Errorf("Do() = %v, want ErrUnavailable", err)
	}
	if took := time.Since(started); took > 5*time.Second {
		t.Errorf("told after %s", took)
	}
	tx, err := b.db.Pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(t.Context()) }()
	if _, err := tx.Exec(t.Context(), `SELECT FROM players WHERE id = $1 FOR UPDATE`, other); err != nil {
		t.Fatal(err)
	}
	slow := post("slow", other)
	slow.Locker = rowLock{other}
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := poster.Do(t.Context(), slow); !errors.Is(err, postgres.ErrUnavailable) {
			t.Errorf("Do() = %v, want ErrUnavailable", err)
		}
	})
	together(20, func(i int) {
		if err := poster.Do(t.Context(), post(fmt.Sprint("quick", i), other)); err != nil {
			t.Error(err)
		}
	})
	wg.Wait()
	if cash := b.cash(other); cash != "20.00" {
		t.Errorf("cash %s", cash)
	}
}

// rowLock locks a row that is no purse.
type rowLock struct{ id uuid.UUID }

// QueueLocks implements wallet.Locker.
func (r rowLock) QueueLocks(statements *pgx.Batch, _ []*wallet.Work) {
	statements.Queue(`SELECT FROM players WHERE id = $1 FOR UPDATE`, r.id)
}
