package postgres_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"evens/internal/postgres"
	"evens/internal/testbed"
)

func TestRetry(t *testing.T) {
	t.Parallel()
	conflict, other := errors.New("conflict"), errors.New("another")
	again := func(err error) bool { return errors.Is(err, conflict) }
	for _, c := range []struct {
		what  string
		fails []error
		want  error
		times int
	}{
		{"at once", []error{nil}, nil, 1},
		{"the third time", []error{conflict, conflict, nil}, nil, 3},
		{"not again", []error{conflict, other, nil}, other, 2},
		{"never", []error{conflict, conflict, conflict, conflict}, conflict, 3},
	} {
		times := 0
		err := postgres.Retry(t.Context(), postgres.Tries{Most: 3, Pause: time.Microsecond}, again, func() error {
			times++
			return c.fails[times-1]
		})
		if !errors.Is(err, c.want) || times != c.times {
			t.Errorf("%s: %v after %d times, want %v after %d", c.what, err, times, c.want, c.times)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	err := postgres.Retry(ctx, postgres.Tries{Most: 3, Pause: time.Hour}, again, func() error { cancel(); return conflict })
	if !errors.Is(err, conflict) {
		t.Errorf("given up: %v", err)
	}
}

// The limits of a transaction are lifted for as long as it lasts.
func TestUnhurried(t *testing.T) {
	t.Parallel()
	db, err := postgres.Open(t.Context(), postgres.Config{URL: testbed.Database(t), MaxConns: 1, StatementTimeout: 50 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	err = postgres.InTx(t.Context(), db.Pool, func(ctx context.Context, tx pgx.Tx) error {
		if err := postgres.Unhurried(ctx, tx, map[string]string{"work_mem": "9MB"}); err != nil {
			return err
		}
		var memory string
		return tx.QueryRow(ctx, `SELECT current_setting('work_mem') FROM pg_sleep(0.1)`).Scan(&memory)
	})
	if err != nil {
		t.Error(err)
	}
	if _, err := db.Pool.Exec(t.Context(), `SELECT pg_sleep(1)`); !postgres.TimedOut(err) {
		t.Errorf("afterwards: %v", err)
	}
}
