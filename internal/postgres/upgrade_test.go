package postgres_test

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"evens/internal/postgres"
)

// longest is what anybody may wait while the schema changes.
const longest = 2 * time.Second

// traffic is statements of the release before, each by a session of its own, one after the other.
var traffic = []string{
	`SELECT * FROM transactions WHERE player_id = '00000000-0000-0000-0000-000000000007' ORDER BY id DESC LIMIT 20`,
	`SELECT * FROM transactions WHERE source = 'cashier' AND external_id = 'e000000007'`,
	`SELECT s.*, c.status FROM settlements s JOIN coupons c ON c.id = s.coupon_id WHERE c.id = '00000000-0000-0000-0000-000000000007'`,
	`SELECT count(*) FROM breaks WHERE state = 'open' AND provider = 'tg' AND transaction_id = 't7'`,
	`SELECT s.state, l.amount FROM statements s JOIN statement_lines l ON l.statement_id = s.id WHERE s.id = '00000000-0000-0000-0000-000000000002' LIMIT 5`,
	`INSERT INTO transactions (id, source, external_id, kind, player_id, amount, cash_after, bonus_after, payload_hash, at)
	 VALUES (gen_random_uuid(), 'cashier', gen_random_uuid()::text, 'deposit', gen_random_uuid(), 1, 1, 0, '', now())`,
	`UPDATE accounts SET balance = balance + 1, version = version + 1 WHERE player_id = '00000000-0000-0000-0000-000000000007'`,
	`INSERT INTO notices (provider, transaction_id, body, callback_id, rung_at, received_at)
	 VALUES ('tg', gen_random_uuid()::text, '', gen_random_uuid(), now(), now()) ON CONFLICT ON CONSTRAINT notices_once DO NOTHING`,
	`INSERT INTO settlements (coupon_id, n, result_id, outcome, payout_before, payout_after, at)
	 VALUES (gen_random_uuid(), 1, 1, 'won', 0, 0, now())`,
	`UPDATE coupons SET payout = payout + 1 WHERE id = '00000000-0000-0000-0000-000000000007'`,
	`INSERT INTO breaks (id, provider, kind, transaction_id, player, currency, amount, action, at, first_seen, last_seen, statement_id)
	 VALUES (gen_random_uuid(), 'tg', 'status', gen_random_uuid()::text, '', '', 1, '', now(), now(), now(), gen_random_uuid())`,
	`UPDATE rounds SET wins = wins + 1 WHERE provider = 'tg' AND round_id = 'r7'`,
}

// run has everybody read and write until the returned function is called, which answers the longest wait of each.
func run(t *testing.T, url string) (end func() map[string]time.Duration) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	waits := make([]time.Duration, len(traffic))
	var ready, all sync.WaitGroup
	var count atomic.Int64
	for i, statement := range traffic {
		ready.Add(1)
		all.Go(func() {
			conn, err := pgx.Connect(ctx, url)
			ready.Done()
			if err != nil {
				t.Error(err)
				return
			}
			defer conn.Close(context.WithoutCancel(ctx))
			for ctx.Err() == nil {
				began := time.Now()
				_, err := conn.Exec(ctx, statement, pgx.QueryExecModeExec)
				if took := time.Since(began); took > waits[i] {
					waits[i] = took
				}
				if err != nil && ctx.Err() == nil {
					t.Errorf("%s: %v", statement, err)
					return
				}
				count.Add(1)
				select { // as busy as a machine that has other tests to run can bear
				case <-ctx.Done():
				case <-time.After(10 * time.Millisecond):
				}
			}
		})
	}
	ready.Wait()
	return func() map[string]time.Duration {
		cancel()
		all.Wait()
		t.Logf("%d statements were answered meanwhile", count.Load())
		each := make(map[string]time.Duration)
		for i, statement := range traffic {
			each[statement] = waits[i]
		}
		return each
	}
}

// audit reads the ledger and everything beside it in one transaction, and keeps that open.
func audit(t *testing.T, url string, open time.Duration) (ended <-chan struct{}) {
	t.Helper()
	config, err := pgx.ParseConfig(url)
	if err != nil {
		t.Fatal(err)
	}
	config.RuntimeParams["application_name"] = "the-audit"
	conn, err := pgx.ConnectConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	tx, err := conn.BeginTx(t.Context(), pgx.TxOptions{IsoLevel: pgx.RepeatableRead})
	if err != nil {
		t.Fatal(err)
	}
	const reads = `SELECT (SELECT count(*) FROM transactions), (SELECT count(*) FROM settlements), (SELECT count(*) FROM coupons),
	                      (SELECT count(*) FROM statement_lines), (SELECT count(*) FROM notices), (SELECT count(*) FROM breaks)`
	if _, err := tx.Exec(t.Context(), reads); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer conn.Close(context.Background())
		if _, err := tx.Exec(t.Context(), `SELECT pg_sleep($1)`, open.Seconds()); err != nil {
			t.Error(err)
		}
	}()
	return done
}

// A database of the release before is brought up to date while everybody reads and writes, and an audit reads for
// longer than anybody may wait: nobody waits for more than two seconds, and the upgrade passes.
func TestUpgradeUnderReadersAndWriters(t *testing.T) {
	rows, reading := 1_000_000, 10*time.Second
	if testing.Short() {
		rows, reading = 50_000, 4*time.Second
	}
	began := time.Now()
	url := releasedDatabase(t, rows)
	t.Logf("filled in %s", time.Since(began).Round(time.Millisecond))
	end := run(t, url)
	audited := audit(t, url, reading)
	// The first audit ends before the ledger's own table is changed: another one begins then.
	var again <-chan struct{}
	log := &lines{seen: func(line string) {
		if again == nil && strings.Contains(line, "00013_suspense") {
			again = audit(t, url, reading/2)
		}
	}}
	began = time.Now()
	if err := (postgres.Migrator{Log: log.logger()}).Up(t.Context(), url); err != nil {
		t.Fatal(err)
	}
	took := time.Since(began)
	for statement, wait := range end() {
		if wait > longest {
			t.Errorf("waited %s: %s", wait, statement)
		}
	}
	<-audited
	<-again
	t.Logf("upgraded in %s\n%s", took, log.String())
	if took < reading*3/2-time.Second {
		t.Errorf("upgraded in %s: audits that read for %s and half of that were not waited for", took, reading)
	}
	for _, want := range []string{"the-audit", "waits_for=statement_lines", "waits_for=transactions"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log says nothing of %s:\n%s", want, log.String())
		}
	}
	checkUpgraded(t, url)
}

// checkUpgraded makes sure that no step left something half-done.
func checkUpgraded(t *testing.T, url string) {
	t.Helper()
	pool, err := pgxpool.New(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	if err := postgres.CheckSchema(t.Context(), pool); err != nil {
		t.Error(err)
	}
	for what, sql := range map[string]string{
		"indexes that are not valid":       `SELECT count(*) FROM pg_index WHERE NOT indisvalid`,
		"constraints that are not checked": `SELECT count(*) FROM pg_constraint WHERE NOT convalidated AND connamespace = 'public'::regnamespace`,
	} {
		var n int
		if err := pool.QueryRow(t.Context(), sql).Scan(&n); err != nil || n != 0 {
			t.Errorf("%d %s, %v", n, what, err)
		}
	}
}

// lines keeps what is logged, and shows it to seen.
type lines struct {
	mu   sync.Mutex
	text strings.Builder
	seen func(line string)
}

func (l *lines) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(l, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// Write implements io.Writer.
func (l *lines) Write(p []byte) (int, error) {
	if l.seen != nil {
		l.seen(string(p))
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}
