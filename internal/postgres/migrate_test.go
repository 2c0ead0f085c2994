package postgres_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"evens/internal/postgres"
	"evens/internal/testbed"
)

func connect(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

func do(t *testing.T, conn *pgx.Conn, statements ...string) {
	t.Helper()
	for _, statement := range statements {
		if _, err := conn.Exec(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}

// Versions are compared as a set: one that is missing among later ones is told by its name, and made up for.
// One that this program does not know is a later release's.
func TestCheckSchemaNamesWhatIsMissing(t *testing.T) {
	t.Parallel()
	url := testbed.Database(t)
	pool, err := pgxpool.New(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	conn := connect(t, url)
	do(t, conn, `INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, true)`)
	if err := postgres.CheckSchema(t.Context(), pool); err != nil {
		t.Errorf("CheckSchema on a later release's schema: %v", err)
	}
	do(t, conn, `DELETE FROM goose_db_version WHERE version_id IN (16, 19)`,
		`ALTER TABLE settlements DROP COLUMN unit`, `ALTER TABLE statement_lines DROP dated, DROP amount_told`)
	err = postgres.CheckSchema(t.Context(), pool)
	if !errors.Is(err, postgres.ErrOldSchema) || !strings.Contains(err.Error(), "00016_minor_units, 00019_undated_lines") ||
		strings.Contains(err.Error(), "00020") {
		t.Errorf("CheckSchema: %v, want it to name the two that are missing, and them alone", err)
	}
	if err := postgres.Migrate(t.Context(), url); err != nil {
		t.Fatal(err)
	}
	checkUpgraded(t, url)
	do(t, conn, `SELECT unit FROM settlements`, `SELECT dated FROM statement_lines`)
	do(t, conn, `INSERT INTO goose_db_version (version_id, is_applied) VALUES (16, false)`)
	if err := postgres.CheckSchema(t.Context(), pool); err == nil || !strings.Contains(err.Error(), "00016_minor_units") {
		t.Errorf("CheckSchema where a version was taken back: %v", err)
	}
}

// A build that broke off leaves an index that is not valid: it is found and built again, and so is what a rebuild
// left.
func TestAnIndexWhoseBuildBrokeOff(t *testing.T) {
	t.Parallel()
	url := releasedDatabase(t, 1000)
	conn := connect(t, url)
	reader := connect(t, url)
	do(t, reader, `BEGIN ISOLATION LEVEL REPEATABLE READ`, `SELECT count(*) FROM transactions`)
	do(t, conn, `SET statement_timeout = '300ms'`)
	for _, build := range []string{
		`CREATE INDEX CONCURRENTLY transactions_withdrawals ON transactions (id) WHERE kind = 'withdrawal'`,
		`REINDEX INDEX CONCURRENTLY transactions_player`,
	} {
		if _, err := conn.Exec(t.Context(), build, pgx.QueryExecModeSimpleProtocol); !postgres.TimedOut(err) {
			t.Fatalf("%s: %v, want it to break off", build, err)
		}
	}
	do(t, reader, `COMMIT`)
	const invalid = `SELECT count(*) FROM pg_index WHERE NOT indisvalid`
	var n int
	if err := conn.QueryRow(t.Context(), invalid).Scan(&n); err != nil || n != 2 {
		t.Fatalf("%d indexes are not valid, want 2, %v", n, err)
	}
	log := &lines{}
	if err := (postgres.Migrator{Log: log.logger()}).Up(t.Context(), url); err != nil {
		t.Fatal(err)
	}
	checkUpgraded(t, url)
	if !strings.Contains(log.String(), "transactions_withdrawals") {
		t.Errorf("nothing is said of the index: %s", log.String())
	}
	var left int
	if err := conn.QueryRow(t.Context(), `SELECT count(*) FROM pg_class WHERE relname ~ '_cc(new|old)'`).Scan(&left); err != nil || left != 0 {
		t.Errorf("%d indexes of the rebuild are left, %v", left, err)
	}
}

// A migration that is broken off anywhere goes on from there.
func TestMigrationGoesOnWhereItBrokeOff(t *testing.T) {
	t.Parallel()
	url := releasedDatabase(t, 1000)
	for after := 20 * time.Millisecond; ; after += 20 * time.Millisecond {
		ctx, cancel := context.WithTimeout(t.Context(), after)
		err := postgres.Migrate(ctx, url)
		cancel()
		if err == nil {
			break
		}
		if after > 20*time.Second {
			t.Fatal(err)
		}
	}
	checkUpgraded(t, url)
}

// Whoever waits for somebody to end says whom, also when it is told not to wait any longer; nothing is half-done then.
func TestMigrationSaysWhomItWaitsFor(t *testing.T) {
	t.Parallel()
	url := releasedDatabase(t, 1000)
	reader := connect(t, url)
	do(t, reader, `SET application_name = 'long-report'`, `BEGIN`, `SELECT count(*) FROM statement_lines`)
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second)
	defer cancel()
	log := &lines{}
	err := (postgres.Migrator{Log: log.logger(), LockWait: 200 * time.Millisecond, Pause: 300 * time.Millisecond}).Up(ctx, url)
	if err == nil || !strings.Contains(log.String(), "long-report") || !strings.Contains(log.String(), "idle in transaction") ||
		strings.Contains(log.String(), "SELECT") {
		t.Errorf("%v, and the log: %s", err, log.String())
	}
	if tries := strings.Count(log.String(), "tries again"); tries < 4 {
		t.Errorf("%d tries in four seconds", tries)
	}
	do(t, reader, `COMMIT`)
	if err := postgres.Migrate(t.Context(), url); err != nil {
		t.Fatal(err)
	}
	checkUpgraded(t, url)
}

// Four that migrate at once take turns.
func TestSeveralMigrateAtOnce(t *testing.T) {
	t.Parallel()
	url := releasedDatabase(t, 1000)
	errs := make(chan error)
	for range 4 {
		go func() { errs <- postgres.Migrate(t.Context(), url) }()
	}
	for range 4 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	checkUpgraded(t, url)
}
