package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// verdict is what the tests made of a fault.
type verdict struct {
	Fault  string `json:"fault"`
	Found  bool   `json:"found"`
	By     string `json:"by,omitempty"`     // the package whose tests found it
	Reason string `json:"reason,omitempty"` // of one that could not be tried
}

func (v verdict) word() string {
	switch {
	case v.Reason != "":
		return "untried"
	case v.Found:
		return "found"
	}
	return "LIVES"
}

// try runs the tests that reach a fault, nearest first, of each package the shortest first.
func (r *round) try(ctx context.Context, m *module, f *fault, near int) verdict {
	v := verdict{Fault: f.name()}
	if f.void {
		v.Reason = doesNotCompile
		return v
	}
	for _, p := range m.above(f, near) {
		t := r.testsOf(ctx, m, p)
		if t.broken != "" {
			if p.ImportPath == f.Package && t.broken != "has no tests" {
				v.Reason = fmt.Sprintf("%s %s", m.below(p.ImportPath), t.broken)
			}
			continue
		}
		environ := []string{"EVENS_FAULT=" + strconv.Itoa(f.number)}
		if f.schema != "" {
			environ = []string{"EVENS_FAULT_SCHEMA=" + f.schema}
		}
		first, others := firstOf(t.reaching(f))
		for _, tests := range [][]*test{first, others} {
			if len(tests) == 0 {
				continue
			}
			code, _ := t.run(ctx, 2*together(tests)+30*time.Second, environ, only(tests...))
			if code != 0 && ctx.Err() == nil {
				return verdict{Fault: f.name(), Found: true, By: m.below(p.ImportPath)}
			}
		}
	}
	return v
}

const doesNotCompile = "does not compile"

// above are the packages whose tests may reach a fault: its own, and those up to a number of imports above.
func (m *module) above(f *fault, near int) (all []*goPackage) {
	if f.schema != "" {
		return m.ofSchema()
	}
	for _, p := range m.packages {
		if far, reaches := p.uses[f.Package]; reaches && far <= near && len(p.TestGoFiles)+len(p.XTestGoFiles) > 0 {
			all = append(all, p)
		}
	}
	slices.SortFunc(all, func(a, b *goPackage) int {
		if order := a.uses[f.Package] - b.uses[f.Package]; order != 0 {
			return order
		}
		return strings.Compare(a.ImportPath, b.ImportPath)
	})
	return all
}

// ofSchema are the packages whose tests meet the schema: the schema's own, then those that move money.
func (m *module) ofSchema() (all []*goPackage) {
	for _, folder := range append([]string{"migrations"}, scope...) {
		if p := m.packages[m.importPath+"/"+folder]; p != nil && len(p.TestGoFiles)+len(p.XTestGoFiles) > 0 {
			all = append(all, p)
		}
	}
	return all
}
