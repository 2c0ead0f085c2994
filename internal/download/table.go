package download

import (
	"encoding/csv"
	"io"
	"regexp"
	"unicode"
	"unicode/utf8"
)

// numeric are the columns that hold numbers of ours in every table.
var numeric = map[string]bool{
	"amount": true, "balance": true, "bonus_balance": true, "ours": true, "theirs": true, "difference": true, "seal": true,
}

var plainNumber = regexp.MustCompile(`^-?[0-9]+(\.[0-9]+)?$`)

// Table writes CSV that people open in a spreadsheet. Text comes from outside: a cell that a spreadsheet would take
// for a formula gets an apostrophe before it, which makes it text. Numbers in the columns for them stay numbers.
// A program that reads the CSV sees the apostrophe too; JSON has the text as it is.
type Table struct {
	header []string
	writer *csv.Writer
	safe   []string
}

// NewTable returns a table with these columns.
func NewTable(w io.Writer, header []string) *Table {
	return &Table{header: header, writer: csv.NewWriter(w), safe: make([]string, 0, len(header))}
}

// Begin writes the header.
func (t *Table) Begin() error { return t.writer.Write(t.header) }

// Write writes a line, its cells in the order of the header.
func (t *Table) Write(line []string) error {
	t.safe = t.safe[:0]
	for i, cell := range line {
		if i < len(t.header) && numeric[t.header[i]] && plainNumber.MatchString(cell) {
			t.safe = append(t.safe, cell)
		} else {
			t.safe = append(t.safe, Cell(cell))
		}
	}
	return t.writer.Write(t.safe)
}

// Flush writes what is buffered, and answers the first error of all writing.
func (t *Table) Flush() error {
	t.writer.Flush()
	return t.writer.Error()
}

// Cell makes text harmless in a spreadsheet: that begins with = + - @, in their full width too, or with a control
// character, also behind blanks and marks that are not seen.
func Cell(text string) string {
	for at, r := range text {
		switch {
		case r == '=', r == '+', r == '-', r == '@', r == '＝', r == '＋', r == '－', r == '＠', r == '\u2212':
			return "'" + text
		case unicode.IsControl(r), r == utf8.RuneError && at == 0:
			return "'" + text
		case unicode.IsSpace(r), unicode.Is(unicode.Cf, r):
		default:
			return text
		}
	}
	return text
}
