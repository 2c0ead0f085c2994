package migrations_test

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"evens/internal/testbed"
)

func TestMain(m *testing.M) { testbed.Main(m) }

// table is rows that a table takes, and all that it refuses.
type table struct {
	name string
	// row is a column and its value a line: # is the row's number, @ a UUID of that number. Columns that may be null are
	// marked by ?; those that are left out are null, or have their default.
	row        string
	keys       []key
	checks     []check
	foreign    []check // foreign keys
	appendOnly bool
	first      string // a statement before all
	alone      bool   // there is but one such row
}

// key is a unique key: rows 1 and 2 with the same values in its columns are refused, and with another in any of them not.
type key struct {
	name, columns string
	both          string // changes to both rows
	free          string // changes to row 1 that take it out of a partial key
}

// check is a rule about one row: what it refuses, and what it lets be, as changes of row 1.
type check struct {
	name         string
	wrong, right []string
}

const (
	notNull = "23502"
	foreign = "23503"
	unique  = "23505"
	checked = "23514"
	changed = "23001"
)

// Every rule of the schema refuses what it is there for, and no more: unique keys, checks, columns that are never null,
// foreign keys, and tables that are only added to. A rule that the catalogue has and this test does not try fails it.
func TestSchemaRefuses(t *testing.T) {
	t.Parallel()
	conn, err := pgx.Connect(t.Context(), testbed.Database(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.WithoutCancel(t.Context())) })
	var tried []string
	for _, c := range tables {
		tried = append(tried, c.rules()...)
	}
	slices.Sort(tried)
	if diff := cmp.Diff(slices.Compact(tried), catalogued(t, conn)); diff != "" {
		t.Errorf("rules that are tried here (-) and those of the catalogue (+):\n%s", diff)
	}
	for _, c := range tables {
		t.Run(c.name, func(t *testing.T) {
			(&trial{t: t, conn: conn, table: c}).all()
		})
	}
}

// rules are the names of all that is tried.
func (c table) rules() (names []string) {
	for _, k := range c.keys {
		names = append(names, "unique "+c.name+" "+k.name)
	}
	for _, k := range c.checks {
		names = append(names, "check "+c.name+" "+k.name)
	}
	for _, k := range c.foreign {
		names = append(names, "foreign "+c.name+" "+k.name)
	}
	if c.appendOnly {
		names = append(names, "trigger "+c.name+" "+c.name+"_append_only")
	}
	for _, column := range c.columns() {
		if !column.null {
			names = append(names, "never null "+c.name+" "+column.name)
		}
	}
	return names
}

type column struct {
	name, value string
	null        bool
}

func (c table) columns() (all []column) {
	for line := range strings.Lines(c.row) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), " "); ok {
			plain := strings.TrimSuffix(name, "?")
			all = append(all, column{plain, strings.TrimSpace(value), plain != name})
		}
	}
	return all
}

