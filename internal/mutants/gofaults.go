package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"regexp"
	"strconv"
	"strings"
)

// fault is one small change of a source, or of the schema.
type fault struct {
	File       string `json:"file"` // below the module's root; "schema"
	Line       int    `json:"line,omitempty"`
	Kind       string `json:"kind"`
	What       string `json:"what"` // the text that it changes
	Package    string `json:"package"`
	last       int    // line of a Go fault
	number     int
	void       bool   // the compiler does not like it
	start, end int    // what is replaced in the source
	with       string // by this; %[1]d is the number, %[2]s the call of the switch
	text       string // of SQL: the wrong statement
	decl       string // the declaration at the top of the file that a text is in; "": a function
	anywhere   bool   // which tests reach it is not known
	schema     string // the statement that does it
}

// name tells a fault from others, whatever its line.
func (f *fault) name() string { return f.File + " | " + f.Kind + " | " + f.What }

func (f *fault) String() string {
	if f.schema != "" {
		return "schema: " + f.Kind + ": " + f.What
	}
	return fmt.Sprintf("%s:%d: %s: %s", f.File, f.Line, f.Kind, f.What)
}

// source is a parsed file.
type source struct {
	path   string // below the root
	text   string
	decl   string // where the visit is, see fault.decl
	files  *token.FileSet
	file   *ast.File
	faults []*fault
}

// faultsOf are all faults that one file may be given.
func faultsOf(path, pkg, text string) ([]*fault, error) {
	s := &source{path: path, text: text, files: token.NewFileSet()}
	file, err := parser.ParseFile(s.files, path, text, parser.ParseComments)
	if err != nil {
		return nil, err
	}
	s.file = file
	for _, decl := range file.Decls {
		gen, ok := decl.(*ast.GenDecl)
		if !ok {
			s.decl = ""
			ast.Inspect(decl, s.visit)
			continue
		}
		for _, spec := range gen.Specs {
			if value, ok := spec.(*ast.ValueSpec); ok {
				s.decl = value.Names[0].Name
			}
			if gen.Tok != token.IMPORT {
				ast.Inspect(spec, s.visit)
			}
		}
	}
	seen := map[string]int{}
	for _, f := range s.faults {
		f.File, f.Package = path, pkg
		seen[f.name()]++
		if n := seen[f.name()]; n > 1 {
			f.What = fmt.Sprintf("%s (%d)", f.What, n)
		}
	}
	return s.faults, nil
}

func (s *source) offset(p token.Pos) int { return s.files.Position(p).Offset }

func (s *source) of(n ast.Node) string { return s.text[s.offset(n.Pos()):s.offset(n.End())] }

// add plants a fault in place of a node, on as many lines.
func (s *source) add(n ast.Node, kind, what, with string) {
	if lost := strings.Count(s.of(n), "\n") - strings.Count(with, "\n"); lost > 0 {
		before, after, _ := strings.Cut(with, "(") // behind which a line may end
		with = before + "(" + strings.Repeat("\n", lost) + after
	}
	s.faults = append(s.faults, &fault{
		Line: s.files.Position(n.Pos()).Line, last: s.files.Position(n.End()).Line, Kind: kind, What: oneLine(what),
		start: s.offset(n.Pos()), end: s.offset(n.End()), with: with,
	})
}

func oneLine(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	if len(text) > 100 {
		text = text[:100] + "…"
	}
	return text
}

// escape keeps a source's own percent signs.
func escape(text string) string { return strings.ReplaceAll(text, "%", "%%") }

// again is an expression for a second mention: on one line, so that those after it keep their numbers; ok is false where
// it cannot be.
func again(text string) (line string, ok bool) {
	if !strings.Contains(text, "\n") {
		return escape(text), true
	}
	if strings.Contains(text, "`") || strings.Contains(text, "//") || strings.Contains(text, "func(") {
		return "", false
	}
	return escape(strings.Join(strings.Fields(text), " ")), true
}

func (s *source) visit(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.FuncDecl:
		if n.Name.Name == "String" || n.Name.Name == "Error" || n.Name.Name == "LogValue" {
			return false
		}
	case *ast.IfStmt:
		s.condition(n.Cond)
	case *ast.BinaryExpr:
		s.binary(n)
	case *ast.UnaryExpr:
		if n.Op == token.SUB {
			if without, ok := again(s.of(n.X)); ok {
				s.add(n, "a sign", s.of(n), "fault.Either(%[1]d, "+escape(s.of(n))+", "+without+")")
			}
		}
	case *ast.CallExpr:
		return s.call(n)
	case *ast.BlockStmt:
		for _, statement := range n.List {
			s.statement(statement)
		}
	case *ast.CaseClause:
		for _, statement := range n.Body {
			s.statement(statement)
		}
	case *ast.BasicLit:
		s.literal(n)
	}
	return true
}

// passesOn matches what asks for nothing but whether there was an error: to pass one on is no rule of the trade.
var passesOn = regexp.MustCompile(`^(\w*[eE]rr|\w+\.Err\(\)) [!=]= nil$`)

func (s *source) condition(cond ast.Expr) {
	if passesOn.MatchString(s.of(cond)) {
		return
	}
	text := escape(s.of(cond))
	s.add(cond, "a condition made true", s.of(cond), "(("+text+") || %[2]s)")
	s.add(cond, "a condition made false", s.of(cond), "(("+text+") && !%[2]s)")
}

