package settlement_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"evens/internal/postgres"
	"evens/settlement"
)

// While a migration waits for a table that somebody reads, pushes are taken: none is answered that it could not be.
func TestPushesAreTakenWhileTheSchemaChanges(t *testing.T) {
	t.Parallel()
	for _, table := range []string{"results", "result_chunks", "callbacks"} {
		t.Run(table, func(t *testing.T) {
			t.Parallel()
			s := open(t, settlement.Guard{})
			reader, err := s.db.Pool.Begin(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = reader.Rollback(context.WithoutCancel(t.Context())) }()
			if _, err := reader.Exec(t.Context(), `SELECT count(*) FROM `+table); err != nil {
				t.Fatal(err)
			}
			ended := make(chan error)
			go func() { ended <- waitForTable(t, s.db, table) }()
			n := 0
			for waiting := true; waiting; n++ {
				push := settlement.Push{
					Heads: []settlement.Head{lost(fmt.Sprint("code", n), 1)}, Body: []byte("{}"), Path: "/", Source: "::1", At: s.clock.Now(),
				}
				began := time.Now()
				if _, err := s.inbox.Store(t.Context(), push); err != nil {
					t.Fatal(err)
				}
				if took := time.Since(began); took > 2*time.Second {
					t.Errorf("a push was taken after %s", took)
				}
				select {
				case err := <-ended:
					if waiting = false; !postgres.LockTimeout(err) {
						t.Errorf("the table was not waited for: %v", err)
					}
				default:
				}
			}
			t.Logf("%d pushes", n)
		})
	}
}

// waitForTable waits as a migration's step does.
func waitForTable(t *testing.T, db *postgres.DB, table string) error {
	t.Helper()
	tx, err := db.Pool.Begin(t.Context())
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(t.Context())) }()
	if _, err := tx.Exec(t.Context(), `SET LOCAL lock_timeout = '1s'`); err != nil {
		return err
	}
	_, err = tx.Exec(t.Context(), `LOCK TABLE `+table+` IN ACCESS EXCLUSIVE MODE`)
	return err
}
