package main

import (
	"bytes"
	"cmp"
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
	pkg    *goPackage
	path   string
	tests  []*test // shortest first
	flags  []string
	broken string // why it is of no use
}

// test is one test function.
type test struct {
	name    string
	took    time.Duration // without a fault
	reached map[int]bool  // the numbers of faults
}

// testsOf builds a package's tests once, and runs each of them without a fault: to know how long it takes and what it
// reaches.
func (r *round) testsOf(ctx context.Context, m *module, p *goPackage) *testBinary {
	if known := r.tests[p.ImportPath]; known != nil {
		return known
	}
	name := strings.ReplaceAll(m.below(p.ImportPath), "/", "__")
	t := &testBinary{pkg: p, path: filepath.Join(r.dir, name+".test")}
	r.tests[p.ImportPath] = t
	out, err := r.goCommand(ctx, "test", "-c", "-vet=off", "-o", t.path, p.ImportPath)
	if err != nil {
		t.broken = "does not build: " + firstLines(out, 3)
		return t
	}
	if _, err := os.Stat(t.path); err != nil {
		t.broken = "has no tests"
		return t
	}
	began := time.Now()
	if err := t.measure(ctx, r.only); err != nil {
		t.broken = err.Error()
		return t
	}
	fmt.Printf("        %6s           %d tests of %s, one by one\n", time.Since(began).Round(time.Second), len(t.tests), m.below(p.ImportPath))
	return t
}

// goCommand runs the go command on a round's sources.
func (r *round) goCommand(ctx context.Context, command string, args ...string) (out string, err error) {
	args = append([]string{command, "-trimpath", "-overlay=" + r.overlay}, args...)
	text, err := exec.CommandContext(ctx, "go", args...).CombinedOutput()
	return string(text), err
}

// measure runs each test by itself.
func (t *testBinary) measure(ctx context.Context, names string) error {
	// Rapid keeps what failed in the tree, where that flag does not keep it from it.
	t.flags = []string{"-rapid.nofailfile"}
	code, out := t.run(ctx, time.Minute, nil, "-test.list="+names)
	if strings.Contains(out, "flag provided but not defined") {
		t.flags = nil
		code, out = t.run(ctx, time.Minute, nil, "-test.list="+names)
	}
	if code != 0 {
		return errors.New("does not start: " + firstLines(out, 3))
	}
	for _, name := range strings.Fields(out) {
		if !strings.HasPrefix(name, "Test") {
			continue
		}
		one := &test{name: name, reached: map[int]bool{}}
		record := t.path + ".reached"
		_ = os.Remove(record)
		began := time.Now()
		if code, out := t.run(ctx, 10*time.Minute, []string{"EVENS_FAULT_RECORD=" + record}, only(one)); code != 0 {
			return fmt.Errorf("%s fails without a fault: %s", name, firstLines(out, 12))
		}
		one.took = time.Since(began)
		data, err := os.ReadFile(record)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
		for _, number := range strings.Fields(string(data)) {
			n, err := strconv.Atoi(number)
			if err != nil {
				return fmt.Errorf("%s: %w", record, err)
			}
			one.reached[n] = true
		}
		t.tests = append(t.tests, one)
	}
	slices.SortStableFunc(t.tests, func(a, b *test) int { return cmp.Compare(a.took, b.took) })
	return nil
}

// only chooses tests.
func only(tests ...*test) string {
	names := make([]string, len(tests))
	for i, t := range tests {
		names[i] = t.name
	}
	return "-test.run=^(" + strings.Join(names, "|") + ")$"
}

// reaching are the tests that reach a fault.
func (t *testBinary) reaching(f *fault) (tests []*test) {
	for _, one := range t.tests {
		if f.schema != "" || f.anywhere || one.reached[f.number] {
			tests = append(tests, one)
		}
	}
	return tests
}

// quick is for how long the first tests may run that are tried together: most faults are found by them.
const quick = 3 * time.Second

// firstOf are the shortest tests, and the others.
func firstOf(tests []*test) (first, others []*test) {
	var sum time.Duration
	for i, t := range tests {
		if sum += t.took; i > 0 && sum > quick {
			return tests[:i], tests[i:]
		}
	}
	return tests, nil
}

func together(tests []*test) (sum time.Duration) {
	for _, t := range tests {
		sum += t.took
	}
	return sum
}

var complaint = regexp.MustCompile(`(?m)^(\S+?\.go):(\d+):\d+: `)

// compile takes the faults out that the compiler does not like, in all packages of the round.
func (r *round) compile(ctx context.Context, m *module) error {
	for {
		if err := r.write(m); err != nil {
			return err
		}
		var packages []string
		for _, f := range r.faults {
			if f.schema == "" && !slices.Contains(packages, f.Package) {
				packages = append(packages, f.Package)
			}
		}
		if len(packages) == 0 {
			return nil
		}
		out, err := r.goCommand(ctx, "build", append([]string{"-gcflags=-e"}, packages...)...)
		if err == nil || ctx.Err() != nil {
			return ctx.Err()
		}
		if r.drop(m, out) == 0 {
			return errors.New("the planted sources do not build: " + firstLines(out, 10))
		}
	}
}

// drop marks the faults on the lines that the compiler complains about, and takes them out. It says how many.
func (r *round) drop(m *module, out string) (dropped int) {
	for _, at := range complaint.FindAllStringSubmatch(out, -1) {
		line, _ := strconv.Atoi(at[2])
		name := strings.TrimPrefix(strings.TrimPrefix(filepath.ToSlash(at[1]), m.root+"/"), "./")
		before := len(r.faults)
		r.faults = slices.DeleteFunc(r.faults, func(f *fault) bool {
			f.void = f.void || f.schema == "" && f.text == "" && f.Line <= line && line <= f.last && strings.HasSuffix(name, f.File)
			return f.void
		})
		dropped += before - len(r.faults)
	}
	return dropped
}

// run runs tests; code 0 is a pass.
func (t *testBinary) run(ctx context.Context, limit time.Duration, environ []string, args ...string) (code int, out string) {
	ctx, cancel := context.WithTimeout(ctx, limit+10*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, t.path, slices.Concat(args, t.flags, []string{"-test.failfast", "-test.timeout=" + limit.String()})...)
	cmd.Dir = t.pkg.Dir
	cmd.Env = append(os.Environ(), environ...)
	var text bytes.Buffer
	cmd.Stdout, cmd.Stderr = &text, &text
	cmd.WaitDelay = 5 * time.Second
	if err := cmd.Run(); err != nil {
		return 1, text.String() + err.Error()
	}
	return 0, text.String()
}

func firstLines(text string, n int) string {
	lines := strings.SplitN(strings.TrimSpace(text), "\n", n+1)
	return strings.Join(lines[:min(n, len(lines))], "\n\t")
}
