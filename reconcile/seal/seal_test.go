package seal_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"evens/audit"
	"evens/casino"
	"evens/casino/casinotest"
	"evens/internal/postgres"
	"evens/internal/testbed"
	"evens/money"
	"evens/player"
	"evens/reconcile/seal"
)

func TestMain(m *testing.M) { testbed.Main(m) }

type vault struct {
	*casinotest.Hall
	t   *testing.T
	url string
	who player.Identity
}

func open(t *testing.T) vault {
	t.Helper()
	url := testbed.Database(t)
	h := casinotest.Open(t, url)
	return vault{h, t, url, h.Player(t, "ana", money.MustParse("100"))}
}

func (v vault) bet(id string) {
	v.t.Helper()
	call := casino.Call{Provider: "betao", ID: id, Player: v.who, Round: casino.Round{ID: "r-" + id}, At: v.Now()}
	if _, err := v.Floor.Bet(v.t.Context(), casino.Bet{Call: call, Stake: money.MustParse("1")}); err != nil {
		v.t.Fatal(err)
	}
}

func (v vault) extend() seal.Seal {
	v.t.Helper()
	v.Sealable(v.t)
	return v.extendNow()
}

func (v vault) extendNow() seal.Seal {
	v.t.Helper()
	end, err := seal.Extend(v.t.Context(), v.DB, v.Now())
	if err != nil {
		v.t.Fatal(err)
	}
	return end
}

// broken is the subjects of a check that the audit finds broken, of all checks; found within a
// transaction that first does what the database refuses, and is rolled back.
func (v vault) broken(change string, arguments ...any) (subjects []string) {
	v.t.Helper()
	undo := errors.New("undo")
	err := postgres.InTx(v.t.Context(), v.DB.Pool, func(ctx context.Context, tx pgx.Tx) error {
		if change != "" {
			if _, err := tx.Exec(ctx, `SET LOCAL session_replication_role = replica`); err != nil {
				return err
			}
			tag, err := tx.Exec(ctx, change, arguments...)
			if err != nil {
				return err
			}
			if tag.RowsAffected() == 0 {
				v.t.Errorf("%s: no row", change)
			}
		}
		report, err := audit.In(ctx, tx, v.Now())
		if err != nil {
			return err
		}
		for _, check := range report.Checks {
			for _, violation := range check.Violations {
				subjects = append(subjects, violation.Subject)
			}
		}
		return undo
	})
	if !errors.Is(err, undo) {
		v.t.Fatal(err)
	}
	return subjects
}

// Whatever column of a sealed row is changed, its seal says so; so does a row that is gone or new.
func TestEveryColumnIsSealed(t *testing.T) {
	t.Parallel()
	v := open(t)
	v.bet("b1")
	if end := v.extend(); end.N != 1 || end.Transactions != 2 || end.Transfers != 2 {
		t.Fatalf("seal = %+v", end)
	}
	if again := v.extend(); again.N != 1 {
		t.Errorf("nothing new: %+v", again)
	}
	v.bet("b2")
	if end := v.extend(); end.N != 2 || end.Transactions != 1 {
		t.Fatalf("seal = %+v", end)
	}
	if broken := v.broken(""); len(broken) > 0 {
		t.Fatalf("broken before anything was changed: %q", broken)
	}
	others := map[string]string{
		"uuid": "gen_random_uuid()", "text": "coalesce(%, '') || 'x'", "bigint": "coalesce(%, 0) + 1", "smallint": "% + 1",
		"bytea": `'\x00'`, "timestamp with time zone": "coalesce(%, now()) + interval '1 second'",
	}
	for table, row := range map[string]string{
		"transactions": `WHERE external_id = 'b1'`,
		"transfers":    `WHERE transaction_id = (SELECT id FROM transactions WHERE external_id = 'b1')`,
	} {
		for column, kind := range v.columns(table) {
			to := strings.ReplaceAll(others[kind], "%", column)
			if to == "" {
				t.Fatalf("no other value for a %s", kind)
			}
			if column == "position" {
				to = "0"
			}
			if broken := v.broken(`UPDATE ` + table + ` SET ` + column + ` = ` + to + ` ` + row); !slices.Contains(broken, "seal 1") {
				t.Errorf("%s.%s changed: the audit names %q", table, column, broken)
			}
		}
	}
	for name, change := range map[string]string{
		"a transaction is gone": `DELETE FROM transactions WHERE external_id = 'b1'`,
		"a transfer is gone":    `DELETE FROM transfers WHERE transaction_id = (SELECT id FROM transactions WHERE external_id = 'b1')`,
		"a transaction slipped in": `INSERT INTO transactions (id, source, external_id, kind, player_id, amount, cash_after, bonus_after, payload_hash, at, position)
		 SELECT gen_random_uuid(), source, 'new', 'refused', player_id, 0, 0, 0, payload_hash, at, position FROM transactions WHERE external_id = 'b1'`,
	} {
		if broken := v.broken(change); !slices.Contains(broken, "seal 1") {
			t.Errorf("%s: the audit names %q", name, broken)
		}
	}
	if _, err := v.DB.Pool.Exec(t.Context(), `DELETE FROM seals`); err == nil {
		t.Error("seals can be deleted")
	}
}

