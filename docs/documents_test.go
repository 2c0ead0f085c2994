// Package docs has tests of the documents: links, anchors, the index of decisions.
package docs

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
)

// root is the repository's folder, seen from this package.
const root = ".."

// files lists the repository's files whose name ends in one of these, relative to root.
func files(t *testing.T, endings ...string) (found []string) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && path != root && (entry.Name()[0] == '.' || entry.Name() == "bin" || entry.Name() == "secrets"):
			return filepath.SkipDir
		case !entry.IsDir() && slices.Contains(endings, filepath.Ext(path)):
			name, err := filepath.Rel(root, path)
			found = append(found, filepath.ToSlash(name))
			return err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// page is what a Markdown document links to, and where links can lead in it.
type page struct {
	links   []link
	anchors []string
}

type link struct {
	line   int
	target string
}

var (
	linked  = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	code    = regexp.MustCompile("`[^`]*`")
	heading = regexp.MustCompile(`^#{1,6} +(.*)$`)
)

// pageOf reads a document; what stands in its blocks of code is neither link nor heading.
func pageOf(text string) (p page) {
	fenced := false
	for i, line := range strings.Split(text, "\n") {
		if strings.HasPrefix(strings.TrimSpace(line), "```") {
			fenced = !fenced
		}
		if fenced {
			continue
		}
		if title := heading.FindStringSubmatch(line); title != nil {
			anchor := anchorOf(title[1])
			if n := strings.Count("\n"+strings.Join(p.anchors, "\n")+"\n", "\n"+anchor+"\n"); n > 0 {
				anchor = fmt.Sprintf("%s-%d", anchor, n)
			}
			p.anchors = append(p.anchors, anchor)
		}
		for _, match := range linked.FindAllStringSubmatch(code.ReplaceAllString(line, "`"), -1) {
			p.links = append(p.links, link{line: i + 1, target: match[1]})
		}
	}
	return p
}

// anchorOf is the anchor that GitHub gives a heading.
func anchorOf(title string) string {
	if match := regexp.MustCompile(`^\[(.*)\]\(.*\)$`).FindStringSubmatch(title); match != nil {
		title = match[1]
	}
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case unicode.IsLetter(r), unicode.IsNumber(r), r == '-', r == '_':
			return unicode.ToLower(r)
		}
		return -1
	}, title)
}

// Every relative link of a document leads to a file, and every anchor to a heading.
func TestLinksLeadSomewhere(t *testing.T) {
	t.Parallel()
	names := files(t, ".md")
	pages := make(map[string]page)
	for _, name := range names {
		pages[name] = pageOf(read(t, name))
	}
	links := 0
	for _, name := range names {
		for _, l := range pages[name].links {
			if strings.Contains(l.target, "://") || strings.HasPrefix(l.target, "mailto:") {
				continue
			}
			links++
			if problem := wrongWith(pages, name, l.target); problem != "" {
				t.Errorf("%s:%d: %s: %s", name, l.line, l.target, problem)
			}
		}
	}
	if len(names) < 20 || links < 50 {
		t.Fatalf("%d documents with %d links: this test sees nothing", len(names), links)
	}
}

// wrongWith says what is wrong with a relative link of a page, "" if nothing.
func wrongWith(pages map[string]page, from, target string) string {
	path, anchor, _ := strings.Cut(target, "#")
	name := from
	if path != "" {
		name = filepath.ToSlash(filepath.Join(filepath.Dir(from), path))
	}
	if _, err := os.Stat(filepath.Join(root, name)); err != nil {
		for other := range pages {
			if number := decision.FindString(name); number != "" && strings.HasPrefix(other, number) {
				return "no such file; there is " + other
			}
		}
		return "no such file"
	}
	if anchor != "" && !slices.Contains(pages[name].anchors, anchor) {
		return "no such heading in " + name
	}
	return ""
}

