package main

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"evens/internal/postgres"
	"evens/internal/servers"
	"evens/internal/testbed"
)

// asRuntime is the address of a test's database for the role that processes work as.
func asRuntime(t *testing.T, ownerURL string) string {
	t.Helper()
	u, err := url.Parse(ownerURL)
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.User(servers.RuntimeRole)
	if err := postgres.MigrateAs(t.Context(), ownerURL, u.String()); err != nil {
		t.Fatal(err)
	}
	return u.String()
}

// runtimeAttempts are statements that the runtime role may not run.
func runtimeAttempts() []string {
	ledger := []string{"transactions", "transfers", "settlements", "seals", "ledger_seals", "bet_details", "activity_log", "callbacks"}
	attempts := []string{
		`CREATE TABLE mine (x int)`, `CREATE TABLE public.mine (x int)`, `CREATE SCHEMA mine`, `CREATE EXTENSION dblink`,
		`CREATE FUNCTION mine() RETURNS int LANGUAGE sql RETURN 1`, `CREATE ROLE mine SUPERUSER`, `CREATE DATABASE mine`,
		`ALTER ROLE ` + servers.RuntimeRole + ` SUPERUSER`, `SET ROLE evens`, `SET SESSION AUTHORIZATION evens`,
		`SET session_replication_role = replica`, `ALTER SYSTEM SET archive_command = 'id'`,
		`CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$`,
		`CREATE OR REPLACE FUNCTION ledger_offset() RETURNS bigint LANGUAGE sql RETURN 7::bigint`,
		`SELECT grant_runtime('` + servers.RuntimeRole + `')`, `UPDATE goose_db_version SET is_applied = false`,
		`INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, true)`,
		`COPY transfers TO PROGRAM 'cat >/dev/null'`, `COPY accounts FROM PROGRAM 'id'`, `COPY accounts TO '/tmp/accounts'`,
		`COPY accounts FROM '/etc/passwd'`, `SELECT pg_read_file('/etc/passwd')`, `SELECT pg_ls_dir('/')`,
		`SELECT lo_import('/etc/passwd')`, `SELECT pg_reload_conf()`, `SELECT rolpassword FROM pg_authid`,
		`TRUNCATE accounts`, `DROP TABLE coupons`, `ALTER TABLE accounts DROP CONSTRAINT accounts_pkey`, `DROP FUNCTION refuse_change`,
		`DROP TABLE callbacks_rest`, `DELETE FROM callbacks_rest`, `DO $$ BEGIN LOCK TABLE transactions IN ACCESS EXCLUSIVE MODE; END $$`,
	}
	for _, table := range ledger {
		attempts = append(attempts,
			`DELETE FROM `+table, `TRUNCATE `+table, `DROP TABLE `+table, `ALTER TABLE `+table+` DISABLE TRIGGER ALL`,
			`ALTER TABLE `+table+` ADD COLUMN mine int`, `CREATE TRIGGER mine BEFORE INSERT ON `+table+` EXECUTE FUNCTION refuse_change()`,
			`CREATE RULE mine AS ON INSERT TO `+table+` DO INSTEAD NOTHING`, `ALTER TABLE `+table+` OWNER TO `+servers.RuntimeRole,
			`CREATE INDEX mine ON `+table+` ((1))`, `SELECT 1 FROM `+table+` FOR UPDATE`,
		)
	}
	attempts = append(attempts,
		`UPDATE transactions SET amount = amount + 1`, `UPDATE transfers SET amount = amount + 1`, `UPDATE seals SET hash = ''`,
		`UPDATE settlements SET payout_after = 1`, `UPDATE activity_log SET operator = 'nobody'`, `UPDATE callbacks SET body = ''`,
		`MERGE INTO transfers t USING (SELECT 1) s ON true WHEN MATCHED THEN DELETE`,
	)
	return attempts
}

// Whoever gets to say SQL as a running process changes no word of the books, makes no table, and reaches
// neither files nor programs.
func TestTheRuntimeRoleCannot(t *testing.T) {
	t.Parallel()
	owner := testbed.Database(t)
	i := install(t, owner, testbed.Redis(t))
	i.seed(t, 10)
	conn, err := pgx.Connect(t.Context(), asRuntime(t, owner))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	const fingerprint = `SELECT hashtext(string_agg(b::text, ' ' ORDER BY b::text)) FROM (SELECT t::text FROM transactions t UNION ALL SELECT t::text FROM transfers t) b`
	before := i.count(t, fingerprint)
	for _, sql := range runtimeAttempts() {
		_, err := conn.Exec(t.Context(), sql)
		pgErr, ok := errors.AsType[*pgconn.PgError](err)
		if !ok || pgErr.Code != "42501" {
			t.Errorf("%s: %v, want it forbidden", sql, err)
		}
	}
	if i.count(t, fingerprint) != before {
		t.Error("the ledger is not what it was")
	}
}

