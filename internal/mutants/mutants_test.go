package main

import (
	"fmt"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"evens/internal/testbed"
)

func TestMain(m *testing.M) { testbed.Main(m) }

const sample = `package shop

import (
	"errors"
	"time"
)

const readOpen = ` + "`" + `
	SELECT id FROM coupons
	 WHERE player = $1 AND open
	   FOR UPDATE` + "`" + `

const readBoth = readOpen + " LIMIT 2"

var ErrLate = errors.New("late")

type shop struct{ sum, most int }

func (s *shop) ask(run func(string)) { run(readBoth) }

func (s *shop) add(n int, at, until time.Time, err error) (int, error) {
	if err != nil {
		return 0, err
	}
	if n > 0 && at.Before(until) {
		s.sum += n
	}
	if s.sum-n == min(s.most, 7) {
		s.note()
		return -n, ErrLate
	}
	return s.sum, nil
}

func (s *shop) note() {}

func (s *shop) String() string { return "sum" + "most" }
`

// What a Go source may be given, and what is let be: errors that are passed on, texts for people, imports.
func TestFaultsOfASource(t *testing.T) {
	t.Parallel()
	faults, err := faultsOf("shop/shop.go", "x/shop", sample)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range faults {
		got = append(got, fmt.Sprintf("%d %s: %s", f.Line, f.Kind, f.What))
	}
	want := []string{
		"11 SQL: a lock dropped: FOR UPDATE", "10 SQL: a predicate made true: player = $1", "10 SQL: a predicate made true: open",
		"19 a call dropped: run(readBoth)", "23 an error dropped: return 0, err",
		"25 a condition made true: n > 0 && at.Before(until)", "25 a condition made false: n > 0 && at.Before(until)",
		"25 an operand of && dropped: n > 0", "25 an operand of && dropped: at.Before(until)",
		"25 a boundary: n > 0", "25 After for Before: at.Before(until)",
		"26 an assignment dropped: s.sum += n",
		"28 a condition made true: s.sum-n == min(s.most, 7)", "28 a condition made false: s.sum-n == min(s.most, 7)",
		"28 a comparison turned round: s.sum-n == min(s.most, 7)", "28 an operand: s.sum-n", "28 max for min: min(s.most, 7)",
		"29 a call dropped: s.note()", "30 a sign: -n", "30 an error dropped: return -n, ErrLate",
	}
	slices.Sort(got)
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("faults (-want +got):\n%s", diff)
	}
}

func TestFaultsOfAStatement(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]string{
		`SELECT DISTINCT a FROM t LEFT JOIN u ON u.id = t.id AND u.x < 3 WHERE t.k = 'a, AND b' ORDER BY a DESC FOR NO KEY UPDATE OF t SKIP LOCKED`: {
			"DISTINCT dropped: SELECT a FROM t LEFT JOIN u ON u.id = t.id AND u.x < 3 WHERE t.k = 'a, AND b' ORDER BY a DESC FOR NO KEY UPDATE OF t SKIP LOCKED",
			"a boundary: SELECT DISTINCT a FROM t LEFT JOIN u ON u.id = t.id AND u.x <= 3 WHERE t.k = 'a, AND b' ORDER BY a DESC FOR NO KEY UPDATE OF t SKIP LOCKED",
			"a lock dropped: SELECT DISTINCT a FROM t LEFT JOIN u ON u.id = t.id AND u.x < 3 WHERE t.k = 'a, AND b' ORDER BY a DESC",
			"a predicate made true: SELECT DISTINCT a FROM t LEFT JOIN u ON TRUE AND u.x < 3 WHERE t.k = 'a, AND b' ORDER BY a DESC FOR NO KEY UPDATE OF t SKIP LOCKED",
			"a predicate made true: SELECT DISTINCT a FROM t LEFT JOIN u ON u.id = t.id AND TRUE WHERE t.k = 'a, AND b' ORDER BY a DESC FOR NO KEY UPDATE OF t SKIP LOCKED",
			"a predicate made true: SELECT DISTINCT a FROM t LEFT JOIN u ON u.id = t.id AND u.x < 3 WHERE TRUE ORDER BY a DESC FOR NO KEY UPDATE OF t SKIP LOCKED",
			"an inner for an outer join: SELECT DISTINCT a FROM t JOIN u ON u.id = t.id AND u.x < 3 WHERE t.k = 'a, AND b' ORDER BY a DESC FOR NO KEY UPDATE OF t SKIP LOCKED",
			"the order turned: SELECT DISTINCT a FROM t LEFT JOIN u ON u.id = t.id AND u.x < 3 WHERE t.k = 'a, AND b' ORDER BY a ASC FOR NO KEY UPDATE OF t SKIP LOCKED",
		},
		`INSERT INTO t (a) VALUES (greatest($1, 2)) ON CONFLICT (a) DO NOTHING`: {
			"ON CONFLICT dropped: INSERT INTO t (a) VALUES (greatest($1, 2))",
			"least for greatest: INSERT INTO t (a) VALUES (least($1, 2)) ON CONFLICT (a) DO NOTHING",
		},
		`UPDATE t SET a = 1 WHERE NOT EXISTS (SELECT FROM u WHERE u.id = t.id) -- WHERE x = 1`: {
			"EXISTS for NOT EXISTS: UPDATE t SET a = 1 WHERE EXISTS (SELECT FROM u WHERE u.id = t.id) -- WHERE x = 1",
			"a predicate made true: UPDATE t SET a = 1 WHERE NOT EXISTS (SELECT FROM u WHERE TRUE) -- WHERE x = 1",
			"a predicate made true: UPDATE t SET a = 1 WHERE TRUE -- WHERE x = 1",
		},
		`SELECT a FROM t WHERE a BETWEEN 1 AND 2 OR b`: nil,
	} {
		if !isSQL(text) {
			t.Errorf("no SQL: %s", text)
		}
		var got []string
		for _, wrong := range textFaults(text) {
			got = append(got, wrong.kind+": "+strings.TrimSpace(wrong.text))
		}
		slices.Sort(got)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", text, diff)
		}
	}
	for _, text := range []string{"Select a game", "from 1 to 3", "read the result", "WITHOUT"} {
		if isSQL(text) {
			t.Errorf("taken for SQL: %s", text)
		}
	}
}

