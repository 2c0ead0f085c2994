package testbed

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// Refusal is what a server answers to writes while a test wants it to.
type Refusal struct {
	t   testing.TB
	url string
}

const makeRefusal = `
	CREATE TABLE testbed_refusal (code text NOT NULL, message text NOT NULL);
	CREATE FUNCTION testbed_refuse() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
	DECLARE r testbed_refusal;
	BEGIN
	    SELECT * INTO r FROM testbed_refusal;
	    IF FOUND THEN
	        RAISE EXCEPTION '%', r.message USING ERRCODE = r.code;
	    END IF;
	    RETURN NULL;
	END $$`

// Refusals prepares a database to refuse writes to tables with an error of the test's choice, such as those of a full
// disk, which nobody wants to bring about. Nothing is refused before [Refusal.With].
func Refusals(t testing.TB, url string, tables ...string) *Refusal {
	t.Helper()
	r := &Refusal{t: t, url: url}
	r.exec(makeRefusal)
	for _, table := range tables {
		r.exec(`CREATE TRIGGER testbed_refuse BEFORE INSERT OR UPDATE ON ` + table + ` FOR EACH STATEMENT EXECUTE FUNCTION testbed_refuse()`)
	}
	return r
}

// With has writes refused from now on.
func (r *Refusal) With(code, message string) {
	r.t.Helper()
	r.exec(`DELETE FROM testbed_refusal`)
	r.exec(`INSERT INTO testbed_refusal VALUES ('` + code + `', '` + message + `')`)
}

// End has them taken again.
func (r *Refusal) End() {
	r.t.Helper()
	r.exec(`DELETE FROM testbed_refusal`)
}

func (r *Refusal) exec(sql string) {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	conn, err := pgx.Connect(ctx, r.url)
	if err == nil {
		defer conn.Close(ctx)
		_, err = conn.Exec(ctx, sql)
	}
	if err != nil {
		r.t.Errorf("refuse writes: %v", err)
	}
}

// ServersFaults are errors of a server that are no caller's fault, by code: a sample of each kind.
func ServersFaults() map[string]string {
	return map[string]string{
		"08006": "connection failure", "53100": "could not extend file: No space left on device", "53200": "out of memory",
		"57P03": "the database system is starting up", "58030": "could not read block", "25006": "cannot execute UPDATE in a read-only transaction",
		"55P03": "canceling statement due to lock timeout", "40001": "could not serialize access", "40P01": "deadlock detected",
		"XX000": "internal error", "XX001": "invalid page in block 7", "0A000": "cached plan must not change result type",
		"26000": "prepared statement does not exist",
	}
}
