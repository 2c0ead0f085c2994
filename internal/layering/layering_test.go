// Package layering holds the rule "imports point one way" of the architecture as a test, so
// that it is kept where no linter is installed.
package layering

import (
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "evens/"

// house lists who may import whom of our own packages: cmd → api, console, jobs → settlement,
// casino, cashier, reconcile, coupon → wallet, player → ledger → money. A name stands for the
// folder and all below it, which may import each other. A folder without a line fails the
// test: decide where it belongs and give it one.
var house = map[string][]string{
	"money":  {},
	"ledger": {"money", "internal"},
	"wallet": {"ledger", "money", "internal"},
	"player": {"access", "activity", "wallet", "ledger", "money", "internal"},

	"activity": {"internal"},
	// Who may call is not who plays: access knows a player by the id alone.
	"access": {"activity", "wallet", "ledger", "money", "internal"},

	// What lists of providers are made of lies below those who read their own, and reconcile.
	"reconcile/statement": {"money", "internal"},

	"coupon":     {"wallet", "player", "ledger", "money", "internal"},
	"casino":     {"reconcile/statement", "wallet", "player", "ledger", "money", "internal"},
	"cashier":    {"wallet", "player", "ledger", "money", "internal"},
	"settlement": {"coupon", "wallet", "player", "ledger", "money", "internal"},
	"reconcile":  {"reconcile/statement", "settlement", "casino", "cashier", "coupon", "wallet", "player", "ledger", "money", "internal"},

	// The audit brings the rules of all of them together.
	"audit": {"reconcile", "settlement", "casino", "cashier", "coupon", "wallet", "player", "access", "ledger", "money", "internal"},

	"explain": {"wallet", "player", "ledger", "money", "internal"},

	"jobs":    {"reconcile", "settlement", "casino", "cashier", "coupon", "wallet", "player", "ledger", "money", "internal"},
	"api":     {"reconcile", "settlement", "casino", "cashier", "coupon", "wallet", "player", "access", "activity", "ledger", "money", "internal"},
	"console": {"jobs", "reconcile", "settlement", "casino", "cashier", "coupon", "wallet", "player", "access", "activity", "ledger", "money", "internal"},

	"bench": {"sim", "api", "console", "jobs", "reconcile", "settlement", "casino", "cashier", "coupon", "wallet", "player", "access", "activity", "ledger", "money", "internal"},
	"demo":  {"sim", "api", "console", "jobs", "reconcile", "settlement", "casino", "cashier", "coupon", "wallet", "player", "access", "activity", "ledger", "money", "internal"},
	"cmd":   {"audit", "explain", "bench", "demo", "sim", "api", "console", "jobs", "reconcile", "settlement", "casino", "cashier", "coupon", "wallet", "player", "access", "activity", "ledger", "money", "internal", "migrations"},

	// The simulated outside world speaks wire formats only: a mistake in ours must not hide in it.
	"sim":        {},
	"migrations": {},
	"internal":   {"migrations"},

	"docs": {}, // tests of the documents
}

// forTests lists packages that tests alone may import. They end with the whole audit.
var forTests = map[string][]string{
	"settlement/booktest": {"audit"},
	"casino/casinotest":   {"audit"},
}

// reserved lists packages that only some folders may import, whatever house says.
var reserved = map[string][]string{
	"github.com/hibiken/asynq":        {"jobs", "cmd"},
	"github.com/robfig/cron":          {"jobs", "cmd"},
	"github.com/hibiken/asynqmon":     {"console", "jobs", "cmd"},
	"net/http":                        {"api", "bench", "casino", "cashier", "cmd", "console", "coupon", "demo", "internal", "jobs", "player", "reconcile", "settlement", "sim", "wallet"},
	"testing":                         {"internal/testbed"},
	"evens/internal/testbed":          {"internal/servers/withservers"},
	"evens/settlement/booktest":       {},
	"evens/casino/casinotest":         {},
	"github.com/go-json-experiment":   {"internal/jsonin"},
	"github.com/bojanz/currency":      {"money"},
	"github.com/alicebob/miniredis":   {"internal/servers"},
	"github.com/chromedp":             {"internal/testbed/browser"},
	"github.com/google/go-cmp":        {},
	"pgregory.net/rapid":              {},
	"github.com/schollz/progressbar":  {"bench", "cmd", "demo"},
	"github.com/alecthomas/kong":      {"cmd"},
	"github.com/alexedwards/argon2id": {"access"},
	"github.com/alexedwards/scs":      {"console"},
	"github.com/pquerna/otp":          {"access"},
	"github.com/go-redis/redis_rate":  {"internal/rate"},
}

// environment lists who may read it: everyone else gets values passed down.
var environment = []string{"cmd", "internal/mutants", "internal/servers/withservers", "internal/testbed"}

// pkg is a package as `go list` tells of it; test files are free to import what they like.
type pkg struct {
	ImportPath string
	Dir        string
	GoFiles    []string
	Imports    []string
}

func (p pkg) path() string { return strings.TrimPrefix(p.ImportPath, module) }

// folder is the part of an import path that house knows: a folder within another where that has a line of its own.
func folder(path string) string {
	path = strings.TrimPrefix(path, module)
	first, rest, _ := strings.Cut(path, "/")
	second, _, _ := strings.Cut(rest, "/")
	if inner := first + "/" + second; house[inner] != nil {
		return inner
	}
	return first
}

// within reports whether the path is the folder or lies below it.
func within(path, folder string) bool { return path == folder || strings.HasPrefix(path, folder+"/") }

func withinAny(path string, folders []string) bool {
	return slices.ContainsFunc(folders, func(folder string) bool { return within(path, folder) })
}

// violations lists what is wrong with the packages' imports, a sentence each.
func violations(packages []pkg) []string {
	var wrong []string
	for _, p := range packages {
		from := folder(p.ImportPath)
		allowed, known := house[from]
		if !known {
			wrong = append(wrong, p.path()+" has no line in the table of this test")
			continue
		}
		for _, imported := range p.Imports {
			if to := folder(imported); strings.HasPrefix(imported, module) && to != from && !slices.Contains(allowed, to) &&
				!slices.Contains(forTests[p.path()], to) {
				wrong = append(wrong, fmt.Sprintf("%s imports %s: %s may import %s only", p.path(), imported, from, strings.Join(allowed, ", ")))
			}
			for name, users := range reserved {
				if within(imported, name) && !within(p.ImportPath, name) && !withinAny(p.path(), users) {
					wrong = append(wrong, fmt.Sprintf("%s imports %s: that is for %s and tests", p.path(), imported, strings.Join(users, ", ")))
				}
			}
		}
	}
	return wrong
}

func TestImportsPointOneWay(t *testing.T) {
	t.Parallel()
	packages := list(t)
	arrows := 0
	for _, p := range packages {
		for _, imported := range p.Imports {
			if strings.HasPrefix(imported, module) {
				arrows++
			}
		}
	}
	if len(packages) < 10 || arrows < 10 || !slices.ContainsFunc(packages, func(p pkg) bool { return p.path() == "ledger" }) {
		t.Fatalf("go list shows %d packages with %d imports of each other: this test sees nothing", len(packages), arrows)
	}
	for _, wrong := range violations(packages) {
		t.Error(wrong)
	}
}

func TestOnlyCmdReadsTheEnvironment(t *testing.T) {
	t.Parallel()
	files := 0
	for _, p := range list(t) {
		for _, name := range p.GoFiles {
			files++
			calls, err := environmentCalls(filepath.Join(p.Dir, name), nil)
			if err != nil {
				t.Fatal(err)
			}
			if len(calls) > 0 && !withinAny(p.path(), environment) {
				t.Errorf("%s/%s uses %s: only %s read the environment", p.path(), name, strings.Join(calls, ", "), strings.Join(environment, ", "))
			}
		}
	}
	if files < 20 {
		t.Fatalf("%d files looked at: this test sees nothing", files)
	}
}

// environmentCalls lists the functions of os (and syscall) in a file that read the environment.
func environmentCalls(path string, source any) ([]string, error) {
	file, err := parser.ParseFile(token.NewFileSet(), path, source, 0)
	if err != nil {
		return nil, err
	}
	var calls []string
	ast.Inspect(file, func(n ast.Node) bool {
		selector, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		name, ok := selector.X.(*ast.Ident)
		if ok && (name.Name == "os" || name.Name == "syscall") &&
			slices.Contains([]string{"Getenv", "LookupEnv", "Environ", "ExpandEnv"}, selector.Sel.Name) {
			calls = append(calls, name.Name+"."+selector.Sel.Name)
		}
		return true
	})
	return calls, nil
}

// The rules must bite: a table that allows everything would keep the tests above green.
func TestRulesBite(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		path, imported string
		wrong          bool
	}{
		"cmd wires everything":         {"cmd/evens", "evens/jobs", false},
		"a domain package down":        {"settlement", "evens/ledger", false},
		"a dialect its own middle":     {"casino/tg", "evens/casino", false},
		"a dialect its own list":       {"casino/tg", "evens/reconcile/statement", false},
		"a dialect what compares":      {"casino/tg", "evens/reconcile", true},
		"a list what compares":         {"reconcile/statement", "evens/reconcile", true},
		"a domain package up":          {"coupon", "evens/settlement", true},
		"the ledger up":                {"ledger", "evens/wallet", true},
		"a domain package jobs":        {"settlement", "evens/jobs", true},
		"a domain package api":         {"casino/naga", "evens/api", true},
		"a domain package console":     {"reconcile", "evens/console", true},
		"sim ours":                     {"sim/betsim", "evens/money", true},
		"sim its own":                  {"sim/betsim", "evens/sim/wire", false},
		"internal a domain":            {"internal/postgres", "evens/money", true},
		"anybody cmd":                  {"api", "evens/cmd/evens", true},
		"jobs the queue":               {"jobs", "github.com/hibiken/asynq", false},
		"a domain package the queue":   {"settlement", "github.com/hibiken/asynq", true},
		"the api the cron":             {"api", "github.com/robfig/cron/v3", true},
		"the console the dashboard":    {"console", "github.com/hibiken/asynqmon", false},
		"the ledger http":              {"ledger", "net/http", true},
		"books of tests the audit":     {"settlement/booktest", "evens/audit", false},
		"a domain package the audit":   {"settlement", "evens/audit", true},
		"shipped code books of tests":  {"wallet", "evens/settlement/booktest", true},
		"shipped code the testbed":     {"wallet", "evens/internal/testbed", true},
		"a folder nobody has heard of": {"misc", "fmt", true},
	}
	for name, tt := range tests {
		got := violations([]pkg{{ImportPath: module + tt.path, Imports: []string{tt.imported}}})
		if (len(got) > 0) != tt.wrong {
			t.Errorf("%s: %s → %s gives %q, want a violation: %t", name, tt.path, tt.imported, got, tt.wrong)
		}
	}
	calls, err := environmentCalls("x.go", "package x\nimport \"os\"\nvar v = os.Getenv(\"V\")\nvar w, _ = os.LookupEnv(\"W\")\nvar _ = os.Args\n")
	if err != nil || len(calls) != 2 {
		t.Errorf("environmentCalls() = %q, %v, want two", calls, err)
	}
}

// list asks the go command for the packages of the module.
func list(t *testing.T) []pkg {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-buildvcs=false", "-json=ImportPath,Dir,GoFiles,Imports", module+"...")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	output, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, stderr.String())
	}
	decoder := json.NewDecoder(strings.NewReader(string(output)))
	var packages []pkg
	for {
		var p pkg
		err := decoder.Decode(&p)
		if errors.Is(err, io.EOF) {
			return packages
		}
		if err != nil {
			t.Fatalf("read go list: %v", err)
		}
		packages = append(packages, p)
	}
}
