package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

// foreignSettings are variables of tests and of docker-compose.yml.
var foreignSettings = []string{
	"EVENS_SHOTS", "EVENS_TEST_ROUNDS", "EVENS_TEST_SEED", "EVENS_TEST_RACED_PROCESSES", "EVENS_FAULT", "EVENS_FIFTH_ALLOW", "EVENS_FIFTH_KEY", "EVENS_CASINO_INSTRUCTIONS",
	"EVENS_PORT", "EVENS_OPS_PORT", "EVENS_MEMORY", "EVENS_POSTGRES_MEMORY", "EVENS_REDIS_MEMORY",
}

// documents are README.md, CONTRIBUTING.md and all of docs, by their paths.
func documents(t *testing.T) map[string]string {
	t.Helper()
	found := make(map[string]string)
	add := func(path string) {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		found[path] = string(text)
	}
	add("../../README.md")
	add("../../CONTRIBUTING.md")
	err := filepath.WalkDir("../../docs", func(path string, entry fs.DirEntry, err error) error {
		if err == nil && filepath.Ext(path) == ".md" {
			add(path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(found) < 20 {
		t.Fatalf("%d documents: this test sees nothing", len(found))
	}
	return found
}

// Documents name settings that there are.
func TestDocumentedSettings(t *testing.T) {
	t.Parallel()
	settings, _ := vocabulary(t)
	for path, text := range documents(t) {
		for _, match := range regexp.MustCompile(`(EVENS_[A-Z_]*[A-Z])(_…|…)?`).FindAllStringSubmatch(text, -1) {
			name, beginning := strings.TrimSuffix(match[1], "_FILE"), match[2] != ""
			if slices.Contains(foreignSettings, name) || slices.ContainsFunc(settings, func(setting string) bool {
				return setting == name || setting == match[1] || beginning && strings.HasPrefix(setting, name)
			}) {
				continue
			}
			t.Errorf("%s: there is no setting %s", path, match[0])
		}
	}
}

// A command of ours in a document: in a block of code, or between backquotes.
var (
	optioned    = regexp.MustCompile(`[ \[]--([a-z-]+)`)
	fenced      = regexp.MustCompile("(?ms)^ *```[a-z]*\n(.*?)^ *```")
	quoted      = regexp.MustCompile("`(?:bin/)?evens ([^`]+)`")
	invoked     = regexp.MustCompile(`(?m)(?:^ *|[|;&(] *|run --rm api )(?:bin/)?evens +([^\n]*)`)
	inContainer = regexp.MustCompile(`(?m)docker compose run --rm api +([^\n]*)`)
	ended       = regexp.MustCompile(`( #|[|;&)>]).*`)
)

// Documents name commands and options that there are.
func TestDocumentedCommands(t *testing.T) {
	t.Parallel()
	var cli commandLine
	parser, err := newParser(&cli)
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for path, text := range documents(t) {
		var lines []string
		for _, block := range fenced.FindAllStringSubmatch(text, -1) {
			for _, pattern := range []*regexp.Regexp{invoked, inContainer} {
				for _, match := range pattern.FindAllStringSubmatch(block[1], -1) {
					lines = append(lines, ended.ReplaceAllString(match[1], ""))
				}
			}
		}
		for _, match := range quoted.FindAllStringSubmatch(fenced.ReplaceAllString(text, ""), -1) {
			lines = append(lines, match[1])
		}
		for _, line := range lines {
			seen++
			if problem := unknownIn(parser.Model, line); problem != "" {
				t.Errorf("%s: evens %s: there is no %s", path, line, problem)
			}
		}
	}
	if seen < 50 {
		t.Fatalf("%d commands: this test sees nothing", seen)
	}
}

// unknownIn says which word of a command line is no command or option, "" if none.
func unknownIn(model *kong.Application, line string) string {
	node, known := model.Node, slices.Clone(model.Flags)
	words := strings.Fields(line)
	for len(words) > 0 && !node.Leaf() {
		child := slices.IndexFunc(node.Children, func(n *kong.Node) bool { return n.Name == words[0] })
		if child < 0 {
			break
		}
		node, words = node.Children[child], words[1:]
		known = append(known, node.Flags...)
	}
	if node.DefaultCmd != nil && len(words) > 0 && strings.HasPrefix(words[0], "-") {
		node = node.DefaultCmd
		known = append(known, node.Flags...)
	}
	if len(node.Children) > 0 && len(words) > 0 && words[0] != "COMMAND" && !strings.HasPrefix(words[0], "-") {
		return "command " + words[0]
	}
	for _, match := range optioned.FindAllStringSubmatch(" "+strings.Join(words, " "), -1) {
		if match[1] != "help" && !slices.ContainsFunc(known, func(f *kong.Flag) bool { return f.Name == match[1] }) {
			return "option --" + match[1]
		}
	}
	return ""
}
