// Package booktest gives tests a database to keep books in, and holds the books against every
// rule of the audit when the test is over. It is for tests only.
//
//	db := booktest.Open(t, testbed.Database(t))
//	t.Cleanup(func() { booktest.Clean(t, db) })
package booktest

import (
	"context"
	"strings"
	"time"

	"evens/audit"
	"evens/internal/postgres"
	"evens/ledger"
)

// TB is what is needed of a testing.TB.
type TB interface {
	Helper()
	Context() context.Context
	Cleanup(func())
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// Open opens the database with a few connections, for tests run side by side, and closes it when
// the test is over.
func Open(t TB, url string) *postgres.DB {
	t.Helper()
	db, err := postgres.Open(t.Context(), postgres.Config{URL: url, MaxConns: 4, HotConns: 4})
	if err != nil {
		t.Fatalf("open the books: %v", err)
	}
	t.Cleanup(db.Close)
	return db
}

// Clean fails the test where the books break a rule, or one of more, and says where.
func Clean(t TB, db *postgres.DB, more ...ledger.Check) {
	t.Helper()
	// In a Cleanup the test's own context has ended.
	ctx := context.WithoutCancel(t.Context())
	report, err := audit.At(ctx, db, latest(ctx, t, db), more...)
	if err != nil {
		t.Errorf("audit: %v", err)
		return
	}
	if !report.Clean {
		var text strings.Builder
		_ = report.Print(&text) // a Builder takes everything
		t.Errorf("the audit found violations:\n%s", &text)
	}
}

// The books of a test have a clock of their own: nothing has waited longer than up to their last line.
const readLatest = `
	SELECT greatest((SELECT max(at) FROM transactions), (SELECT max(received_at) FROM results), 'epoch')`

func latest(ctx context.Context, t TB, db *postgres.DB) (at time.Time) {
	t.Helper()
	if err := db.Pool.QueryRow(ctx, readLatest).Scan(&at); err != nil {
		t.Errorf("read the books' last line: %v", err)
	}
	return at
}
