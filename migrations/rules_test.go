package migrations_test

import (
	"fmt"
	"regexp"
	"strings"
)

// released is the last version of the release before: its files stay as they are. Those behind it run while
// everybody reads and writes.
const released = 9

// file is the way up of one migration.
type file struct {
	name       string
	version    int64
	inTx       bool
	statements []string
}

// parse reads a file in goose's format, without comments.
func parse(name, text string) (f file, err error) {
	if _, err := fmt.Sscanf(name, "%d_", &f.version); err != nil {
		return file{}, fmt.Errorf("%s: no version: %w", name, err)
	}
	f.name, f.inTx = name, !strings.Contains(text, "+goose NO TRANSACTION")
	up, _, _ := strings.Cut(text, "-- +goose Down")
	var statement strings.Builder
	var whole bool
	end := func() {
		if s := strings.TrimSpace(statement.String()); s != "" {
			f.statements = append(f.statements, strings.TrimSpace(strings.TrimSuffix(s, ";")))
		}
		statement.Reset()
	}
	for line := range strings.Lines(up) {
		switch directive := strings.TrimSpace(line); directive {
		case "-- +goose StatementBegin":
			whole = true
		case "-- +goose StatementEnd":
			whole = false
			end()
		default:
			line, _, _ = strings.Cut(line, "--")
			statement.WriteString(strings.TrimRight(line, " \n") + "\n")
			if !whole && strings.HasSuffix(strings.TrimSpace(line), ";") {
				end()
			}
		}
	}
	end()
	return f, nil
}

func pattern(s string) *regexp.Regexp {
	return regexp.MustCompile(`(?is)` + strings.ReplaceAll(s, " ", `\s+`))
}

var (
	createsTable = pattern(`^CREATE (?:UNLOGGED )?TABLE (?:IF NOT EXISTS )?(\w+)`)
	createsIndex = pattern(`^CREATE (?:UNIQUE )?INDEX .*?\bON (?:ONLY )?(\w+)`)
	altersTable  = pattern(`^ALTER TABLE (?:IF EXISTS )?(?:ONLY )?(\w+)`)
	onTable      = pattern(`^CREATE (?:OR REPLACE )?(?:CONSTRAINT )?(?:TRIGGER|RULE|POLICY) .*?\bON (\w+)`)
	dropsTable   = pattern(`^DROP TABLE (?:IF EXISTS )?(\w+)`)
	refersTo     = pattern(`\bREFERENCES (\w+)`)
	changesRows  = pattern(`^(?:WITH|UPDATE|DELETE|INSERT|MERGE)\b`)
	concurrently = pattern(`\bCONCURRENTLY\b`)
	notValid     = pattern(`ADD CONSTRAINT (\w+) (?:CHECK|FOREIGN KEY)\b[^;]*?\bNOT VALID`)
	addsChecked  = pattern(`ADD (?:CONSTRAINT \w+ )?(?:CHECK|FOREIGN KEY)\b`)
	addsUnique   = pattern(`ADD (?:CONSTRAINT \w+ )?(?:UNIQUE|PRIMARY KEY)\b(?: USING INDEX\b)?`)
	validates    = pattern(`VALIDATE CONSTRAINT (\w+)`)
	addsNamed    = pattern(`ADD CONSTRAINT (\w+)`)
	addsColumn   = pattern(`\bADD (?:COLUMN )?(?:IF NOT EXISTS )?(\w+) [^,]*`)
	hidden       = pattern(`\b(?:ALTER TABLE|CREATE (?:UNIQUE )?INDEX|LOCK TABLE|TRUNCATE)\b`)
)

// rewrites are what reads or writes a whole table while nobody else may.
var rewrites = map[string]*regexp.Regexp{
	"changes a column's type":           pattern(`\bALTER (?:COLUMN )?\w+ (?:SET DATA )?TYPE\b`),
	"looks through the table for nulls": pattern(`\bSET NOT NULL\b`),
	"writes the table anew":             pattern(`\bSET (?:LOGGED|UNLOGGED|TABLESPACE|ACCESS METHOD)\b`),
	"compares every row":                pattern(`\bADD (?:CONSTRAINT \w+ )?EXCLUDE\b`),
	"looks through the default's rows":  pattern(`\bATTACH PARTITION\b`),
}

