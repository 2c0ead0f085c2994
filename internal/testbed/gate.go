package testbed

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// Gate holds rows locked in a transaction of its own, so that others come to the same point before any of them goes on.
type Gate struct {
	t    testing.TB
	url  string
	open func()
}

// Hold locks what a statement locks, until [Gate.Open] or the end of the test.
func Hold(t testing.TB, url, statement string, args ...any) *Gate {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		t.Fatalf("hold rows: %v", err)
	}
	tx, err := conn.Begin(ctx)
	if err == nil {
		_, err = tx.Exec(ctx, statement, args...)
	}
	if err != nil {
		t.Fatalf("hold rows: %v", err)
	}
	g := &Gate{t: t, url: url}
	g.open = sync.OnceFunc(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), patience)
		defer cancel()
		if err := conn.Close(ctx); err != nil { // ends the transaction
			t.Errorf("let rows go: %v", err)
		}
	})
	t.Cleanup(g.open)
	return g
}

// Open lets everybody go on.
func (g *Gate) Open() { g.open() }

// UntilWaiting returns once n sessions wait for a lock in the gate's database.
func (g *Gate) UntilWaiting(n int) {
	g.t.Helper()
	UntilWaiting(g.t, g.url, n, nil)
}

// UntilWaiting returns once n sessions wait for a lock in a database, or when done is closed: then they need not.
func UntilWaiting(t testing.TB, url string, n int, done <-chan struct{}) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		t.Errorf("look for who waits: %v", err)
		return
	}
	defer conn.Close(context.WithoutCancel(ctx))
	for {
		var waiting int
		err := conn.QueryRow(ctx, `
			SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`).Scan(&waiting)
		if err != nil {
			t.Errorf("%d sessions wait for a lock, want %d: %v", waiting, n, err)
			return
		}
		if waiting >= n {
			return
		}
		select {
		case <-done:
			return
		case <-time.After(2 * time.Millisecond):
		}
	}
}
