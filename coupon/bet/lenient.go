package bet

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"unicode/utf8"

	"evens/money"
)

// errNoObject says that a body has no JSON object in it.
var errNoObject = errors.New("no JSON object in the answer")

// decode reads the first JSON object of a body into v. It forgives what BeT is known to send:
// a byte order mark or other junk before the first brace, commas before a closing bracket
// (both of the seed's express example), and anything after the object. A value of another type
// than v's counts as absent.
func decode(body []byte, v any) error {
	start := bytes.IndexByte(body, '{')
	if start < 0 {
		return errNoObject
	}
	err := json.NewDecoder(bytes.NewReader(dropTrailingCommas(body[start:]))).Decode(v)
	if _, mistyped := errors.AsType[*json.UnmarshalTypeError](err); mistyped {
		return nil // encoding/json has read everything else
	}
	return err
}

// dropTrailingCommas removes every comma that only space separates from a closing bracket,
// outside of strings. What is broken in another way stays broken, for the decoder to refuse.
func dropTrailingCommas(body []byte) []byte {
	clean := make([]byte, 0, len(body))
	inString, escaped := false, false
	for i, b := range body {
		switch {
		case escaped:
			escaped = false
		case inString && b == '\\':
			escaped = true
		case b == '"':
			inString = !inString
		case b == ',' && !inString && closes(body[i+1:]):
			continue
		}
		clean = append(clean, b)
	}
	return clean
}

// closes reports whether the next thing in rest is a closing bracket.
func closes(rest []byte) bool {
	rest = bytes.TrimLeft(rest, " \t\r\n")
	return len(rest) > 0 && (rest[0] == '}' || rest[0] == ']')
}

// The types below read one field of an answer and never fail: that a coupon was accepted must
// not hang on whether a team's name came as a number.

// text is a string, or the spelling of a number; anything else is "". Zero bytes, which
// PostgreSQL cannot store, are dropped.
type text string

func (t *text) UnmarshalJSON(data []byte) error {
	*t = ""
	switch c := data[0]; {
	case c == '"' && bytes.IndexByte(data, '\\') < 0 && utf8.Valid(data):
		*t = text(strings.TrimSpace(string(data[1 : len(data)-1])))
	case c == '"':
		var s string
		if json.Unmarshal(data, &s) == nil {
			*t = text(strings.TrimSpace(strings.ReplaceAll(s, "\x00", "")))
		}
	case c == '-' || (c >= '0' && c <= '9'):
		*t = text(data)
	}
	return nil
}

// figure is a [money.Number], or "" where there is nothing to read.
type figure struct{ money.Number }

func (f *figure) UnmarshalJSON(data []byte) error {
	if f.Number.UnmarshalJSON(data) != nil {
		f.Number = ""
	}
	return nil
}

// amount is the figure as a sum of money; 0 when absent, unreadable or negative.
func (f figure) amount() money.Amount {
	a, err := f.Amount()
	if err != nil || a < 0 {
		return 0
	}
	return a
}

// coef is the figure as a coefficient; 0 when absent, unreadable or not above zero.
func (f figure) coef() money.Coef {
	c, err := f.Coef()
	if err != nil {
		return 0
	}
	return c
}

// integer is the figure as a whole number; 0 when absent or unreadable.
func (f figure) integer() int64 {
	n, err := f.Int()
	if err != nil {
		return 0
	}
	return n
}

// flag is true for true, "true", 1 and "1".
type flag bool

func (f *flag) UnmarshalJSON(data []byte) error {
	s := strings.ToLower(strings.Trim(string(data), `" `))
	*f = s == "true" || s == "1"
	return nil
}

// code is a status or error number: 0 when null or empty, strange when it is no number.
type code int64

// strange stands for a code that nobody knows. It is no success and no known refusal.
const strange code = -1

func (c *code) UnmarshalJSON(data []byte) error {
	var n money.Number
	if n.UnmarshalJSON(data) != nil {
		*c = strange
		return nil
	}
	if n == "" {
		*c = 0
		return nil
	}
	v, err := n.Int()
	if err != nil {
		v = int64(strange)
	}
	*c = code(v)
	return nil
}