// planted are the sources with all faults, as many as go together in each.
func planted(t *testing.T, name, text string) (sources []string, faults []*fault) {
	t.Helper()
	faults, err := faultsOf(name, "x/shop", text)
	if err != nil {
		t.Fatal(err)
	}
	for n, f := range faults {
		f.number = n + 1
	}
	for _, r := range rounds(faults) {
		reached, err := reachesOf(map[string]string{name: text}, r.faults)
		if err != nil {
			t.Fatal(err)
		}
		source, err := plant(name, text, r.faults, reached, "x/fault")
		if err != nil {
			t.Fatal(err)
		}
		sources = append(sources, source)
	}
	return sources, faults
}

// Planted sources compile, and whatever stands on a line stays on it.
func TestPlantedSourcesCompile(t *testing.T) {
	t.Parallel()
	sources, _ := planted(t, "shop.go", sample)
	if len(sources) < 2 {
		t.Errorf("%d rounds: faults stand within others", len(sources))
	}
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("go.mod", "module x\n\ngo 1.24\n")
	write("fault/fault.go", faultPackage)
	for n, source := range sources {
		write(fmt.Sprintf("shop%d/shop.go", n), source)
		was, is := strings.Split(sample, "\n"), strings.Split(source, "\n")
		if len(was) != len(is) {
			t.Errorf("%d lines became %d", len(was), len(is))
			continue
		}
		for n, line := range was {
			if words := strings.Fields(line); strings.HasPrefix(line, "func") && !strings.HasPrefix(is[n], words[0]+" "+words[1]) {
				t.Errorf("line %d was %q and is %q", n+1, line, is[n])
			}
		}
	}
	build := exec.CommandContext(t.Context(), "go", "build", "./...")
	build.Dir, build.Env = dir, append(os.Environ(), "GOFLAGS=-mod=mod", "GOWORK=off")
	if out, err := build.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s\n%s", err, out, strings.Join(sources, "\n"))
	}
	if !strings.Contains(sources[0], "func (s *shop) ask(run func(string)) { fault.Reach(1, 2, 3);") {
		t.Errorf("who runs a statement does not say so:\n%s", sources[0])
	}
}

