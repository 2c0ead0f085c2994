package ledger

import (
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/uuid"

	"evens/internal/postgres"
	"evens/internal/testbed"
)

// declared are the values of a type's constants in a file.
func declared(t *testing.T, name, of string) (values []Kind) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(file, func(node ast.Node) bool {
		spec, is := node.(*ast.ValueSpec)
		if !is {
			return true
		}
		if kind, is := spec.Type.(*ast.Ident); !is || kind.Name != of {
			return true
		}
		for _, value := range spec.Values {
			text, err := strconv.Unquote(value.(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			values = append(values, Kind(text))
		}
		return true
	})
	return values
}

// Whoever adds a kind says of it, in one place, all that others ask: this walks every kind that is declared.
func TestEveryKindSaysWhatItIs(t *testing.T) {
	t.Parallel()
	names := declared(t, "transaction.go", "Kind")
	if len(names) < 20 || len(names) != len(kinds) {
		t.Fatalf("%d kinds are declared, %d have a line", len(names), len(kinds))
	}
	document, err := os.ReadFile("../docs/architecture.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range names {
		traits, known := kind.Traits()
		switch {
		case !known:
			t.Errorf("%s has no line", kind)
		case traits.Class == 0:
			t.Errorf("%s has no class", kind)
		case traits.Class.OfGames() != (traits.WrongKey == ""):
			t.Errorf("%s: games' platforms have keys of their own, the others say theirs", kind)
		case len(traits.Ways) == 0 && (!traits.Idle || !traits.Hidden):
			t.Errorf("%s moves nothing, and is shown as if it did", kind)
		case traits.Class == KeptOut && len(traits.Ways) > 0:
			t.Errorf("%s keeps an id out, and moves money", kind)
		case traits.Listed != NotListed && traits.Class != Payments && traits.Class != Games && traits.Class != GameUndone:
			t.Errorf("%s is in the list of no provider", kind)
		case traits.Deposits && traits.Class != Payments:
			t.Errorf("%s is no deposit", kind)
		}
		for _, way := range traits.Ways {
			ofPlayer := func(k AccountKind) bool { return k == Pocket || k.ofPlayer() }
			if ofPlayer(way.From) && ofPlayer(way.To) || traits.Class == HouseMoney && (ofPlayer(way.From) || ofPlayer(way.To)) {
				t.Errorf("%s moves from %s to %s", kind, way.From, way.To)
			}
			if (traits.Staked == StakesAmount || traits.Staked == StakesDebits) && !slices.ContainsFunc(traits.Ways, func(w Way) bool { return ofPlayer(w.From) }) {
				t.Errorf("%s takes a stake from nobody", kind)
			}
		}
		if !strings.Contains(string(document), "`"+string(kind)+"`") {
			t.Errorf("docs/architecture.md does not name %s", kind)
		}
	}
}

// A kind without a line is written by none of the doors.
func TestAnUnknownKindIsRefused(t *testing.T) {
	t.Parallel()
	player := uuid.New()
	strange := Transaction{Key: Key{Source: "s", ExternalID: "e"}, Kind: "strange", Player: player}
	book := Blank(&Purse{Player: player, Currency: "USD", Cash: Account{ID: 1}, Bonus: Account{ID: 2}})
	if _, _, err := book.Post(strange, Move{From: Cashier, To: Cash, Amount: 1}); !errors.Is(err, ErrKind) {
		t.Errorf("posted: %v", err)
	}
	if _, _, err := book.Note(strange); !errors.Is(err, ErrKind) {
		t.Errorf("noted: %v", err)
	}
	if err := PostHouse(t.Context(), nil, strange, "USD", Move{From: Cashier, To: Suspense, Amount: 1}); !errors.Is(err, ErrKind) {
		t.Errorf("posted for the house: %v", err)
	}
	if book.Mark() != 0 {
		t.Error("something was posted")
	}
}

var quoted = regexp.MustCompile(`'([a-z_]+)'`)

// The index transactions_rare leaves out the kinds that are said to be frequent: another one needs another index, and a
// query that names them finds it.
func TestTheIndexOfRareKindsIsOfThem(t *testing.T) {
	t.Parallel()
	db, err := postgres.Open(t.Context(), postgres.Config{URL: testbed.Database(t), MaxConns: 2, HotConns: 2})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	var predicate string
	err = db.Pool.QueryRow(t.Context(), `SELECT pg_get_expr(indpred, indrelid) FROM pg_index WHERE indexrelid = 'transactions_rare'::regclass`).Scan(&predicate)
	if err != nil {
		t.Fatal(err)
	}
	var left []Kind
	for _, name := range quoted.FindAllStringSubmatch(predicate, -1) {
		left = append(left, Kind(name[1]))
	}
	slices.Sort(left)
	if frequent := Kinds(func(t Traits) bool { return t.Frequent }); !slices.Equal(left, frequent) {
		t.Errorf("the index leaves out %v, the kinds that are frequent are %v", left, frequent)
	}
	tx, err := db.Pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(t.Context()) }()
	if _, err := tx.Exec(t.Context(), `SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off`); err != nil {
		t.Fatal(err)
	}
	var plan []byte
	err = tx.QueryRow(t.Context(), `EXPLAIN (FORMAT json) SELECT 1 FROM transactions t WHERE player_id = gen_random_uuid() AND `+RareKinds).Scan(&plan)
	if err != nil || !strings.Contains(string(plan), "transactions_rare") {
		t.Errorf("plan without the index: %v\n%s", err, plan)
	}
}
