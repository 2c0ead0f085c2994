package retention

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"evens/audit"
	"evens/internal/postgres"
	"evens/internal/testbed"
)

func TestMain(m *testing.M) { testbed.Main(m) }

type bundle struct{ db *postgres.DB }

func setup(t *testing.T) bundle {
	t.Helper()
	db, err := postgres.Open(t.Context(), postgres.Config{URL: testbed.Database(t), MaxConns: 4, HotConns: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	return bundle{db}
}

// pruner has a clock that can be turned, and does not pause.
func (b bundle) pruner(now *time.Time, times Times) *Pruner {
	p := New(Config{DB: b.db, Now: func() time.Time { return *now }, Times: times, Log: slog.New(slog.DiscardHandler)})
	p.pause = time.Millisecond
	return p
}

func (b bundle) prunes(t *testing.T, p *Pruner, table string) Done {
	t.Helper()
	done, err := p.Run(t.Context(), table)
	if err != nil {
		t.Fatal(err)
	}
	return done
}

func (b bundle) exec(t *testing.T, sql string, args ...any) {
	t.Helper()
	if _, err := b.db.Pool.Exec(t.Context(), sql, args...); err != nil {
		t.Fatal(err)
	}
}

func (b bundle) count(t *testing.T, sql string) (n int64) {
	t.Helper()
	if err := b.db.Pool.QueryRow(t.Context(), sql).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// A table that is new has no line here, and fails.
func TestEveryTableHasALine(t *testing.T) {
	t.Parallel()
	b := setup(t)
	rows, err := b.db.Pool.Query(t.Context(), `
		SELECT c.relname FROM pg_class c
		 WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition ORDER BY c.relname COLLATE "C"`)
	if err != nil {
		t.Fatal(err)
	}
	there, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, line := range Table() {
		lines = append(lines, line.Table)
		if line.Why == "" {
			t.Errorf("%s has no reason", line.Table)
		}
		if line.Forever() != (line.With() == "") {
			t.Errorf("%s: kept for good %t, removed with %q", line.Table, line.Forever(), line.With())
		}
		if with := line.With(); with != "" && !slices.Contains(Tasks(), with) {
			t.Errorf("%s goes with %s, which has no task", line.Table, with)
		}
	}
	if !slices.Equal(there, lines) {
		t.Errorf("tables\n%v, lines\n%v", there, lines)
	}
	// What refuses changes cannot be removed.
	for _, line := range Table() {
		guarded := b.count(t, `SELECT count(*) FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid
			WHERE p.proname = 'refuse_change' AND t.tgrelid = '`+line.Table+`'::regclass`) > 0
		if guarded && !line.Forever() {
			t.Errorf("%s is added to only, and has a time", line.Table)
		}
	}
}

// docs/operations.md has this table.
func TestTheDocumentHasTheTable(t *testing.T) {
	t.Parallel()
	document, err := os.ReadFile("../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range Table() {
		if row := documented(line); !strings.Contains(string(document), "\n"+row+"\n") {
			t.Errorf("docs/operations.md lacks\n%s", row)
		}
	}
}

func documented(line Line) string {
	kept := "for ever"
	if !line.Forever() {
		// Which setting it follows shows in what it does.
		changed := func(times Times) bool { return line.Keep(times) != line.Keep(Times{}) }
		switch {
		case changed(Times{Callbacks: 1}):
			kept = "`EVENS_KEEP_CALLBACKS`"
		case changed(Times{Statements: 1}):
			kept = "`EVENS_KEEP_STATEMENTS`"
		case changed(Times{Ended: 1}):
			kept = "`EVENS_KEEP_ENDED`"
		default:
			kept = fmt.Sprintf("%d d", line.Keep(Times{})/day)
		}
	}
	return fmt.Sprintf("| `%s` | %s | %s | %s |", line.Table, kept, line.How(), line.Why)
}

// old fills each table with rows past their time, and young with some that are not; all of it is of one player.
var (
	id     = `(lpad(to_hex((extract(epoch FROM %[2]s) * 1000)::bigint), 12, '0') || '7000' || '8' || lpad(to_hex(n), 15, '0'))::uuid`
	fillOf = map[string]string{
		"approvals": `INSERT INTO approvals (id, operation, subject, terms, operator, comment, created_at)
			SELECT ` + id + `, 'x', %[3]s || n, '', '', '', %[2]s FROM generate_series(1, %[1]d) n`,
		"game_sessions": `INSERT INTO game_sessions (id, hash, player_id, provider, currency, game_id, mode, created_at, expires_at)
			SELECT ` + id + `, (%[3]s || n)::bytea, gen_random_uuid(), 'tg', 'USD', 'g', 'real', %[2]s, %[2]s + interval '1 day' FROM generate_series(1, %[1]d) n`,
		"job_failures": `INSERT INTO job_failures (task_id, type, queue, payload, error, retried, failed_at)
			SELECT n, '', '', '', '', 0, %[2]s FROM generate_series(1, %[1]d) n`,
		"login_delays": `INSERT INTO login_delays (subject, failures, last_at, until)
			SELECT %[3]s || n, 0, %[2]s, %[2]s FROM generate_series(1, %[1]d) n`,
		"notices": `INSERT INTO notices (provider, transaction_id, body, callback_id, state, reason, rung_at, received_at, done_at)
			SELECT 'naga', %[3]s || n, '', gen_random_uuid(), 'done', NULL, %[2]s, %[2]s, %[2]s FROM generate_series(1, %[1]d) n`,
		"operator_sessions": `INSERT INTO operator_sessions (token, data, expiry, seen_at)
			SELECT %[3]s || n, '', %[2]s, %[2]s FROM generate_series(1, %[1]d) n`,
		"player_tokens": `INSERT INTO player_tokens (hash, player_id, created_at, expires_at)
			SELECT (%[3]s || n)::bytea, (SELECT id FROM players), %[2]s, %[2]s FROM generate_series(1, %[1]d) n`,
		"result_chunks": `INSERT INTO result_chunks (result_ids, rung_at, done_at)
			SELECT '{}', %[2]s, %[2]s FROM generate_series(1, %[1]d) n`,
		"usage_quarters": `INSERT INTO usage_quarters (player_id, quarter, deposited, lost, staked)
			SELECT gen_random_uuid(), date_bin('15 minutes', %[2]s, 'epoch'), 0, 0, 0 FROM generate_series(1, %[1]d) n`,
		"callbacks": `INSERT INTO callbacks (id, at, provider, path, source, body, status)
			SELECT gen_random_uuid(), %[2]s, 'bet', '/', '', '', 200 FROM generate_series(1, %[1]d) n`,
	}
)

func (b bundle) fill(t *testing.T, table string, n int, age string) {
	t.Helper()
	b.exec(t, fmt.Sprintf(fillOf[table], n, "(now() - interval '"+age+"')", "'"+age+" '"))
}

// list makes a list with so many lines and pages, and one line that could not be read.
func (b bundle) list(t *testing.T, n int, age string) {
	t.Helper()
	b.exec(t, fmt.Sprintf(`
		WITH list AS (
		    INSERT INTO statements (id, provider, source, window_from, window_to, state, pages, lines, unreadable, ours, matched, started_at, ended_at)
		    SELECT `+id+`, 'tg', 'api', now(), now(), 'matched', 100, %[1]d, 1, 0, 0, %[2]s, %[2]s FROM generate_series(1, 1) n RETURNING id
		), pages AS (
		    INSERT INTO statement_pages SELECT id, p, 'x' FROM list, generate_series(1, 100) p
		), unread AS (
		    INSERT INTO unreadable_lines SELECT id, 1, 1, NULL, NULL, '', '' FROM list
		)
		INSERT INTO statement_lines (statement_id, page, transaction_id, type, player, amount, currency, status, at, round_id, again)
		SELECT id, 1, n, 'debit', '', 0, 'USD', 'ok', now(), '', false FROM list, generate_series(1, %[1]d) n`, n, "(now() - interval '"+age+"')"))
}

func (b bundle) filled(t *testing.T, n int) {
	t.Helper()
	b.exec(t, `INSERT INTO players (id, external_id, name, email, currency, created_at) VALUES (gen_random_uuid(), 'ana', '', '', 'USD', now())`)
	b.list(t, n, "500 days")
	b.list(t, 10, "1 hour")
	for table := range fillOf {
		b.fill(t, table, n, "500 days")
		b.fill(t, table, 10, "1 hour")
	}
}

// Many old rows in every table go, each table in statements of its own that stay short, and the young ones stay.
func TestOldRowsGoInShortStatements(t *testing.T) {
	t.Parallel()
	b := setup(t)
	const many = 100_000
	b.filled(t, many)
	now := time.Now()
	p := b.pruner(&now, Times{})
	p.statementTime = time.Second
	for _, table := range Tasks() {
		before := b.count(t, `SELECT count(*) FROM `+table)
		done := b.prunes(t, p, table)
		after := b.count(t, `SELECT count(*) FROM `+table)
		if before != many+10 || after != 10 || done.Rows < many || done.Unfinished {
			t.Errorf("%s: %d rows before, %d after, %+v", table, before, after, done)
		}
		if done.Longest > p.statementTime || done.Statements < many/(4*mostRows) {
			t.Errorf("%s: %d statements, the longest took %s", table, done.Statements, done.Longest)
		}
		t.Logf("%s: %+v", table, done)
		if again := b.prunes(t, p, table); again.Rows != 0 {
			t.Errorf("%s: %d rows went later", table, again.Rows)
		}
	}
	for _, table := range []string{"statement_pages", "unreadable_lines"} {
		if n := b.count(t, `SELECT count(DISTINCT statement_id) FROM `+table); n != 1 {
			t.Errorf("%s are there of %d lists", table, n)
		}
	}
	if n := b.count(t, `SELECT count(*) FROM statements WHERE pruned_at IS NOT NULL AND pruning_since IS NOT NULL`); n != 1 {
		t.Errorf("%d lists are marked as pruned", n)
	}
}

// A table whose rows go slowly has smaller statements; none takes longer than its time, and the other tables do not
// wait for it.
func TestASlowTableGoesInSmallerStatements(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, table := range []string{"job_failures", "result_chunks", "usage_quarters"} {
		b.fill(t, table, 1000, "500 days")
	}
	b.exec(t, `CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.002); RETURN OLD; END $$`)
	b.exec(t, `CREATE TRIGGER slow BEFORE DELETE ON job_failures FOR EACH ROW EXECUTE FUNCTION slow()`)
	b.exec(t, `CREATE TRIGGER slow BEFORE DELETE ON usage_quarters FOR EACH ROW EXECUTE FUNCTION slow()`)
	now := time.Now()
	p := b.pruner(&now, Times{})
	p.statementTime = time.Second
	for _, table := range []string{"job_failures", "usage_quarters"} {
		done := b.prunes(t, p, table)
		if done.TimedOut == 0 || done.Rows != 1000 || done.Longest > 2*p.statementTime {
			t.Errorf("%s: %+v", table, done)
		}
	}
	b.fill(t, "job_failures", 1000, "500 days")
	p.statementTime, p.runTime = 10*time.Second, 50*time.Millisecond
	p.pause = 100 * time.Millisecond
	b.exec(t, `DROP TRIGGER slow ON job_failures`)
	b.fill(t, "job_failures", 3*mostRows, "500 days")
	if done := b.prunes(t, p, "job_failures"); !done.Unfinished || done.Rows == 0 {
		t.Errorf("beyond its time: %+v", done)
	}
	if done := b.prunes(t, p, "result_chunks"); done.Rows != 1000 {
		t.Errorf("the other table: %+v", done)
	}
}

// A row that somebody has locked is waited for a moment, and then left to the next run.
func TestALockedRowHoldsUpNobody(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.fill(t, "result_chunks", 10, "2 days")
	tx, err := b.db.Pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(t.Context())) }()
	if _, err := tx.Exec(t.Context(), `SELECT FROM result_chunks LIMIT 1 FOR UPDATE`); err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	p := b.pruner(&now, Times{})
	began := time.Now()
	if _, err := p.Run(t.Context(), "result_chunks"); !postgres.LockTimeout(err) {
		t.Errorf("%v", err)
	}
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("it took %s", took)
	}
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	if done := b.prunes(t, p, "result_chunks"); done.Rows != 10 {
		t.Errorf("%+v", done)
	}
}