// catalogued are the rules of the migrated schema.
func catalogued(t *testing.T, conn *pgx.Conn) []string {
	t.Helper()
	rows, err := conn.Query(t.Context(), `
		WITH mine AS (SELECT oid, relname FROM pg_class
		               WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition AND relname <> 'goose_db_version')
		SELECT format('unique %s %s', m.relname, i.relname) FROM mine m JOIN pg_index x ON x.indrelid = m.oid JOIN pg_class i ON i.oid = x.indexrelid
		 WHERE x.indisunique
		UNION ALL
		SELECT format('%s %s %s', CASE c.contype WHEN 'c' THEN 'check' WHEN 'f' THEN 'foreign' ELSE 'exclusion' END, m.relname, c.conname)
		  FROM mine m JOIN pg_constraint c ON c.conrelid = m.oid WHERE c.contype IN ('c', 'f', 'x')
		UNION ALL
		SELECT format('trigger %s %s', m.relname, t.tgname) FROM mine m JOIN pg_trigger t ON t.tgrelid = m.oid WHERE NOT t.tgisinternal
		UNION ALL
		SELECT format('never null %s %s', m.relname, a.attname) FROM mine m JOIN pg_attribute a ON a.attrelid = m.oid
		 WHERE a.attnotnull AND a.attnum > 0`)
	if err != nil {
		t.Fatal(err)
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(names)
	return names
}

// trial tries one table's rules. Every try is undone.
type trial struct {
	t     *testing.T
	conn  *pgx.Conn
	table table
}

func (r *trial) all() {
	r.t.Helper()
	rows := []string{r.insert(1)}
	if !r.table.alone {
		rows = append(rows, r.insert(2))
	}
	r.taken("rows that differ", rows...)
	for _, column := range r.table.columns() {
		if !column.null {
			r.refused(notNull, column.name, r.insert(1, column.name+" NULL"))
		}
	}
	for _, k := range r.table.keys {
		r.key(k)
	}
	for _, k := range r.table.checks {
		r.check(k, checked)
	}
	for _, k := range r.table.foreign {
		r.check(k, foreign)
	}
	if r.table.appendOnly {
		columns := r.table.columns()
		r.refused(changed, "", r.insert(1), fmt.Sprintf("UPDATE %s SET %[2]s = %[2]s", r.table.name, columns[len(columns)-1].name))
		r.refused(changed, "", r.insert(1), "DELETE FROM "+r.table.name)
		r.refused(changed, "", r.insert(1), "TRUNCATE "+r.table.name)
	}
}

func (r *trial) key(k key) {
	r.t.Helper()
	both := changes(k.both)
	var same []string
	for _, name := range strings.Fields(k.columns) {
		same = append(same, name+" "+numbered(r.value(name, both), 1))
	}
	r.refused(unique, k.name, r.insert(1, both...), r.insert(2, slices.Concat(both, same)...))
	if k.free != "" {
		freed := slices.Concat(both, changes(k.free))
		r.taken(k.name+" of a row that it does not count", r.insert(1, freed...), r.insert(2, slices.Concat(both, same)...))
	}
	for n := range same {
		if len(same) > 1 {
			other := slices.Delete(slices.Clone(same), n, n+1)
			r.taken(k.name+" with another "+strings.Fields(same[n])[0], r.insert(1), r.insert(2, other...))
		}
	}
}

func (r *trial) check(k check, code string) {
	r.t.Helper()
	for _, wrong := range k.wrong {
		r.refused(code, k.name, r.insert(1, changes(wrong)...))
	}
	for _, right := range k.right {
		r.taken(k.name, r.insert(1, changes(right)...))
	}
}

// changes are given as column and value; column and value.
func changes(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(text, "; ")
}

// value is what a column has in a row.
func (r *trial) value(name string, changes []string) string {
	for _, change := range changes {
		if value, ok := strings.CutPrefix(change, name+" "); ok {
			return value
		}
	}
	for _, column := range r.table.columns() {
		if column.name == name {
			return column.value
		}
	}
	r.t.Fatalf("%s has no column %s", r.table.name, name)
	return ""
}

var shorthand = regexp.MustCompile(`[@#]\d?`)

// numbered fills in a row's number: @ and # stand for its own, @3 and #3 for that of row 3.
func numbered(value string, n int) string {
	return shorthand.ReplaceAllStringFunc(value, func(s string) string {
		number := strconv.Itoa(n)
		if len(s) > 1 {
			number = s[1:]
		}
		if s[0] == '@' {
			return "'00000000-0000-0000-0000-00000000000" + number + "'"
		}
		return number
	})
}

// insert is the statement that adds row n with some columns changed.
func (r *trial) insert(n int, changed ...string) string {
	var names, values []string
	for _, column := range r.table.columns() {
		names, values = append(names, column.name), append(values, "")
	}
	for _, change := range changed {
		if name, _, _ := strings.Cut(change, " "); !slices.Contains(names, name) {
			names, values = append(names, name), append(values, "")
		}
	}
	for i, name := range names {
		// The last change holds.
		values[i] = numbered(r.value(name, reversed(changed)), n)
	}
	return fmt.Sprintf("INSERT INTO %s (%s) OVERRIDING SYSTEM VALUE VALUES (%s)", r.table.name, strings.Join(names, ", "), strings.Join(values, ", "))
}

func reversed(list []string) []string {
	list = slices.Clone(list)
	slices.Reverse(list)
	return list
}

// try runs statements and undoes them. It answers the last one's error; those before must pass.
func (r *trial) try(statements ...string) error {
	r.t.Helper()
	ctx := r.t.Context()
	tx, err := r.conn.Begin(ctx)
	if err != nil {
		r.t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }()
	if r.table.first != "" {
		statements = append([]string{r.table.first}, statements...)
	}
	for i, statement := range statements {
		if _, err = tx.Exec(ctx, statement); err != nil && i < len(statements)-1 {
			r.t.Fatalf("%s\n%v", statement, err)
		}
	}
	return err
}

func (r *trial) taken(what string, statements ...string) {
	r.t.Helper()
	if err := r.try(statements...); err != nil {
		r.t.Errorf("%s: %s\n%v", what, strings.Join(statements, "\n"), err)
	}
}

// refused wants the last statement to break just that rule.
func (r *trial) refused(code, rule string, statements ...string) {
	r.t.Helper()
	last := statements[len(statements)-1]
	refusal, ok := errors.AsType[*pgconn.PgError](r.try(statements...))
	if !ok {
		r.t.Errorf("taken, against %s: %s", rule, last)
		return
	}
	broken := refusal.ConstraintName
	if code == notNull {
		broken = refusal.ColumnName
	}
	// A partition has its own index under the key.
	if refusal.Code != code || broken != rule && broken != strings.Replace(rule, r.table.name, r.table.name+"_rest", 1) {
		r.t.Errorf("%s\n%s %s: %s, want %s %s", last, refusal.Code, broken, refusal.Message, code, rule)
	}
}
