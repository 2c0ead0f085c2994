package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// testBinary is the tests of one package, with a round's faults behind their switches.
type testBinary struct {
	pkg     *goPackage
	path    string
	took    time.Duration // without a fault
	reached map[int]bool
	broken  string // why it is of no use
}

// tests builds a package's tests once, and runs them without a fault: to know how long they take and what they reach.
func (r *round) testsOf(ctx context.Context, m *module, p *goPackage) *testBinary {
	if known := r.tests[p.ImportPath]; known != nil {
		return known
	}
	name := strings.ReplaceAll(m.below(p.ImportPath), "/", "__")
	t := &testBinary{pkg: p, path: filepath.Join(r.dir, name+".test"), reached: map[int]bool{}}
	r.tests[p.ImportPath] = t
	for {
		out, err := exec.CommandContext(ctx, "go", "test", "-c", "-trimpath", "-vet=off", "-overlay="+r.overlay, "-o", t.path, p.ImportPath).CombinedOutput()
		if err == nil {
			break
		}
		if dropped := r.drop(m, string(out)); dropped == 0 || ctx.Err() != nil {
			t.broken = "does not build: " + firstLines(string(out), 3)
			return t
		}
		if err := r.write(m); err != nil {
			t.broken = err.Error()
			return t
		}
	}
	if _, err := os.Stat(t.path); err != nil {
		t.broken = "has no tests"
		return t
	}
	record := t.path + ".reached"
	began := time.Now()
	if code, out := t.run(ctx, 15*time.Minute, "EVENS_FAULT_RECORD="+record); code != 0 {
		t.broken = "fails without a fault: " + firstLines(out, 12)
		return t
	}
	t.took = time.Since(began)
	data, err := os.ReadFile(record)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.broken = err.Error()
	}
	for _, number := range strings.Fields(string(data)) {
		n, _ := strconv.Atoi(number)
		t.reached[n] = true
	}
	return t
}

var complaint = regexp.MustCompile(`(?m)^(\S+?\.go):(\d+):\d+: `)

// drop takes the faults out that the compiler does not like, and says how many.
func (r *round) drop(m *module, out string) (dropped int) {
	for _, at := range complaint.FindAllStringSubmatch(out, -1) {
		line, _ := strconv.Atoi(at[2])
		path := strings.TrimPrefix(strings.TrimPrefix(filepath.ToSlash(at[1]), m.root+"/"), "./")
		before := len(r.faults)
		r.faults = slices.DeleteFunc(r.faults, func(f *fault) bool {
			f.void = f.void || f.schema == "" && f.text == "" && f.Line == line && strings.HasSuffix(path, f.File)
			return f.void
		})
		dropped += before - len(r.faults)
	}
	return dropped
}

// run runs the tests; code 0 is a pass.
func (t *testBinary) run(ctx context.Context, limit time.Duration, environ ...string) (code int, out string) {
	ctx, cancel := context.WithTimeout(ctx, limit+10*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, t.path, "-test.failfast", "-test.timeout="+limit.String())
	cmd.Dir = t.pkg.Dir
	cmd.Env = append(os.Environ(), environ...)
	var text bytes.Buffer
	cmd.Stdout, cmd.Stderr = &text, &text
	err := cmd.Run()
	if err == nil {
		return 0, text.String()
	}
	return 1, text.String()
}

func firstLines(text string, n int) string {
	lines := strings.SplitN(strings.TrimSpace(text), "\n", n+1)
	return strings.Join(lines[:min(n, len(lines))], "\n\t")
}

// verdict is what the tests made of a fault.
type verdict struct {
	Fault  string `json:"fault"`
	Found  bool   `json:"found"`
	By     string `json:"by,omitempty"`     // the package whose tests found it
	Reason string `json:"reason,omitempty"` // of one that could not be tried
}

// try runs the tests that reach a fault, nearest first.
func (r *round) try(ctx context.Context, m *module, f *fault, near int) verdict {
	v := verdict{Fault: f.name()}
	tried := 0
	for _, p := range m.above(f, near) {
		t := r.testsOf(ctx, m, p)
		if f.void {
			return verdict{Fault: f.name(), Reason: "does not compile"}
		}
		if t.broken != "" {
			if p.ImportPath == f.Package && t.broken != "has no tests" {
				v.Reason = fmt.Sprintf("%s %s", m.below(p.ImportPath), t.broken)
			}
			continue
		}
		if far := p.uses[f.Package]; f.text != "" && far > 0 && tried > 0 && near < 2 {
			break // a statement is run by its own package's tests, where it has any
		}
		if f.schema == "" && f.text == "" && !t.reached[f.number] {
			continue
		}
		tried++
		environ := []string{"EVENS_FAULT=" + strconv.Itoa(f.number)}
		if f.schema != "" {
			environ = []string{"EVENS_FAULT_SCHEMA=" + f.schema}
		}
		if code, _ := t.run(ctx, 2*t.took+30*time.Second, environ...); code != 0 && ctx.Err() == nil {
			return verdict{Fault: f.name(), Found: true, By: m.below(p.ImportPath)}
		}
	}
	return v
}

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
	for _, path := range append([]string{"migrations"}, scope...) {
		if p := m.packages[m.importPath+"/"+path]; p != nil && len(p.TestGoFiles)+len(p.XTestGoFiles) > 0 {
			all = append(all, p)
		}
	}
	return all
}
