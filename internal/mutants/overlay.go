package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// round is faults that can stand in one build.
type round struct {
	faults  []*fault
	dir     string // of its overlay and its test binaries
	overlay string
	only    string                 // tests whose name matches
	tests   map[string]*testBinary // by package
}

// rounds spreads faults so that none stands within another. Faults of one SQL text go together.
func rounds(faults []*fault) (all []*round) {
next:
	for _, f := range faults {
		for _, r := range all {
			if !slices.ContainsFunc(r.faults, f.meets) {
				r.faults = append(r.faults, f)
				continue next
			}
		}
		all = append(all, &round{faults: []*fault{f}, tests: map[string]*testBinary{}})
	}
	return all
}

func (f *fault) meets(other *fault) bool {
	if f.File != other.File || f.schema != "" {
		return false
	}
	if f.text != "" && other.text != "" && f.start == other.start {
		return false
	}
	return f.start < other.end && other.start < f.end
}

// write makes the sources of a round, and the overlay that go build reads them by.
func (r *round) write(m *module) error {
	if err := os.MkdirAll(r.dir, 0o755); err != nil {
		return err
	}
	replace := map[string]string{}
	put := func(name, text string) error {
		to := filepath.Join(r.dir, strings.ReplaceAll(name, "/", "__"))
		replace[filepath.Join(m.root, name)] = to
		return os.WriteFile(to, []byte(text), 0o600)
	}
	byFile, folders := map[string][]*fault{}, map[string][]*fault{}
	for _, f := range r.faults {
		byFile[f.File] = append(byFile[f.File], f)
		folders[path.Dir(f.File)] = append(folders[path.Dir(f.File)], f)
	}
	reached := map[string]*reaches{}
	for folder, faults := range folders {
		var err error
		if reached[folder], err = reachesOf(m.sourcesIn(folder), faults); err != nil {
			return err
		}
		for _, f := range faults {
			f.anywhere = f.text != "" && f.decl != "" && !reached[folder].named[f.number]
		}
	}
	for name, text := range m.sources {
		planted, err := plant(name, text, byFile[name], reached[path.Dir(name)], m.importPath+"/internal/mutants/fault")
		if err != nil {
			return err
		}
		if planted != text {
			if err := put(name, planted); err != nil {
				return err
			}
		}
	}
	if err := put("internal/mutants/fault/fault.go", faultPackage); err != nil {
		return err
	}
	data, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return err
	}
	r.overlay = filepath.Join(r.dir, "overlay.json")
	return os.WriteFile(r.overlay, data, 0o600)
}

// edit replaces a part of a text.
type edit struct {
	start, end int
	with       string
}

// plant is a source with faults in it. Its lines keep their numbers.
func plant(name, text string, faults []*fault, reached *reaches, faultPath string) (string, error) {
	var edits []edit
	used := false
	texts := map[int][]*fault{}
	for _, f := range faults {
		if f.text != "" {
			texts[f.start] = append(texts[f.start], f)
			continue
		}
		used = true
		with := fmt.Sprintf(f.with, f.number, "fault.Is("+strconv.Itoa(f.number)+")")
		edits = append(edits, edit{f.start, f.end, with})
	}
	for start, of := range texts {
		used = true
		var wrong strings.Builder
		for _, f := range of {
			fmt.Fprintf(&wrong, "%d: %s, ", f.number, strconv.Quote(f.text))
		}
		choose := "}.Or("
		if of[0].decl == "" {
			choose = "}.Now("
		}
		edits = append(edits, edit{start, of[0].end, "fault.Text{" + wrong.String() + choose + text[start:of[0].end] + ")"})
	}
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, name, text, parser.SkipObjectResolution)
	if err != nil {
		return "", err
	}
	at := func(p token.Pos) int { return files.Position(p).Offset }
	ast.Inspect(file, func(n ast.Node) bool {
		if d, ok := n.(*ast.GenDecl); ok && variable(d) {
			edits = append(edits, edit{at(d.Pos()), at(d.Pos()) + len("const"), "var  "})
		}
		return true
	})
	for _, decl := range file.Decls {
		if f, ok := decl.(*ast.FuncDecl); ok {
			if numbers := reached.by(f); len(numbers) > 0 {
				used = true
				edits = append(edits, edit{at(f.Body.Lbrace) + 1, at(f.Body.Lbrace) + 1, " fault.Reach(" + list(numbers) + ");"})
			}
		}
	}
	if used {
		edits = append(edits, edit{at(file.Name.End()), at(file.Name.End()), "; import fault " + strconv.Quote(faultPath)})
	}
	slices.SortFunc(edits, func(a, b edit) int { return cmp.Or(b.start-a.start, b.end-a.end) })
	for _, e := range edits {
		text = text[:e.start] + e.with + text[e.end:]
	}
	return text, nil
}

func list(numbers []int) string {
	return strings.Trim(strings.ReplaceAll(fmt.Sprint(numbers), " ", ", "), "[]")
}

// variable reports whether constants must be variables for a text in them to be chosen when the program runs: those with
// SQL, and those that are put together of others.
func variable(d *ast.GenDecl) bool {
	if d.Tok != token.CONST {
		return false
	}
	found := false
	for _, spec := range d.Specs {
		values := spec.(*ast.ValueSpec).Values
		if len(values) == 0 {
			return false // counts by iota
		}
		for _, value := range values {
			joined := false
			ast.Inspect(value, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.BinaryExpr:
					joined = joined || n.Op == token.ADD
				case *ast.BasicLit:
					if text, err := strconv.Unquote(n.Value); n.Kind == token.STRING && err == nil && (joined || isSQL(text)) {
						found = true
					}
				case *ast.Ident:
					if n.Name == "iota" {
						found = false
					}
				}
				return true
			})
		}
	}
	return found
}
