package statementfile

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// optional columns may be missing from a file.
var optional = []string{"round_id", "player_id"}

// header finds our columns among the file's.
func (f *Reader) header(fields []string) error {
	names := make([]string, len(fields))
	for i, name := range fields {
		if err := checkText(name); err != nil {
			return fmt.Errorf("column %d: %w", i+1, err)
		}
		names[i] = strings.TrimFunc(name, blank)
	}
	for _, ours := range slices.Concat(Columns, moreColumns) {
		column, mapped := f.mapping.Columns[ours]
		if !mapped {
			if slices.Contains(moreColumns, ours) || f.needless(ours) {
				continue
			}
			column = Column{Name: ours}
		}
		index, err := find(names, column)
		if err != nil {
			if !mapped && slices.Contains(optional, ours) && errors.Is(err, errNoColumn) {
				continue
			}
			return f.hint(names, err)
		}
		name := column.Name
		if index < len(names) && names[index] != "" {
			name = names[index]
		}
		f.columns[ours] = place{index: index, column: column, name: name}
	}
	return nil
}

// needless reports whether a file can do without one of our columns, as the mapping has it.
func (f *Reader) needless(ours string) bool {
	_, two := f.mapping.Columns["debit"]
	switch ours {
	case "type":
		return f.mapping.Type != "" || f.mapping.signed()
	case "status":
		return f.mapping.Status != ""
	case "currency":
		return f.mapping.Currency != ""
	case "amount":
		return two
	default:
		return false
	}
}

var errNoColumn = errors.New("there is no column")

// find is where a column stands. A name that stands twice means neither.
func find(names []string, column Column) (int, error) {
	index, numbered, err := column.number()
	if err != nil {
		return 0, err
	}
	if numbered {
		if index >= len(names) {
			return 0, fmt.Errorf("%w %q, the header has %d", errNoColumn, column.Name, len(names))
		}
		return index, nil
	}
	wanted := strings.TrimFunc(column.Name, blank)
	for _, same := range []func(a, b string) bool{func(a, b string) bool { return a == b }, strings.EqualFold} {
		found := -1
		for i, name := range names {
			if !same(name, wanted) {
				continue
			}
			if found >= 0 {
				return 0, fmt.Errorf("the column %q stands there twice, as #%d and #%d: name the one that is meant by its number",
					column.Name, found+1, i+1)
			}
			found = i
		}
		if found >= 0 {
			return found, nil
		}
	}
	return 0, fmt.Errorf("%w %q", errNoColumn, column.Name)
}

// hint says what a file looks like in which a column is missing.
func (f *Reader) hint(names []string, err error) error {
	separator := f.mapping.Separator
	if separator == "" {
		separator = ","
	}
	if len(names) == 1 {
		for _, other := range []string{";", "\t", "|", ","} {
			if other != separator && strings.Count(names[0], other) > 1 {
				return fmt.Errorf("%w: this looks like %q between columns, not %q: a mapping's separator says so", err, other, separator)
			}
		}
	}
	if len(names) == 1 && f.mapping.Skip == 0 {
		return fmt.Errorf("%w: the first line is %q; lines above the header are left out by a mapping's skip", err, shorten(names[0]))
	}
	return fmt.Errorf("%w, only %s", err, shorten(strings.Join(names, ", ")))
}
