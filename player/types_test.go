package player

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"testing"

	"evens/ledger"
)

// Every kind that the ledger writes can be asked for, but for those that move the house's money alone.
func TestEveryKindOfTransactionIsAType(t *testing.T) {
	t.Parallel()
	file, err := parser.ParseFile(token.NewFileSet(), "../ledger/transaction.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	ast.Inspect(file, func(node ast.Node) bool {
		spec, is := node.(*ast.ValueSpec)
		if !is {
			return true
		}
		if kind, is := spec.Type.(*ast.Ident); !is || kind.Name != "Kind" {
			return true
		}
		for _, value := range spec.Values {
			name, err := strconv.Unquote(value.(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			seen++
			house := ledger.Kind(name) == ledger.SuspenseBooked || ledger.Kind(name) == ledger.SuspenseEnded
			if _, unknown := UnknownType([]string{name}); unknown != house {
				t.Errorf("%s is written; it can be asked for: %t", name, !unknown)
			}
		}
		return true
	})
	if seen < 20 {
		t.Errorf("%d kinds found", seen)
	}
}