func (s *source) binary(n *ast.BinaryExpr) {
	x, y, whole := escape(s.of(n.X)), escape(s.of(n.Y)), escape(s.of(n))
	switch n.Op {
	case token.EQL, token.NEQ, token.LAND, token.LOR: // each side is mentioned once
	default:
		var left, right bool
		if x, left = again(s.of(n.X)); !left {
			return
		}
		if y, right = again(s.of(n.Y)); !right {
			return
		}
	}
	switch n.Op {
	case token.LSS, token.GTR:
		s.add(n, "a boundary", s.of(n), "("+whole+" || %[2]s && ("+x+") == ("+y+"))")
	case token.LEQ, token.GEQ:
		s.add(n, "a boundary", s.of(n), "("+whole+" && !(%[2]s && ("+x+") == ("+y+")))")
	case token.EQL, token.NEQ:
		if passesOn.MatchString(s.of(n)) {
			return
		}
		s.add(n, "a comparison turned round", s.of(n), "(("+whole+") != %[2]s)")
	case token.LAND:
		s.add(n, "an operand of && dropped", s.of(n.X), "((("+x+") || %[2]s) && ("+y+"))")
		s.add(n, "an operand of && dropped", s.of(n.Y), "(("+x+") && (("+y+") || %[2]s))")
	case token.LOR:
		s.add(n, "an operand of || dropped", s.of(n.X), "((("+x+") && !%[2]s) || ("+y+"))")
		s.add(n, "an operand of || dropped", s.of(n.Y), "(("+x+") || (("+y+") && !%[2]s))")
	case token.ADD:
		if joins(n) {
			return
		}
		s.add(n, "an operand", s.of(n), "fault.Either(%[1]d, "+whole+", ("+x+") - ("+y+"))")
	case token.SUB:
		s.add(n, "an operand", s.of(n), "fault.Either(%[1]d, "+whole+", ("+x+") + ("+y+"))")
	case token.MUL:
		s.add(n, "an operand", s.of(n), "fault.Either(%[1]d, "+whole+", ("+x+") + ("+y+"))")
	default: // no fault of it
	}
}

// joins reports whether a sum is one of texts, as far as its literals tell.
func joins(n *ast.BinaryExpr) (texts bool) {
	ast.Inspect(n, func(n ast.Node) bool {
		literal, ok := n.(*ast.BasicLit)
		texts = texts || ok && literal.Kind == token.STRING
		_, call := n.(*ast.CallExpr)
		return !call
	})
	return texts
}

// swapped are calls of which one is easily taken for the other.
var swapped = map[string]string{"Before": "After", "After": "Before", "min": "max", "max": "min"}

func (s *source) call(n *ast.CallExpr) bool {
	name := ""
	switch fun := n.Fun.(type) {
	case *ast.Ident:
		name = fun.Name
	case *ast.SelectorExpr:
		name = fun.Sel.Name
		if logs(fun) {
			return false
		}
	}
	if other := swapped[name]; other != "" {
		text := s.of(n)
		at := s.offset(n.Lparen) - s.offset(n.Pos()) - len(name)
		if wrong, ok := again(text[:at] + other + text[at+len(name):]); ok {
			s.add(n, other+" for "+name, text, "fault.Either(%[1]d, "+escape(text)+", "+wrong+")")
		}
	}
	return true
}

// logs reports whether a call only tells what happened.
func logs(fun *ast.SelectorExpr) bool {
	if x, ok := fun.X.(*ast.Ident); ok && (x.Name == "log" || x.Name == "slog" || x.Name == "fmt" || x.Name == "errors") {
		return true
	}
	if x, ok := fun.X.(*ast.SelectorExpr); ok && (x.Sel.Name == "log" || x.Sel.Name == "Log") {
		return true
	}
	return false
}

// statement plants that an assignment, a call or an error is left out.
func (s *source) statement(n ast.Stmt) {
	switch n := n.(type) {
	case *ast.AssignStmt:
		if n.Tok == token.DEFINE {
			return
		}
		if len(n.Lhs) == 1 && s.of(n.Lhs[0]) == "_" {
			return
		}
		s.without(n, "an assignment dropped")
	case *ast.IncDecStmt:
		s.without(n, "a step dropped")
	case *ast.ExprStmt:
		if call, ok := n.X.(*ast.CallExpr); ok {
			if fun, selects := call.Fun.(*ast.SelectorExpr); selects && logs(fun) {
				return
			}
		}
		s.without(n, "a call dropped")
	case *ast.ReturnStmt:
		if len(n.Results) == 0 {
			return
		}
		last := n.Results[len(n.Results)-1]
		if id, ok := last.(*ast.Ident); ok && (id.Name == "err" || strings.HasPrefix(id.Name, "Err")) {
			s.add(last, "an error dropped", s.of(n), "fault.Either(%[1]d, "+id.Name+", nil)")
		}
	}
}

func (s *source) without(n ast.Stmt, kind string) {
	s.add(n, kind, s.of(n), "if !%[2]s { "+escape(s.of(n))+" }")
}

func (s *source) literal(n *ast.BasicLit) {
	if n.Kind != token.STRING {
		return
	}
	text, err := strconv.Unquote(n.Value)
	if err != nil || !isSQL(text) {
		return
	}
	for _, wrong := range textFaults(text) {
		line := s.files.Position(n.Pos()).Line
		if strings.HasPrefix(n.Value, "`") {
			line += strings.Count(text[:wrong.offset], "\n")
		}
		s.faults = append(s.faults, &fault{
			Line: line, Kind: "SQL: " + wrong.kind, What: oneLine(wrong.what), start: s.offset(n.Pos()), end: s.offset(n.End()), text: wrong.text,
			decl: s.decl,
		})
	}
}