// filled are columns whose addition writes or reads every row.
var filled = pattern(`\b(?:gen_random_uuid|random|clock_timestamp|nextval|uuidv[47]|(?:small|big)?serial` +
	`|GENERATED|UNIQUE|PRIMARY KEY|REFERENCES|CHECK)\b`)

// addsOther is what may follow ADD in place of a column's name.
var addsOther = pattern(`^(?:CONSTRAINT|CHECK|UNIQUE|PRIMARY|FOREIGN|EXCLUDE)$`)

// faults says what about the files keeps others waiting for longer than a moment, or cannot be done again.
func faults(files []file) (found []string) {
	tables := make(map[string]bool)
	validated := make(map[string]bool)
	for _, f := range files {
		for _, statement := range f.statements {
			for _, one := range validates.FindAllStringSubmatch(statement, -1) {
				validated[one[1]] = true
			}
		}
	}
	for _, f := range files {
		made := make(map[string]bool)
		for _, statement := range f.statements {
			if table := createsTable.FindStringSubmatch(statement); table != nil {
				made[table[1]] = true
			}
		}
		if f.version > released {
			old := func(table string) bool { return tables[table] && !made[table] }
			check := checker{file: f, old: old, validated: validated}
			found = append(found, check.faults()...)
		}
		for table := range made {
			tables[table] = true
		}
	}
	return found
}

// checker looks at one file, with the tables that were there before it.
type checker struct {
	file
	old       func(table string) bool
	validated map[string]bool
	found     []string
}

func (c *checker) fault(statement, format string, args ...any) {
	first, _, _ := strings.Cut(statement, "\n")
	c.found = append(c.found, fmt.Sprintf("%s: %s: %s", c.name, first, fmt.Sprintf(format, args...)))
}

func (c *checker) faults() []string {
	locked := make(map[string]bool)
	var rows string
	for _, statement := range c.statements {
		for _, table := range c.locks(statement) {
			locked[table] = true
		}
		if changesRows.MatchString(statement) {
			rows = statement
		}
		c.index(statement)
		c.constraints(statement)
		c.columns(statement)
		c.others(statement)
		if !c.inTx {
			c.repeatable(statement)
		}
	}
	if c.inTx && len(locked) > 1 {
		const format = "one transaction keeps %d tables locked, waiting for the next: -- +goose NO TRANSACTION"
		c.fault("the whole file", format, len(locked))
	}
	if c.inTx && len(locked) > 0 && rows != "" {
		c.fault(rows, "rows are changed while the transaction keeps a table locked: -- +goose NO TRANSACTION")
	}
	return c.found
}

// locks are the older tables that others cannot use, or not write to, until the statement's transaction ends.
func (c *checker) locks(statement string) (tables []string) {
	for _, re := range []*regexp.Regexp{altersTable, createsIndex, onTable, dropsTable} {
		if m := re.FindStringSubmatch(statement); m != nil && c.old(m[1]) {
			tables = append(tables, m[1])
		}
	}
	for _, m := range refersTo.FindAllStringSubmatch(statement, -1) {
		if c.old(m[1]) {
			tables = append(tables, m[1])
		}
	}
	return tables
}

func (c *checker) index(statement string) {
	m := createsIndex.FindStringSubmatch(statement)
	switch {
	case concurrently.MatchString(statement) && c.inTx:
		c.fault(statement, "CONCURRENTLY works outside a transaction only: -- +goose NO TRANSACTION")
	case m != nil && c.old(m[1]) && !concurrently.MatchString(statement):
		c.fault(statement, "nobody can write to %s until the index is built: CONCURRENTLY", m[1])
	case pattern(`^(?:DROP INDEX|REINDEX)\b`).MatchString(statement) && !concurrently.MatchString(statement):
		c.fault(statement, "the table is locked meanwhile: CONCURRENTLY")
	}
}