func TestWrongLinksAreFound(t *testing.T) {
	t.Parallel()
	text := "# The books: `evens audit`\n## Twice\n## Twice\n[a](#the-books-evens-audit) [b](#twice-1)\n"
	p := pageOf(text + "```\n[c](#code)\n```\n`[d](#code)` [e](#nowhere) [f](nowhere.md)\n")
	pages := map[string]page{"docs/api.md": p}
	var wrong []string
	for _, l := range p.links {
		if wrongWith(pages, "docs/api.md", l.target) != "" {
			wrong = append(wrong, fmt.Sprint(l.line, l.target))
		}
	}
	if want := []string{"8#nowhere", "8nowhere.md"}; !slices.Equal(wrong, want) || len(p.links) != 4 {
		t.Errorf("wrong are %q of %d links, want %q of 4", wrong, len(p.links), want)
	}
}

var (
	decision = regexp.MustCompile(`docs/decisions/[0-9]{4}`)
	document = regexp.MustCompile(`docs/[a-z/-]+\.md`)
)

// Code and settings name documents and decisions that there are.
func TestNamedDocumentsExist(t *testing.T) {
	t.Parallel()
	pages := files(t, ".md")
	for _, name := range files(t, ".go", ".sql", ".sh", ".yml", ".css", ".html", ".js", ".conf", ".service") {
		text := read(t, name)
		if strings.HasPrefix(name, "docs/") && strings.HasSuffix(name, "_test.go") {
			continue
		}
		for _, number := range decision.FindAllString(text, -1) {
			if !slices.ContainsFunc(pages, func(page string) bool { return strings.HasPrefix(page, number) }) {
				t.Errorf("%s: there is no %s", name, number)
			}
		}
		for _, page := range document.FindAllString(text, -1) {
			if !slices.Contains(pages, page) {
				t.Errorf("%s: there is no %s", name, page)
			}
		}
	}
}

// Documents name targets that the Makefile has.
func TestNamedTargetsExist(t *testing.T) {
	t.Parallel()
	var targets []string
	for _, match := range regexp.MustCompile(`(?m)^([a-z-]+):`).FindAllStringSubmatch(read(t, "Makefile"), -1) {
		targets = append(targets, match[1])
	}
	named := regexp.MustCompile("(?m)(?:^|`|^//\t)make ([a-z-]+)(?:  |$|`| [A-Z]+=)")
	seen := 0
	for _, name := range append(files(t, ".md"), "internal/mutants/doc.go") {
		for _, match := range named.FindAllStringSubmatch(read(t, name), -1) {
			seen++
			if !slices.Contains(targets, match[1]) {
				t.Errorf("%s: there is no target %s", name, match[1])
			}
		}
	}
	if seen < 10 || len(targets) < 10 {
		t.Fatalf("%d targets named of %d: this test sees nothing", seen, len(targets))
	}
}

// A decision has a number of its own, its three parts, and a line with its title in the index.
func TestDecisions(t *testing.T) {
	t.Parallel()
	index := read(t, "docs/decisions/README.md")
	numbers := make(map[string]string)
	for _, name := range files(t, ".md") {
		file, inside := strings.CutPrefix(name, "docs/decisions/")
		if !inside || file == "README.md" {
			continue
		}
		text := read(t, name)
		title, _, _ := strings.Cut(strings.TrimPrefix(text, "# "), "\n")
		number, subject, _ := strings.Cut(title, " ")
		if other := numbers[number]; other != "" {
			t.Errorf("%s has the number of %s", name, other)
		}
		numbers[number] = name
		if !strings.HasPrefix(file, number+"-") || subject == "" {
			t.Errorf("%s: the title %q does not begin with the number of the file's name", name, title)
		}
		for _, part := range []string{"## Context", "## Decision", "## What it costs"} {
			if strings.Count(text, "\n"+part+"\n") != 1 {
				t.Errorf("%s: want one %q", name, part)
			}
		}
		if line := fmt.Sprintf("- [%s](%s)\n", title, file); strings.Count(index, line) != 1 {
			t.Errorf("docs/decisions/README.md lacks the line %q", line)
		}
	}
	if len(numbers) < 10 {
		t.Fatalf("%d decisions: this test sees nothing", len(numbers))
	}
}
