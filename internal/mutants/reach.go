package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
)

// A statement's text is chosen when the program starts; what counts as reaching it is entering a function that names it,
// or names a declaration that is put together of it.

// declarations are what the declarations at the top of a package's files name.
type declarations map[string][]string

// read adds those of a file.
func (d declarations) read(file *ast.File) {
	for _, decl := range file.Decls {
		gen, ok := decl.(*ast.GenDecl)
		if !ok || gen.Tok != token.CONST && gen.Tok != token.VAR {
			continue
		}
		for _, spec := range gen.Specs {
			spec := spec.(*ast.ValueSpec)
			var names []string
			for _, value := range spec.Values {
				names = append(names, namesIn(value)...)
			}
			for _, name := range spec.Names {
				d[name.Name] = names
			}
		}
	}
}

func namesIn(n ast.Node) (names []string) {
	ast.Inspect(n, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok {
			names = append(names, id.Name)
		}
		return true
	})
	return names
}

// behind adds to found all declarations that names lead to.
func (d declarations) behind(names []string, found map[string]bool) {
	for _, name := range names {
		if more, declared := d[name]; declared && !found[name] {
			found[name] = true
			d.behind(more, found)
		}
	}
}

// reaches are the numbers of text faults by the declaration they are in, and whether one is named by no function of its
// own package: such a fault counts as reached by every test.
type reaches struct {
	declarations
	numbers map[string][]int
	named   map[int]bool
}

// reachesOf reads a package's sources, tests apart.
func reachesOf(texts map[string]string, faults []*fault) (*reaches, error) {
	r := &reaches{declarations: declarations{}, numbers: map[string][]int{}, named: map[int]bool{}}
	for _, f := range faults {
		if f.text != "" && f.decl != "" {
			r.numbers[f.decl] = append(r.numbers[f.decl], f.number)
		}
	}
	var files []*ast.File
	for path, text := range texts {
		file, err := parser.ParseFile(token.NewFileSet(), path, text, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		r.read(file)
		files = append(files, file)
	}
	for _, file := range files {
		for _, decl := range file.Decls {
			if f, ok := decl.(*ast.FuncDecl); ok {
				for _, n := range r.by(f) {
					r.named[n] = true
				}
			}
		}
	}
	return r, nil
}

// by are the faults that a function reaches.
func (r *reaches) by(f *ast.FuncDecl) (numbers []int) {
	if r == nil || f.Body == nil || len(r.numbers) == 0 {
		return nil
	}
	found := map[string]bool{}
	r.behind(namesIn(f.Body), found)
	for name := range found {
		numbers = append(numbers, r.numbers[name]...)
	}
	slices.Sort(numbers)
	return numbers
}