// What still waits stays, however old; what was refused stays as long as what has ended.
func TestWhatWaitsStays(t *testing.T) {
	t.Parallel()
	b := setup(t)
	now := time.Now()
	p := b.pruner(&now, Times{})
	for _, age := range []string{"200 days", "500 days"} {
		b.fill(t, "notices", 3, age)
	}
	b.exec(t, `UPDATE notices SET state = 'pending', done_at = NULL WHERE transaction_id LIKE '% 1'`)
	b.exec(t, `UPDATE notices SET state = 'refused', reason = 'x' WHERE transaction_id LIKE '% 2'`)
	if done := b.prunes(t, p, "notices"); done.Rows != 3 {
		t.Errorf("%+v: want both that are done and the one that was refused long ago", done)
	}
	b.fill(t, "result_chunks", 3, "2 days")
	b.exec(t, `UPDATE result_chunks SET done_at = NULL WHERE id = (SELECT min(id) FROM result_chunks)`)
	if done := b.prunes(t, p, "result_chunks"); done.Rows != 2 {
		t.Errorf("%+v: want the chunks that are done", done)
	}
	b.fill(t, "approvals", 2, "500 days")
	b.exec(t, `UPDATE approvals SET decided_at = created_at, decided_by = 'y' WHERE subject LIKE '% 1'`)
	if done := b.prunes(t, p, "approvals"); done.Rows != 1 {
		t.Errorf("%+v: want the one that nobody took up", done)
	}
}

