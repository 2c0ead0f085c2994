package jsonin

import (
	"bytes"

	"github.com/go-json-experiment/json/jsontext"
)

// Rows reads the rows of a list, each by itself, and leaves out those that cannot be read; odd is how
// many those are.
func Rows[T any](raw []Raw) (rows []T, odd int) {
	rows = make([]T, 0, len(raw))
	for _, text := range raw {
		var row T
		if Unmarshal(text, &row) != nil {
			odd++
			continue
		}
		rows = append(rows, row)
	}
	return rows, odd
}

// Member is the member of an object that has exactly this name, whatever is wrong with the others;
// false where there is none, or more than one.
func Member(object []byte, name string) (Raw, bool) {
	d := jsontext.NewDecoder(bytes.NewReader(bytes.TrimPrefix(object, byteOrderMark)), walked)
	if token, err := d.ReadToken(); err != nil || token.Kind() != '{' {
		return nil, false
	}
	var found Raw
	for d.PeekKind() == '"' {
		quoted, err := d.ReadValue()
		if err != nil {
			return nil, false
		}
		is := string(unquote(nil, quoted)) == name
		value, err := d.ReadValue()
		if err != nil || is && found != nil {
			return nil, false
		}
		if is {
			found = value.Clone()
		}
	}
	return found, found != nil
}
