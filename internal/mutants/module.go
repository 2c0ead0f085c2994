package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// scope are the packages whose faults matter most: they move money.
var scope = []string{"money", "settlement", "ledger", "wallet", "casino", "reconcile", "coupon", "cashier"}

// module is the tree that is looked at.
type module struct {
	root, importPath string
	packages         map[string]*goPackage // by import path, tests' imports included
	sources          map[string]string     // of the scope, by path below the root
	faults           []*fault
}

type goPackage struct {
	ImportPath, Dir                                          string
	GoFiles, TestGoFiles, XTestGoFiles, Imports, TestImports []string
	XTestImports, Deps                                       []string
	uses                                                     map[string]int // distance to what it imports
}

func readModule(ctx context.Context) (*module, error) {
	out, err := goCommand(ctx, "list", "-m", "-json")
	if err != nil {
		return nil, err
	}
	var main struct{ Path, Dir string }
	if err := json.Unmarshal(out, &main); err != nil {
		return nil, err
	}
	m := &module{root: main.Dir, importPath: main.Path, packages: map[string]*goPackage{}, sources: map[string]string{}}
	if out, err = goCommand(ctx, "list", "-json", "./..."); err != nil {
		return nil, err
	}
	decoder := json.NewDecoder(strings.NewReader(string(out)))
	for {
		p := &goPackage{}
		if err := decoder.Decode(p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, err
		}
		m.packages[p.ImportPath] = p
	}
	for _, p := range m.packages {
		p.uses = m.distances(p)
		if !m.inScope(p.ImportPath) {
			continue
		}
		if err := m.readFaults(p); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(m.faults, func(a, b *fault) int {
		return strings.Compare(fmt.Sprintf("%s %08d %08d %s", a.File, a.start, a.Line, a.Kind), fmt.Sprintf("%s %08d %08d %s", b.File, b.start, b.Line, b.Kind))
	})
	return m, nil
}

func goCommand(ctx context.Context, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Stderr = os.Stderr
	return cmd.Output()
}

func (m *module) below(importPath string) string {
	return strings.TrimPrefix(strings.TrimPrefix(importPath, m.importPath), "/")
}

func (m *module) inScope(importPath string) bool {
	first, _, _ := strings.Cut(m.below(importPath), "/")
	return slices.Contains(scope, first) && !strings.HasSuffix(importPath, "test")
}

// distances are how many imports lie between a package with its tests and what they link.
func (m *module) distances(p *goPackage) map[string]int {
	far := map[string]int{p.ImportPath: 0}
	next := slices.Concat(p.Imports, p.TestImports, p.XTestImports)
	for distance := 1; len(next) > 0; distance++ {
		var after []string
		for _, imported := range next {
			if _, known := far[imported]; known || m.packages[imported] == nil {
				continue
			}
			far[imported] = distance
			after = append(after, m.packages[imported].Imports...)
		}
		next = after
	}
	return far
}

func (m *module) readFaults(p *goPackage) error {
	for _, name := range slices.Concat(p.GoFiles, p.TestGoFiles, p.XTestGoFiles) {
		data, err := os.ReadFile(filepath.Join(p.Dir, name))
		if err != nil {
			return err
		}
		file := filepath.ToSlash(filepath.Join(m.below(p.ImportPath), name))
		m.sources[file] = string(data)
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		faults, err := faultsOf(file, p.ImportPath, string(data))
		if err != nil {
			return err
		}
		m.faults = append(m.faults, faults...)
	}
	return nil
}

// sourcesIn are a package's sources, tests apart.
func (m *module) sourcesIn(folder string) map[string]string {
	found := map[string]string{}
	for name, text := range m.sources {
		if path.Dir(name) == folder && !strings.HasSuffix(name, "_test.go") {
			found[name] = text
		}
	}
	return found
}

// changedSince are the lines that differ from a commit, by file.
func changedSince(ctx context.Context, base string) (map[string]map[int]bool, error) {
	out, err := exec.CommandContext(ctx, "git", "diff", "-U0", "--no-color", "--relative", base, "--", "*.go", "*.sql").Output()
	if err != nil {
		return nil, fmt.Errorf("what changed since %s: %w", base, err)
	}
	return changedLines(string(out)), nil
}

// changedLines reads a diff without context.
func changedLines(diff string) map[string]map[int]bool {
	changed, file := map[string]map[int]bool{}, ""
	for line := range strings.Lines(diff) {
		if name, ok := strings.CutPrefix(strings.TrimSpace(line), "+++ b/"); ok {
			file = name
			changed[file] = map[int]bool{}
		}
		if at := hunk.FindStringSubmatch(line); at != nil {
			first, _ := strconv.Atoi(at[1])
			count := 1
			if at[2] != "" {
				count, _ = strconv.Atoi(at[2])
			}
			for n := range count {
				changed[file][first+n] = true
			}
		}
	}
	return changed
}

var hunk = regexp.MustCompile(`^@@ -\S+ \+(\d+)(?:,(\d+))? @@`)
