package coupon

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"evens/internal/postgres"
	"evens/internal/testbed"
)

// statusesIn are the names in a list of SQL, sorted.
func statusesIn(sql string) (list []string) {
	for _, name := range regexp.MustCompile(`'([a-z]+)'`).FindAllStringSubmatch(sql, -1) {
		list = append(list, name[1])
	}
	slices.Sort(list)
	return slices.Compact(list)
}

func all(State) bool { return true }

// Every status that is declared has its line, leads somewhere known, and says what goes together.
func TestEveryStatusSaysWhatItIs(t *testing.T) {
	t.Parallel()
	file, err := parser.ParseFile(token.NewFileSet(), "status.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	ast.Inspect(file, func(node ast.Node) bool {
		if spec, is := node.(*ast.ValueSpec); is {
			if of, is := spec.Type.(*ast.Ident); is && of.Name == "Status" {
				name, _ := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
				names = append(names, name)
			}
		}
		return true
	})
	slices.Sort(names)
	if listed := statusesIn(Statuses(all)); len(names) < 8 || !slices.Equal(names, listed) {
		t.Fatalf("declared are %v, lines have %v", names, listed)
	}
	for status, state := range states {
		for _, next := range state.Next {
			if !next.Known() {
				t.Errorf("%s may become %q", status, next)
			}
		}
		if state.Open && !state.Held || state.Held && state.Returned || state.Held && state.Settled || state.Settled && !state.Coded {
			t.Errorf("%s is %+v", status, state)
		}
		if len(state.Next) == 0 && state.Held {
			t.Errorf("%s ends with a stake that is held", status)
		}
	}
}

// The schema and the wallet, which cannot see the table, say the same.
func TestTheSchemaKnowsTheStatuses(t *testing.T) {
	t.Parallel()
	db, err := postgres.Open(t.Context(), postgres.Config{URL: testbed.Database(t), MaxConns: 2, HotConns: 2})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	constraint := func(name string) (sql string) {
		err := db.Pool.QueryRow(t.Context(), `SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = $1`, name).Scan(&sql)
		if err != nil {
			t.Fatal(name, err)
		}
		return sql
	}
	wallet, err := os.ReadFile("../wallet/playeddown.go")
	if err != nil {
		t.Fatal(err)
	}
	_, held, _ := strings.Cut(string(wallet), "c.status IN (")
	held, _, _ = strings.Cut(held, ")")
	for name, c := range map[string]struct{ said, want string }{
		"coupons_status": {constraint("coupons_status"), Statuses(all)},
		"coupons_open":   {constraint("coupons_open"), Statuses(func(s State) bool { return s.Open })},
		"coupons_code":   {constraint("coupons_code"), Statuses(func(s State) bool { return !s.Coded })},
		"played down":    {held, Statuses(func(s State) bool { return s.Held })},
	} {
		if said, want := statusesIn(c.said), statusesIn(c.want); !slices.Equal(said, want) {
			t.Errorf("%s: %v, the table has %v", name, said, want)
		}
	}
}
