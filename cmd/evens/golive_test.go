package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

// The page before going live is short, and names settings, commands and files that there are.
func TestGoLivePageIsTrue(t *testing.T) {
	t.Parallel()
	const page = "../../docs/go-live.md"
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	if lines := strings.Count(string(text), "\n"); lines > 40 {
		t.Errorf("%d lines: nobody ticks so many", lines)
	}
	settings, commands := vocabulary(t)
	named := regexp.MustCompile(`EVENS_[A-Z_]*[A-Z]`).FindAllString(string(text), -1)
	if len(named) < 15 {
		t.Fatalf("only %d settings are named", len(named))
	}
	for _, name := range named {
		if !slices.Contains(settings, name) {
			t.Errorf("there is no setting %s", name)
		}
	}
	for _, match := range regexp.MustCompile("`evens ([a-z]+)( [a-z]+)?").FindAllStringSubmatch(string(text), -1) {
		if !slices.Contains(commands, match[1]+match[2]) && !slices.Contains(commands, match[1]) {
			t.Errorf("there is no command evens %s%s", match[1], match[2])
		}
	}
	for _, match := range regexp.MustCompile(`\]\(([^)#]+)`).FindAllStringSubmatch(string(text), -1) {
		if _, err := os.Stat(filepath.Join(filepath.Dir(page), match[1])); err != nil {
			t.Error(err)
		}
	}
}

// vocabulary lists the variables and the commands of the program.
func vocabulary(t *testing.T) (settings, commands []string) {
	t.Helper()
	var cli commandLine
	parser, err := newParser(&cli)
	if err != nil {
		t.Fatal(err)
	}
	err = kong.Visit(parser.Model, func(node kong.Visitable, next kong.Next) error {
		switch n := node.(type) {
		case *kong.Flag:
			settings = append(settings, n.Envs...)
		case *kong.Node:
			if n.Type == kong.CommandNode {
				commands = append(commands, strings.TrimPrefix(n.Path(), "evens "))
			}
		}
		return next(nil)
	})
	if err != nil {
		t.Fatal(err)
	}
	return settings, commands
}
