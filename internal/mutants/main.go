package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"flag"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

//go:embed fault.go.txt
var faultPackage string

// options are what the command line says.
type options struct {
	n, near int
	seed    string
	base    string
	within  time.Duration
	least   float64
	only    string
	list    bool
}

func main() {
	var o options
	flag.IntVar(&o.n, "n", 300, "how many faults, by chance; 0: all")
	flag.IntVar(&o.near, "near", 1, "tests of packages so many imports above a fault's are run")
	flag.StringVar(&o.seed, "seed", "", "of the choice; the commit's id when empty")
	flag.StringVar(&o.base, "base", os.Getenv("BASE"), "a commit: only lines that differ from it ($BASE)")
	flag.DurationVar(&o.within, "within", 0, "stop after this time, and judge what was tried")
	flag.Float64Var(&o.least, "least", 0, "fail when fewer percent are found")
	flag.StringVar(&o.only, "only", "", "faults whose name has this in it")
	flag.BoolVar(&o.list, "list", false, "list the faults, try none")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	code, err := run(ctx, o)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "mutants:", err)
		code = 2
	}
	os.Exit(code)
}

func run(ctx context.Context, o options) (code int, err error) {
	m, err := readModule(ctx)
	if err != nil {
		return 0, err
	}
	schema, err := schemaFaults(ctx, m.importPath)
	if err != nil {
		return 0, err
	}
	all := append(m.faults, schema...)
	reasons, err := equivalents(m, all)
	if err != nil {
		return 0, err
	}
	if o.seed == "" {
		id, err := exec.CommandContext(ctx, "git", "rev-parse", "HEAD").Output()
		if err != nil {
			return 0, fmt.Errorf("which commit: %w", err)
		}
		o.seed = strings.TrimSpace(string(id))
	}
	chosen, err := choose(ctx, o, all, reasons)
	if err != nil {
		return 0, err
	}
	fmt.Printf("%d faults of %d, %d known to change nothing; seed %s\n", len(chosen), len(all), len(reasons), o.seed)
	if o.list {
		for _, f := range chosen {
			fmt.Println(f)
		}
		return 0, nil
	}
	r, err := openResults(m.root, o.seed)
	if err != nil {
		return 0, err
	}
	if o.within > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, o.within)
		defer cancel()
	}
	if err := tryAll(ctx, m, o, chosen, r); err != nil {
		return 0, err
	}
	score := report(os.Stdout, chosen, r)
	if score < o.least {
		fmt.Printf("fewer than %.0f %% are found\n", o.least)
		return 1, nil
	}
	return 0, nil
}

// choose takes faults by chance: the same ones for the same seed. With a base, those on changed lines alone.
func choose(ctx context.Context, o options, all []*fault, reasons map[string]string) ([]*fault, error) {
	var changed map[string]map[int]bool
	if o.base != "" {
		var err error
		if changed, err = changedSince(ctx, o.base); err != nil {
			return nil, err
		}
	}
	var of []*fault
	for _, f := range all {
		if reasons[f.name()] != "" || o.only != "" && !strings.Contains(f.name(), o.only) {
			continue
		}
		if changed != nil && (f.schema != "" || !changed[f.File][f.Line]) {
			continue
		}
		of = append(of, f)
	}
	hash := fnv.New64a()
	hash.Write([]byte(o.seed))
	chance := rand.New(rand.NewPCG(hash.Sum64(), 0))
	chance.Shuffle(len(of), func(i, j int) { of[i], of[j] = of[j], of[i] })
	if o.n > 0 && len(of) > o.n {
		of = of[:o.n]
	}
	for n, f := range of {
		f.number = n + 1
	}
	return of, nil
}

// tryAll tries what has no verdict yet.
func tryAll(ctx context.Context, m *module, o options, faults []*fault, results *results) error {
	dir, err := os.MkdirTemp("", "evens-mutants-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	done, began := 0, time.Now()
	for n, r := range rounds(faults) {
		r.dir = filepath.Join(dir, fmt.Sprint(n))
		if err := r.write(m); err != nil {
			return err
		}
		// One package after the other: its tests are built once.
		of := slices.Clone(r.faults)
		slices.SortStableFunc(of, func(a, b *fault) int { return strings.Compare(a.Package, b.Package) })
		for _, f := range of {
			done++
			if results.has(f) {
				continue
			}
			v := r.try(ctx, m, f, o.near)
			if ctx.Err() != nil {
				fmt.Printf("\nended after %s, %d of %d tried\n", time.Since(began).Round(time.Second), done-1, len(faults))
				return nil
			}
			if err := results.add(v); err != nil {
				return err
			}
			fmt.Printf("%3d/%d %6s %-9s %s\n", done, len(faults), time.Since(began).Round(time.Second), v.word(), f)
		}
	}
	return nil
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

// results are the verdicts of one seed, kept so that a run goes on where one ended.
type results struct {
	path  string
	known map[string]verdict
}

func openResults(root, seed string) (*results, error) {
	r := &results{path: filepath.Join(root, ".mutants", seed+".jsonl"), known: map[string]verdict{}}
	if err := os.MkdirAll(filepath.Dir(r.path), 0o755); err != nil {
		return nil, err
	}
	data, err := os.ReadFile(r.path)
	if err != nil && !os.IsNotExist(err) {
		return nil, err
	}
	for line := range strings.Lines(string(data)) {
		var v verdict
		if json.Unmarshal([]byte(line), &v) == nil {
			r.known[v.Fault] = v
		}
	}
	return r, nil
}

func (r *results) has(f *fault) bool { _, known := r.known[f.name()]; return known }

func (r *results) add(v verdict) error {
	r.known[v.Fault] = v
	file, err := os.OpenFile(r.path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer file.Close()
	return json.NewEncoder(file).Encode(v)
}