func (v vault) columns(table string) map[string]string {
	v.t.Helper()
	rows, err := v.DB.Pool.Query(v.t.Context(), `SELECT column_name, data_type FROM information_schema.columns WHERE table_name = $1`, table)
	if err != nil {
		v.t.Fatal(err)
	}
	columns := map[string]string{}
	var name, kind string
	if _, err := pgx.ForEachRow(rows, []any{&name, &kind}, func() error { columns[name] = kind; return nil }); err != nil {
		v.t.Fatal(err)
	}
	return columns
}

// A commit that takes hours, and ids of a clock that is wrong: nothing of it is a violation, then or later.
func TestALateCommitIsSealedLater(t *testing.T) {
	t.Parallel()
	v := open(t)
	slow, err := v.DB.Pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer slow.Rollback(context.Background())
	late := `
	INSERT INTO transactions (id, source, external_id, kind, player_id, amount, cash_after, bonus_after, provider, payload_hash, at)
	VALUES ($1, 'betao', $2, 'tombstone', gen_random_uuid(), 0, 0, 0, 'betao', '', now())`
	if _, err := slow.Exec(t.Context(), late, postgres.IDAt(time.Now()), "late"); err != nil {
		t.Fatal(err)
	}
	v.bet("b1")
	v.SetClock(time.Now().Add(5 * time.Hour))
	before := v.extendNow() // the slow one holds the horizon back
	if err := slow.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := v.DB.Pool.Exec(t.Context(), late, postgres.IDAt(time.Now().Add(-1000*time.Hour)), "wrong clock"); err != nil {
		t.Fatal(err)
	}
	after := v.extend()
	if before.Transactions+after.Transactions != 4 || after.Transactions < 2 {
		t.Errorf("sealed %d, then %d", before.Transactions, after.Transactions)
	}
	if broken := v.broken(""); len(broken) > 0 {
		t.Errorf("the audit names %q", broken)
	}
}