// A list whose removal broke off goes on being removed. One that a release before this one pruned loses the lines
// that it left.
func TestAListThatWasBegunIsEnded(t *testing.T) {
	t.Parallel()
	b := setup(t)
	clean := func() {
		t.Helper()
		if report, err := audit.Run(t.Context(), b.db); err != nil || !report.Clean {
			t.Errorf("the audit: %+v, %v", report, err)
		}
	}
	b.list(t, 3*mostRows, "500 days")
	clean()
	now := time.Now()
	p := b.pruner(&now, Times{})
	p.runTime = 0
	if done := b.prunes(t, p, "statement_lines"); !done.Unfinished || done.Rows != mostRows {
		t.Errorf("the first: %+v", done)
	}
	if n := b.count(t, `SELECT count(*) FROM statements WHERE pruning_since IS NOT NULL AND pruned_at IS NULL`); n != 1 {
		t.Errorf("%d lists are being pruned", n)
	}
	clean()
	p.runTime = time.Minute
	if done := b.prunes(t, p, "statement_lines"); done.Unfinished || done.Rows != 2*mostRows+101 {
		t.Errorf("the second: %+v", done)
	}
	clean()
	b.exec(t, `UPDATE statements SET pruning_since = NULL`)
	b.exec(t, `INSERT INTO unreadable_lines SELECT id, 1, 1, NULL, NULL, '', '' FROM statements`)
	clean()
	if done := b.prunes(t, p, "statement_lines"); done.Rows != 1 {
		t.Errorf("the lines of an earlier release: %+v", done)
	}
	clean()
}

func TestATableWithoutATask(t *testing.T) {
	t.Parallel()
	p := New(Config{Now: time.Now})
	for _, table := range []string{"transactions", "statement_pages", "nothing"} {
		if _, err := p.Run(t.Context(), table); !errors.Is(err, ErrNoTask) {
			t.Errorf("%s: %v", table, err)
		}
	}
}