// Every fault of this tree can be planted: what comes out is Go, line for line.
func TestTheTreesFaultsArePlanted(t *testing.T) {
	t.Parallel()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	all := 0
	for _, folder := range scope {
		paths, err := filepath.Glob(filepath.Join(root, folder, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			if strings.HasSuffix(path, "_test.go") {
				continue
			}
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			sources, faults := planted(t, path, string(text))
			all += len(faults)
			for _, source := range sources {
				if _, err := parser.ParseFile(token.NewFileSet(), path, source, parser.SkipObjectResolution); err != nil {
					t.Fatalf("%s: %v", path, err)
				}
				if strings.Count(source, "\n") != strings.Count(string(text), "\n") {
					t.Fatalf("%s: its lines have moved", path)
				}
			}
		}
	}
	if all < 1000 {
		t.Errorf("%d faults in %v", all, scope)
	}
}

// Every fault of the schema can be planted, and takes away what it says.
func TestTheSchemasFaultsArePlanted(t *testing.T) {
	t.Parallel()
	conn, err := pgx.Connect(t.Context(), testbed.Database(t))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	all, err := catalogued(t.Context(), conn, "x")
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[string]int{}
	for _, f := range all {
		kinds[f.Kind]++
		tx, err := conn.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tx.Exec(t.Context(), f.schema); err != nil {
			t.Errorf("%s: %s: %v", f, f.schema, err)
		}
		left, err := catalogued(t.Context(), tx.Conn(), "x")
		if err != nil && !tx.Conn().IsClosed() {
			t.Errorf("%s: %v", f, err)
		}
		if slices.ContainsFunc(left, func(other *fault) bool { return other.name() == f.name() }) {
			t.Errorf("%s: it is still there", f)
		}
		if err := tx.Rollback(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	for _, kind := range []string{"a check dropped", "a foreign key dropped", "a trigger dropped", "a unique key made plain", "NOT NULL dropped"} {
		if kinds[kind] == 0 {
			t.Errorf("no fault of the kind: %s", kind)
		}
	}
}

// The file of faults that change nothing: each names a fault that there is, with a reason.
func TestEquivalents(t *testing.T) {
	t.Parallel()
	faults, err := faultsOf("shop/shop.go", "x/shop", sample)
	if err != nil {
		t.Fatal(err)
	}
	const good = "shop/shop.go | a boundary | n > 0 | nobody adds nothing"
	for text, want := range map[string]string{
		"# a comment\n\n" + good:                           "",
		"shop/shop.go | a boundary | n > 1 | it is gone":   "no such fault",
		"shop/shop.go | a boundary | n > 0":                "not file | kind | what | reason",
		good + "\nshop/shop.go | a sign | -n | ":           "not file | kind | what | reason",
		"shop/shop.go | a boundary | n > 0 | a | b reason": "no such fault",
	} {
		path := filepath.Join(t.TempDir(), "equivalent.txt")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		reasons, err := equivalents(path, faults)
		switch {
		case want == "" && (err != nil || reasons["shop/shop.go | a boundary | n > 0"] != "nobody adds nothing"):
			t.Errorf("%q: %v, %v", text, reasons, err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}

// The same seed chooses the same faults, none within another; lines that did not change have none.
func TestTheChoice(t *testing.T) {
	t.Parallel()
	choice := func(o options) string {
		faults, err := faultsOf("shop/shop.go", "x/shop", sample)
		if err != nil {
			t.Fatal(err)
		}
		chosen, err := choose(t.Context(), o, faults, map[string]string{"shop/shop.go | a sign | -n": "nobody looks"})
		if err != nil {
			t.Fatal(err)
		}
		if o.n > 0 && (len(chosen) > o.n || len(rounds(chosen)) > 1) {
			t.Errorf("%d faults in %d rounds", len(chosen), len(rounds(chosen)))
		}
		return fmt.Sprint(chosen)
	}
	one := choice(options{n: 5, seed: "a"})
	if again := choice(options{n: 5, seed: "a"}); again != one {
		t.Errorf("once %s, once %s", one, again)
	}
	if other := choice(options{n: 5, seed: "b"}); other == one {
		t.Error("another seed chooses the same")
	}
	if all := choice(options{seed: "a"}); strings.Contains(all, "a sign") || !strings.Contains(all, "a boundary") {
		t.Errorf("of all: %s", all)
	}
	diff := "+++ b/shop/shop.go\n@@ -1,0 +23 @@ func\n+x\n@@ -9 +26,2 @@\n+++ b/none.go\n@@ -3,2 +2,0 @@\n"
	want := map[string]map[int]bool{"shop/shop.go": {23: true, 26: true, 27: true}, "none.go": {}}
	if diff := cmp.Diff(want, changedLines(diff)); diff != "" {
		t.Errorf("changed lines (-want +got):\n%s", diff)
	}
}

// Faults that could not be tried count neither way.
func TestTheReport(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), ".mutants")
	results, err := openResults(filepath.Dir(path), "seed")
	if err != nil {
		t.Fatal(err)
	}
	faults, err := faultsOf("shop/shop.go", "x/shop", sample)
	if err != nil {
		t.Fatal(err)
	}
	for n, v := range []verdict{{Found: true}, {Found: true}, {Found: true}, {}, {Reason: doesNotCompile}, {Reason: "shop has no tests"}} {
		v.Fault = faults[n].name()
		if err := results.add(v); err != nil {
			t.Fatal(err)
		}
	}
	again, err := openResults(filepath.Dir(path), "seed")
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	if score := report(&text, faults, again); score != 75 {
		t.Errorf("%.1f %% are found, want 75\n%s", score, &text)
	}
	for _, want := range []string{"3 of 4 found", faults[3].String(), "shop has no tests"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("the report does not say %q:\n%s", want, &text)
		}
	}
}
