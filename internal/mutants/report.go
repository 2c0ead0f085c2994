package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

type tally struct{ found, lives int }

func (t tally) percent() float64 {
	if t.found+t.lives == 0 {
		return 100
	}
	return 100 * float64(t.found) / float64(t.found+t.lives)
}

// report writes the score by language and by package, and what lives; it returns the percentage found.
func report(w io.Writer, faults []*fault, r *results) float64 {
	var all tally
	byPackage, byLanguage := map[string]tally{}, map[string]tally{}
	var lives, untried []string
	for _, f := range faults {
		v, known := r.known[f.name()]
		switch {
		case !known:
			continue
		case v.Reason == doesNotCompile:
			continue
		case v.Reason != "":
			untried = append(untried, f.String()+": "+v.Reason)
			continue
		}
		count := func(t tally) tally {
			if v.Found {
				t.found++
			} else {
				t.lives++
			}
			return t
		}
		if !v.Found {
			lives = append(lives, f.String())
		}
		all = count(all)
		folder, _, _ := strings.Cut(f.File, "/")
		byPackage[folder] = count(byPackage[folder])
		byLanguage[f.language()] = count(byLanguage[f.language()])
	}
	for _, table := range []map[string]tally{byLanguage, byPackage} {
		fmt.Fprintln(w)
		for _, name := range slices.SortedFunc(maps.Keys(table), cmp.Compare[string]) {
			fmt.Fprintf(w, "%-12s %4d found, %3d live: %5.1f %%\n", name, table[name].found, table[name].lives, table[name].percent())
		}
	}
	for title, list := range map[string][]string{"live": lives, "untried": untried} {
		if len(list) > 0 {
			slices.Sort(list)
			fmt.Fprintf(w, "\n%s:\n  %s\n", title, strings.Join(list, "\n  "))
		}
	}
	fmt.Fprintf(w, "\n%d of %d found: %.1f %%\n", all.found, all.found+all.lives, all.percent())
	return all.percent()
}

func (f *fault) language() string {
	switch {
	case f.schema != "":
		return "schema"
	case f.text != "":
		return "SQL"
	}
	return "Go"
}