func (c *checker) constraints(statement string) {
	m := altersTable.FindStringSubmatch(statement)
	if m == nil || !c.old(m[1]) {
		return
	}
	if added := len(addsChecked.FindAllString(statement, -1)); added > len(notValid.FindAllString(statement, -1)) {
		const format = "every row is checked while nobody can use %s: a name, NOT VALID, and VALIDATE CONSTRAINT after it"
		c.fault(statement, format, m[1])
	}
	for _, one := range notValid.FindAllStringSubmatch(statement, -1) {
		if !c.validated[one[1]] {
			c.fault(statement, "%s is never validated", one[1])
		}
	}
	for _, one := range addsUnique.FindAllString(statement, -1) {
		if !strings.HasSuffix(strings.ToUpper(one), "INDEX") {
			const format = "the index is built while nobody can use %s: build it CONCURRENTLY, then … USING INDEX"
			c.fault(statement, format, m[1])
		}
	}
	if validates.MatchString(statement) && (c.inTx || addsNamed.MatchString(statement)) {
		const format = "rows are checked under the same transaction's lock: a statement of its own, NO TRANSACTION"
		c.fault(statement, format)
	}
}

func (c *checker) columns(statement string) {
	m := altersTable.FindStringSubmatch(statement)
	if m == nil || !c.old(m[1]) {
		return
	}
	for what, re := range rewrites {
		if re.MatchString(statement) {
			c.fault(statement, "%s while nobody can use %s", what, m[1])
		}
	}
	for _, column := range addsColumn.FindAllStringSubmatch(statement, -1) {
		if !addsOther.MatchString(column[1]) && filled.MatchString(column[0]) {
			const format = "the column %s is filled or checked in every row while nobody can use %s"
			c.fault(statement, format, column[1], m[1])
		}
	}
}

func (c *checker) others(statement string) {
	if pattern(`^(?:LOCK|TRUNCATE|CLUSTER|VACUUM)\b`).MatchString(statement) {
		c.fault(statement, "locks a table")
	}
	if pattern(`^DO\b`).MatchString(statement) && hidden.MatchString(statement) {
		c.fault(statement, "a DO block is one transaction, and what it locks cannot be seen here")
	}
}

// again are statements that find what they would make when they come again.
var again = pattern(`^(?:CREATE TABLE IF NOT EXISTS|CREATE (?:UNIQUE )?INDEX (?:CONCURRENTLY )?IF NOT EXISTS|CREATE OR REPLACE\b` +
	`|DROP \w+ (?:CONCURRENTLY )?IF EXISTS|CREATE SEQUENCE IF NOT EXISTS|ALTER TABLE|UPDATE|DELETE|GRANT|REVOKE|COMMENT|SELECT|DO|REINDEX)\b`)

// repeatable: a file without a transaction is run from its beginning when it broke off.
func (c *checker) repeatable(statement string) {
	inserts := pattern(`^INSERT\b`).MatchString(statement) && pattern(`\bON CONFLICT\b`).MatchString(statement)
	if !again.MatchString(statement) && !inserts {
		c.fault(statement, "cannot be done again where the file broke off: IF NOT EXISTS, OR REPLACE, ON CONFLICT")
	}
	if !altersTable.MatchString(statement) {
		return
	}
	for _, one := range addsNamed.FindAllStringSubmatch(statement, -1) {
		if !pattern(`DROP CONSTRAINT IF EXISTS ` + one[1] + `\b`).MatchString(statement) {
			c.fault(statement, "%s cannot be added again: DROP CONSTRAINT IF EXISTS before it, in the same statement", one[1])
		}
	}
	for _, column := range pattern(`\bADD (?:COLUMN )?(IF )?(\w+)`).FindAllStringSubmatch(statement, -1) {
		if column[1] == "" && !addsOther.MatchString(column[2]) {
			c.fault(statement, "%s cannot be added again: ADD COLUMN IF NOT EXISTS", column[2])
		}
	}
	for _, drop := range pattern(`\bDROP (?:CONSTRAINT |COLUMN )?(IF )?(\w+)`).FindAllStringSubmatch(statement, -1) {
		if drop[1] == "" && !pattern(`^(?:NOT|DEFAULT|IDENTITY|EXPRESSION)$`).MatchString(drop[2]) {
			c.fault(statement, "%s cannot be dropped again: IF EXISTS", drop[2])
		}
	}
}
