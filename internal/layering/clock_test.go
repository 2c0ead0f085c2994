package layering

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"testing"
)

// ownClocks lists files that may hand the machine's clock on: what they do with it stays in the process.
var ownClocks = []string{
	"internal/dbclock/clock.go",      // reads it to tell it from the database's
	"internal/dbclock/id.go",         // until there is a database
	"internal/callbacks/recorder.go", // counts calls of the current minute, in memory
	"internal/postgres/postgres.go",  // GORM, which writes no times of ours
	"coupon/bet/config.go",           // where no clock is given: tests and simulations
	"casino/casinotest/casinotest.go",
}

// Whoever keeps a time goes by the database's clock: no function that tells the machine's is handed on, and no
// id carries it.
func TestNobodyHandsOnTheMachinesClock(t *testing.T) {
	t.Parallel()
	nothing := func(string) bool { return false }
	productFiles(t, nothing, func(name string, file *ast.File) {
		for _, wrong := range machineClocks(file) {
			if !slices.Contains(ownClocks, name) {
				t.Errorf("%s: %s", name, wrong)
			}
		}
	})
}

// machineClocks finds time.Now that is handed on, functions that only answer it, and ids that carry it.
func machineClocks(file *ast.File) (found []string) {
	called := make(map[ast.Expr]bool)
	ast.Inspect(file, func(node ast.Node) bool {
		switch n := node.(type) {
		case *ast.CallExpr:
			called[n.Fun] = true
		case *ast.FuncLit:
			if len(n.Body.List) != 1 {
				return true
			}
			if answer, ok := n.Body.List[0].(*ast.ReturnStmt); ok && len(answer.Results) == 1 && startsWithNow(answer.Results[0]) {
				found = append(found, "a function that answers time.Now(): use the clock that cmd hands on")
			}
		case *ast.SelectorExpr:
			if selects(n, "time", "Now") && !called[n] {
				found = append(found, "time.Now is handed on: use the clock that cmd hands on")
			}
			if selects(n, "uuid", "NewV7") {
				found = append(found, "uuid.NewV7: use dbclock.NewID")
			}
		}
		return true
	})
	return found
}

// startsWithNow reports whether an expression is time.Now() or a chain of methods on it.
func startsWithNow(expr ast.Expr) bool {
	call, ok := expr.(*ast.CallExpr)
	if !ok {
		return false
	}
	selector, ok := call.Fun.(*ast.SelectorExpr)
	return ok && (selects(selector, "time", "Now") || startsWithNow(selector.X))
}

func selects(n *ast.SelectorExpr, pkg, name string) bool {
	x, ok := n.X.(*ast.Ident)
	return ok && x.Name == pkg && n.Sel.Name == name
}

func TestMachineClocksAreFound(t *testing.T) {
	t.Parallel()
	for source, want := range map[string]int{
		`var a = New(time.Now)`:                                            1,
		`var a = func() time.Time { return time.Now().UTC() }`:             1,
		`var a = uuid.Must(uuid.NewV7())`:                                  1,
		`func f() time.Duration { s := time.Now(); return time.Since(s) }`: 0,
	} {
		file, err := parser.ParseFile(token.NewFileSet(), "a.go", "package a\n"+source, 0)
		if err != nil {
			t.Fatal(err)
		}
		if got := machineClocks(file); len(got) != want {
			t.Errorf("%s: %q, want %d", source, got, want)
		}
	}
}
