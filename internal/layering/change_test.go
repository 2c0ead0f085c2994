package layering

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// platforms are the folders of game platforms; naming are the files outside of them that may name one, and why.
var (
	platforms = []string{"betao", "betron", "naga", "tg"}
	naming    = map[string]string{
		"cmd/evens/platforms.go":      "the registry",
		"cmd/evens/simulated.go":      "keys of simulated platforms",
		"casino/audit.go":             "a rule of the audit: wins tied to bets by the round",
		"casino/auditwins.go":         "the same, and wins that name no bet",
		"bench/reconcile.go":          "measures Betao's list",
		"cmd/evens/benchreconcile.go": "the same",
		"bench/history.go":            "a player's history of all four",
	}
)

// A platform is its folder and its line: no other file of the product names one.
func TestPlatformsAreNamedInOnePlace(t *testing.T) {
	t.Parallel()
	seen := make(map[string]bool)
	theirs := func(folder string) bool {
		return filepath.Dir(folder) == "casino" && slices.Contains(platforms, filepath.Base(folder))
	}
	productFiles(t, theirs, func(name string, file *ast.File) {
		for _, platform := range platformsIn(file) {
			seen[name] = true
			if naming[name] == "" {
				t.Errorf("%s names %s: ask the registry", name, platform)
			}
		}
	})
	for name := range naming {
		if !seen[name] {
			t.Errorf("%s names no platform: it needs no line here", name)
		}
	}
}

// platformsIn finds imports of platforms, and their names as texts and in SQL.
func platformsIn(file *ast.File) (found []string) {
	ast.Inspect(file, func(node ast.Node) bool {
		literal, ok := node.(*ast.BasicLit)
		if !ok || literal.Kind != token.STRING {
			return true
		}
		for _, platform := range platforms {
			if literal.Value == `"`+platform+`"` || literal.Value == `"`+module+"casino/"+platform+`"` || strings.Contains(literal.Value, "'"+platform) ||
				strings.Contains(strings.Trim(literal.Value, `"`+"`"), ","+platform+",") {
				found = append(found, platform)
			}
		}
		return true
	})
	return found
}

func TestPlatformsAreFound(t *testing.T) {
	t.Parallel()
	for source, want := range map[string]int{
		`import "evens/casino/tg"`:              1,
		`import "evens/casino"`:                 0,
		`var a = []string{"betao", "naga"}`:     2,
		"var a = `SELECT 'betron:win'`":         1,
		"type t struct { P int `e:\"a,tg,b\"`}": 1,
		"type t struct { P int `e:\"tg\"`}":     0, // an example of a field
	} {
		file, err := parser.ParseFile(token.NewFileSet(), "a.go", "package a\n"+source, 0)
		if err != nil {
			t.Fatal(err)
		}
		if got := platformsIn(file); len(got) != want {
			t.Errorf("%s: %q, want %d", source, got, want)
		}
	}
}

// The page that says what a change touches names files that there are, as many as it says.
func TestChangesTouchWhatThePageSays(t *testing.T) {
	t.Parallel()
	root := filepath.Join("..", "..")
	text, err := os.ReadFile(filepath.Join(root, "docs", "change-x-touch-y.md"))
	if err != nil {
		t.Fatal(err)
	}
	named, rows := regexp.MustCompile("`([a-z/.A-Z]+\\.(?:go|html))`"), 0
	for _, row := range regexp.MustCompile(`(?m)^\| (.*) \| (.*) \| (\d+) \|$`).FindAllStringSubmatch(string(text), -1) {
		rows++
		files := make(map[string]bool)
		for _, match := range named.FindAllStringSubmatch(row[2], -1) {
			if !strings.Contains(match[1], "NAME") {
				files[match[1]] = true
			}
		}
		for file := range files {
			if _, err := os.Stat(filepath.Join(root, filepath.FromSlash(file))); err != nil {
				t.Errorf("%s: %v", row[1], err)
			}
		}
		if want, _ := strconv.Atoi(row[3]); len(files) != want {
			t.Errorf("%s: %d files are named, the page says %d", row[1], len(files), want)
		}
	}
	if rows < 10 {
		t.Fatalf("%d rows: this test sees nothing", rows)
	}
}