// What the release before wrote and sealed still fits, and is covered in full from now on; what it seals while
// both run fits too.
func TestSealsOfTheReleaseBefore(t *testing.T) {
	t.Parallel()
	v := open(t)
	v.bet("b1")
	ctx, db := t.Context(), v.DB
	if err := postgres.InTx(ctx, db.Pool, func(ctx context.Context, tx pgx.Tx) error {
		for _, statement := range []string{`SET LOCAL session_replication_role = replica`, `UPDATE transactions SET position = NULL`} {
			if _, err := tx.Exec(ctx, statement); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	v.sealAsBefore(true)
	v.bet("b2")
	v.sealAsBefore(false)
	// With an id that lies in what is sealed: another clock.
	if _, err := db.Pool.Exec(ctx, `
		INSERT INTO transactions (id, source, external_id, kind, player_id, amount, cash_after, bonus_after, provider, payload_hash, at)
		VALUES ($1, 'betao', 'other clock', 'tombstone', $2, 0, 0, 0, 'betao', '', now())`, postgres.IDAt(time.Now().Add(-time.Hour)), v.who.ID); err != nil {
		t.Fatal(err)
	}
	if end := v.extend(); end.N != 4 || end.Transactions != 2 {
		t.Errorf("after two seals of the release before, one of its rows and one of ours: %+v", end)
	}
	if broken := v.broken(""); len(broken) > 0 {
		t.Errorf("the audit names %q", broken)
	}
	for change, want := range map[string]string{
		`UPDATE ledger_seals SET hash = '\x00' WHERE n = 1`:                                                                      "seal 1",
		`UPDATE transactions SET comment = 'x' WHERE external_id = 'b1'`:                                                         "seal 3",
		`UPDATE transactions SET position = NULL WHERE external_id = 'other clock'`:                                              "seal 3",
		`UPDATE transfers SET amount = amount + 1 WHERE transaction_id = (SELECT id FROM transactions WHERE external_id = 'b2')`: "seal 2",
	} {
		if broken := v.broken(change); !slices.Contains(broken, want) {
			t.Errorf("%s: the audit names %q", change, broken)
		}
	}
}

// sealAsBefore makes a seal as the release before does: over transfers, by their ids.
func (v vault) sealAsBefore(withoutPosition bool) {
	v.t.Helper()
	if _, err := v.DB.Pool.Exec(v.t.Context(), `
		INSERT INTO ledger_seals (n, after_id, until_id, transfers, hash, sealed_at)
		SELECT coalesce(l.n, 0) + 1, coalesce(l.until_id, '00000000-0000-0000-0000-000000000000'), t.id, t.n,
		       sha256(coalesce(l.hash, '') || t.rows), now()
		  FROM (VALUES (1)) one LEFT JOIN (SELECT * FROM ledger_seals ORDER BY n DESC LIMIT 1) l ON true
		 CROSS JOIN LATERAL (
		       SELECT count(*) AS n, max(transaction_id::text)::uuid AS id,
		              string_agg(uuid_send(transaction_id) || int8send(leg) || int8send(debit_account) || int8send(credit_account) || int8send(amount)
		                         || int8send(coalesce(balance_after, 0)) || int8send(coalesce(account_version, 0)), '' ORDER BY transaction_id, leg) AS rows
		         FROM transfers WHERE transaction_id > coalesce(l.until_id, '00000000-0000-0000-0000-000000000000')) t`); err != nil {
		v.t.Fatal(err)
	}
	if withoutPosition {
		if err := postgres.InTx(v.t.Context(), v.DB.Pool, func(ctx context.Context, tx pgx.Tx) error {
			if _, err := tx.Exec(ctx, `SET LOCAL session_replication_role = replica`); err != nil {
				return err
			}
			_, err := tx.Exec(ctx, `UPDATE ledger_seals SET position = NULL`)
			return err
		}); err != nil {
			v.t.Fatal(err)
		}
	}
}

// A dump restored into a cluster that has counted less: nothing starts on it before it was migrated, and then
// the order goes on where it ended.
func TestRestoredElsewhere(t *testing.T) {
	t.Parallel()
	v := open(t)
	v.bet("b1")
	v.extend()
	if err := postgres.CheckSchema(t.Context(), v.DB.Pool); err != nil {
		t.Fatal(err)
	}
	// As if this cluster had begun its count much later.
	if _, err := v.DB.Pool.Exec(t.Context(), `
		CREATE OR REPLACE FUNCTION ledger_offset() RETURNS bigint LANGUAGE sql STABLE PARALLEL SAFE RETURN -500::bigint`); err != nil {
		t.Fatal(err)
	}
	if err := postgres.CheckSchema(t.Context(), v.DB.Pool); !errors.Is(err, postgres.ErrRestored) {
		t.Fatalf("CheckSchema() = %v, want ErrRestored", err)
	}
	for range 2 {
		if err := postgres.Migrate(t.Context(), v.url); err != nil {
			t.Fatal(err)
		}
	}
	if err := postgres.CheckSchema(t.Context(), v.DB.Pool); err != nil {
		t.Fatal(err)
	}
	v.bet("b2")
	if end := v.extend(); end.N != 2 || end.Transactions != 1 {
		t.Errorf("seal = %+v", end)
	}
	if broken := v.broken(""); len(broken) > 0 {
		t.Errorf("the audit names %q", broken)
	}
}

// Extending at once makes one chain.
func TestSealedAtOnce(t *testing.T) {
	t.Parallel()
	v := open(t)
	v.bet("b1")
	v.Sealable(t)
	failed := make(chan error, 4)
	for range 4 {
		go func() {
			_, err := seal.Extend(context.Background(), v.DB, time.Now())
			failed <- err
		}()
	}
	for range 4 {
		if err := <-failed; err != nil {
			t.Error(err)
		}
	}
	if end := v.extend(); end.N != 1 {
		t.Errorf("seal = %+v", end)
	}
}
