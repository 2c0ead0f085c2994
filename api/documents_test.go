package api

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"testing"
)

// docs/api.md lists every code of an error, with its status.
func TestDocumentListsTheCodes(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../docs/api.md")
	if err != nil {
		t.Fatal(err)
	}
	var listed, want []string
	for _, row := range regexp.MustCompile("(?m)^\\| ([1-5][0-9]{2}) \\| `([a-z_]+)` \\|").FindAllStringSubmatch(string(text), -1) {
		listed = append(listed, row[1]+" "+row[2])
	}
	for _, m := range meanings {
		want = append(want, fmt.Sprint(m.Status, " ", m.Code))
	}
	slices.Sort(listed)
	slices.Sort(want)
	if !slices.Equal(listed, want) {
		t.Errorf("docs/api.md lists\n%q\nthe codes are\n%q", listed, want)
	}
}