// The function that drops old days works with the owner's rights: what stands in the caller's own tables and
// path is not what it looks at, and the last day stays.
func TestDaysOfCallbacksAreNotAWayRound(t *testing.T) {
	t.Parallel()
	owner := testbed.Database(t)
	i := install(t, owner, testbed.Redis(t))
	conn, err := pgx.Connect(t.Context(), asRuntime(t, owner))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	for _, sql := range []string{
		`INSERT INTO callbacks (id, at, provider, path, source, body, status) VALUES (gen_random_uuid(), now(), 'bet', '/', '', '', 200)`,
		`SELECT open_callback_days(current_date + 1, 3)`, `SELECT open_callback_days(current_date + 1, 3)`,
		`SELECT drop_callback_days(now(), 10)`,
		`CREATE TEMP TABLE callbacks_rest (at timestamptz)`, `INSERT INTO callbacks_rest VALUES ('2000-01-01')`,
		`SET search_path = pg_temp, public`, `SELECT public.drop_callback_days('infinity')`,
	} {
		if _, err := conn.Exec(t.Context(), sql); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
	if kept := i.count(t, `SELECT count(*) FROM callbacks`); kept != 1 {
		t.Errorf("%d callbacks of today are left, want 1", kept)
	}
	if own := i.count(t, `SELECT count(*) FROM pg_inherits WHERE inhparent = 'callbacks'::regclass`); own != 4 {
		t.Errorf("%d days, want the rest and three to come", own)
	}
	var planted int
	if err := conn.QueryRow(t.Context(), `SELECT count(*) FROM pg_temp.callbacks_rest`).Scan(&planted); err != nil || planted != 1 {
		t.Errorf("the caller's own table has %d rows, %v", planted, err)
	}
}

// A migration that is yet to be written grants by itself: a table is worked with, one that refuses changes is
// added to, and a right given by hand is taken back.
func TestGrantsOfTablesToCome(t *testing.T) {
	t.Parallel()
	owner := testbed.Database(t)
	i := install(t, owner, testbed.Redis(t))
	runtime := asRuntime(t, owner)
	for _, sql := range []string{
		`CREATE TABLE later (id bigint GENERATED ALWAYS AS IDENTITY, n bigserial, x int)`,
		`CREATE TABLE later_ledger (x int)`,
		`CREATE TRIGGER later_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON later_ledger FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()`,
		`GRANT ALL ON transfers TO ` + servers.RuntimeRole, `GRANT UPDATE ON seals TO PUBLIC`,
	} {
		if _, err := i.db.Pool.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	if err := postgres.MigrateAs(t.Context(), owner, runtime); err != nil {
		t.Fatal(err)
	}
	conn, err := pgx.Connect(t.Context(), runtime)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	for sql, allowed := range map[string]bool{
		`INSERT INTO later (x) VALUES (1)`: true, `UPDATE later SET x = 2`: true, `DELETE FROM later`: true, `TRUNCATE later`: false,
		`INSERT INTO later_ledger VALUES (1)`: true, `DELETE FROM later_ledger`: false,
		`UPDATE transfers SET amount = 1`: false, `UPDATE seals SET hash = ''`: false,
	} {
		if _, err := conn.Exec(t.Context(), sql); (err == nil) != allowed {
			t.Errorf("%s: %v, allowed = %t", sql, err, allowed)
		}
	}
}

// wantAdvice starts a process that stays: where its role may do more than it needs, it says so in its log and in
// /readyz, and is ready all the same.
func (i *installation) wantAdvice(t *testing.T, databaseURL string, advised bool) {
	t.Helper()
	ops := freeAddress(t)
	p := i.start(t, []string{"cron"}, "EVENS_DATABASE_URL="+databaseURL, "EVENS_OPS_LISTEN="+ops)
	eventually(t, time.Minute, "it is ready", func() bool { return answers("http://"+ops+"/readyz", http.StatusOK) })
	response, err := http.Get("http://" + ops + "/readyz")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	p.kill()
	if strings.Contains(string(text), "ok, but the database role") != advised || strings.Contains(p.log.String(), "EVENS_DATABASE_OWNER_URL") != advised {
		t.Errorf("advised: want %t\n%s\n%s", advised, text, p.log)
	}
}

// An installation with one address goes on working and is told; one with two works as the second role.
func TestOneRoleOrTwo(t *testing.T) {
	t.Parallel()
	i := install(t, testbed.Database(t), testbed.Redis(t))
	run := func(environment ...string) (int, string, string) {
		t.Helper()
		cmd := i.command(t, []string{"audit"}, environment...)
		var out, log bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &log
		_ = cmd.Run()
		return cmd.ProcessState.ExitCode(), out.String(), log.String()
	}
	if code, _, log := run("EVENS_DATABASE_URL=" + i.databaseURL); code != 0 || log != "" {
		t.Errorf("one address: exit code %d\n%s", code, log)
	}
	i.wantAdvice(t, i.databaseURL, true)
	i.wantAdvice(t, i.runtimeURL, false)
	role := "evens_" + strings.ReplaceAll(uuid.NewString(), "-", "")
	other, err := url.Parse(i.databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	other.User = url.UserPassword(role, "it's secret")
	t.Cleanup(func() {
		_, _ = i.db.Pool.Exec(t.Context(), `DROP OWNED BY `+role)
	})
	two := []string{"EVENS_DATABASE_URL=" + other.String(), "EVENS_DATABASE_OWNER_URL=" + i.databaseURL}
	migrate := i.command(t, []string{"migrate"}, two...)
	if output, err := migrate.CombinedOutput(); err != nil {
		t.Fatalf("migrate: %v\n%s", err, output)
	}
	if code, out, log := run("EVENS_DATABASE_URL=" + other.String()); code != 0 || log != "" {
		t.Errorf("two addresses: exit code %d, want 0 and no warning\n%s%s", code, out, log)
	}
	var verifier string
	if err := i.db.Pool.QueryRow(t.Context(), `SELECT rolpassword FROM pg_authid WHERE rolname = $1`, role).Scan(&verifier); err != nil || !strings.HasPrefix(verifier, "SCRAM-SHA-256$") {
		t.Errorf("the role's password is kept as %.20q, %v", verifier, err)
	}
	if code, _, log := run("EVENS_DATABASE_URL=", "EVENS_DATABASE_OWNER_URL="+i.databaseURL); code == 0 || !strings.Contains(log, "EVENS_DATABASE_URL") {
		t.Errorf("an owner alone: exit code %d\n%s", code, log)
	}
}
