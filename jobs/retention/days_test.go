package retention

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// While somebody reads the callbacks for longer than days may wait, they give way, and those who write calls
// down wait a moment only. Once the reader has ended, days come and go.
func TestDaysOfCallbacksGiveWayToAReader(t *testing.T) {
	t.Parallel()
	b := setup(t)
	now := time.Date(2026, 6, 10, 13, 0, 0, 0, time.UTC)
	p := b.pruner(&now, Times{Callbacks: day})
	b.prunes(t, p, "callbacks")
	reader, err := b.db.Pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = reader.Rollback(context.WithoutCancel(t.Context())) }()
	if _, err := reader.Exec(t.Context(), `SELECT count(*) FROM callbacks`); err != nil {
		t.Fatal(err)
	}
	longest := b.writeCalls(t, now)
	now = now.AddDate(0, 0, 5)
	if _, err := p.Run(t.Context(), "callbacks"); err == nil {
		t.Error("days came and went under a reader of all of them")
	}
	if wait := longest(); wait > 2*time.Second {
		t.Errorf("a call waited for %s to be written down", wait)
	}
	if err := reader.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.prunes(t, p, "callbacks")
	rows, err := b.db.Pool.Query(t.Context(), `SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'callbacks'::regclass ORDER BY 1`)
	if err != nil {
		t.Fatal(err)
	}
	days, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"callbacks_20260616", "callbacks_20260617", "callbacks_20260618", "callbacks_rest"}
	if !slices.Equal(days, want) {
		t.Errorf("days %v, want %v", days, want)
	}
}

// writeCalls writes one call down after the other until the returned function is called, which answers the longest
// wait.
func (b bundle) writeCalls(t *testing.T, at time.Time) (end func() time.Duration) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	longest := make(chan time.Duration, 1)
	go func() {
		var most time.Duration
		for ctx.Err() == nil {
			began := time.Now()
			_, err := b.db.Pool.Exec(ctx, `INSERT INTO callbacks (id, at, provider, path, source, body, status)
				VALUES (gen_random_uuid(), $1, 'bet', '/', '', '', 200)`, at)
			if err != nil && ctx.Err() == nil {
				t.Error(err)
			}
			most = max(most, time.Since(began))
		}
		longest <- most
	}()
	return func() time.Duration {
		stop()
		return <-longest
	}
}

// The coming days are opened, and those past their keeping dropped.
func TestADayPerPartition(t *testing.T) {
	t.Parallel()
	b := setup(t)
	today := time.Date(2026, 6, 10, 13, 0, 0, 0, time.UTC)
	p := b.pruner(&today, Times{Callbacks: 3 * day})
	b.prunes(t, p, "callbacks")
	for ahead := range 4 {
		_, err := b.db.Pool.Exec(t.Context(), `INSERT INTO callbacks (id, at, provider, path, source, body, status) VALUES ($1, $2, 'bet', '/', '', '', 200)`,
			uuid.New(), today.AddDate(0, 0, ahead))
		if err != nil {
			t.Fatal(err)
		}
	}
	today = today.AddDate(0, 0, 6)
	b.prunes(t, p, "callbacks")
	if kept := b.count(t, `SELECT count(*) FROM callbacks`); kept != 1 {
		t.Errorf("callbacks kept = %d, want 1: the day exactly three days ago", kept)
	}
}
