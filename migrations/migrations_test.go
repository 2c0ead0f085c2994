package migrations_test

import (
	"io/fs"
	"strings"
	"testing"

	"evens/migrations"
)

func read(t *testing.T) (files []file) {
	t.Helper()
	names, err := fs.Glob(migrations.FS, "*.sql")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names { // sorted
		text, err := fs.ReadFile(migrations.FS, name)
		if err != nil {
			t.Fatal(err)
		}
		f, err := parse(name, string(text))
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
	}
	return files
}

// Every step behind the release before can be taken while others read and write (CONTRIBUTING.md, Schema).
func TestMigrationsKeepNobodyWaiting(t *testing.T) {
	files := read(t)
	if len(files) < 20 {
		t.Fatalf("%d files were read", len(files))
	}
	for _, fault := range faults(files) {
		t.Error(fault)
	}
}

// The rules themselves: each of these would keep somebody waiting, or could not be done again.
func TestRulesOfMigrations(t *testing.T) {
	const tx, none = "-- +goose Up\n", "-- +goose NO TRANSACTION\n-- +goose Up\n"
	for _, c := range []struct{ fault, head, sql string }{
		{"CONCURRENTLY", tx, "CREATE INDEX i ON transactions (at);"},
		{"CONCURRENTLY", tx, "CREATE UNIQUE INDEX i\n    ON transactions (at);"},
		{"NO TRANSACTION", tx, "CREATE INDEX CONCURRENTLY IF NOT EXISTS i ON transactions (at);"},
		{"done again", none, "CREATE INDEX CONCURRENTLY i ON transactions (at);"},
		{"CONCURRENTLY", tx, "DROP INDEX transactions_rare;"},
		{"NOT VALID", tx, "ALTER TABLE transactions ADD CONSTRAINT c CHECK (amount > 0);"},
		{"NOT VALID", tx, "ALTER TABLE transactions ADD CHECK (amount > 0);"},
		{"never validated", tx, "ALTER TABLE transactions ADD CONSTRAINT c CHECK (amount > 0) NOT VALID;"},
		{"NOT VALID", tx, "ALTER TABLE coupons ADD CONSTRAINT f FOREIGN KEY (player_id) REFERENCES players (id);"},
		{"of its own", tx, "ALTER TABLE coupons ADD CONSTRAINT c CHECK (true) NOT VALID;\nALTER TABLE coupons VALIDATE CONSTRAINT c;"},
		{"USING INDEX", tx, "ALTER TABLE coupons ADD CONSTRAINT u UNIQUE (bet_code);"},
		{"USING INDEX", tx, "ALTER TABLE coupons ADD UNIQUE (bet_code);"},
		{"USING INDEX", tx, "ALTER TABLE coupons ADD PRIMARY KEY (id, stake);"},
		{"column's type", tx, "ALTER TABLE coupons ALTER COLUMN stake TYPE numeric;"},
		{"column's type", tx, "ALTER TABLE coupons\n    ALTER stake SET DATA TYPE numeric;"},
		{"nulls", tx, "ALTER TABLE coupons ALTER bet_code SET NOT NULL;"},
		{"token is filled", tx, "ALTER TABLE coupons ADD COLUMN token uuid DEFAULT gen_random_uuid();"},
		{"n is filled", tx, "ALTER TABLE coupons ADD n bigserial;"},
		{"n is filled", tx, "ALTER TABLE coupons ADD n bigint CHECK (n > 0);"},
		{"n is filled", tx, "ALTER TABLE coupons ADD n bigint GENERATED ALWAYS AS (stake * 2) STORED;"},
		{"anew", tx, "ALTER TABLE coupons SET UNLOGGED;"},
		{"2 tables", tx, "ALTER TABLE coupons ADD a int;\nALTER TABLE transactions ADD a int;"},
		{"2 tables", tx, "CREATE TABLE new (id uuid REFERENCES players (id));\nALTER TABLE coupons ADD a int;"},
		{"rows are changed", tx, "ALTER TABLE coupons ADD a int;\nUPDATE coupons SET a = 1;"},
		{"locks", tx, "LOCK TABLE coupons;"},
		{"DO block", tx, "-- +goose StatementBegin\nDO $$ BEGIN ALTER TABLE coupons ADD a int; END $$;\n-- +goose StatementEnd"},
		{"done again", none, "CREATE TABLE new (a int);"},
		{"done again", none, "CREATE FUNCTION f() RETURNS int LANGUAGE sql RETURN 1;"},
		{"done again", none, "INSERT INTO games VALUES ('a', 'b', 'c');"},
		{"IF NOT EXISTS", none, "ALTER TABLE coupons ADD a int;"},
		{"IF EXISTS", none, "ALTER TABLE coupons DROP COLUMN lang;"},
		{"DROP CONSTRAINT IF EXISTS", none, "ALTER TABLE coupons ADD CONSTRAINT c CHECK (true) NOT VALID;\nALTER TABLE coupons VALIDATE CONSTRAINT c;"},
	} {
		t.Run(c.sql, func(t *testing.T) {
			f, err := parse("99999_x.sql", c.head+c.sql)
			if err != nil {
				t.Fatal(err)
			}
			if found := strings.Join(faults(append(read(t), f)), "\n"); !strings.Contains(found, c.fault) {
				t.Errorf("%s%s\nfaults: %q, want one about %q", c.head, c.sql, found, c.fault)
			}
		})
	}
}

// What keeps nobody waiting is let be.
func TestRulesLetGoodMigrationsBe(t *testing.T) {
	for _, sql := range []string{
		"-- +goose Up\nCREATE TABLE new (id uuid PRIMARY KEY, n bigint NOT NULL CHECK (n > 0));\n" +
			"CREATE INDEX new_n ON new (n);\n" +
			"ALTER TABLE new ADD CONSTRAINT c CHECK (n < 9);\nINSERT INTO new VALUES (gen_random_uuid(), 1);\n" +
			"ALTER TABLE new ADD UNIQUE (n);",
		"-- +goose Up\nALTER TABLE coupons ADD a int NOT NULL DEFAULT 0, ADD b text; -- REFERENCES nothing\n",
		"-- +goose NO TRANSACTION\n-- +goose Up\nALTER TABLE coupons\n    ADD COLUMN IF NOT EXISTS a int,\n" +
			"    DROP CONSTRAINT IF EXISTS c,\n" +
			"    ADD CONSTRAINT c CHECK (a > 0) NOT VALID;\nALTER TABLE coupons VALIDATE CONSTRAINT c;\n" +
			"CREATE INDEX CONCURRENTLY IF NOT EXISTS i ON coupons (a);\nUPDATE coupons SET a = 1 WHERE a IS NULL;",
	} {
		f, err := parse("99999_x.sql", sql)
		if err != nil {
			t.Fatal(err)
		}
		if found := faults(append(read(t), f)); len(found) > 0 {
			t.Errorf("%s\nfaults: %q", sql, found)
		}
	}
}
