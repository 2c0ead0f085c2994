package bet

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"unicode/utf8"

	"evens/money"
)

// The types below read one field of an answer and never fail: that a coupon was accepted must
// not hang on whether a team's name came as a number. A figure keeps apart what was not there,
// what could not be read, and zero.

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

// figure is a [money.Number]: "" where there was nothing, and unreadable where there was
// something else.
type figure struct {
	money.Number
	unreadable bool
}

func (f *figure) UnmarshalJSON(data []byte) error {
	*f = figure{}
	if f.Number.UnmarshalJSON(data) != nil {
		*f = figure{unreadable: true}
	}
	return nil
}

func (f figure) absent() bool { return f.Number == "" && !f.unreadable }

// unread gathers the names of figures that were there and make no sense. Their value is zero, as
// that of figures that were not there; the name in here tells the two apart.
type unread []string

// has reports whether a figure of that name could not be read.
func (u unread) has(name string) bool { return slices.Contains(u, name) }

// drop makes zero of a figure that is not clear, and names it.
func drop[T money.Amount | money.Coef](u *unread, unclear []string, name string, figure *T) {
	if slices.Contains(unclear, strings.ToLower(name)) {
		*figure = 0
		if !u.has(name) {
			*u = append(*u, name)
		}
	}
}

// coef reads a coefficient; less than one is no coefficient.
func (u *unread) coef(name string, f figure) money.Coef {
	if f.absent() {
		return 0
	}
	c, err := f.Coef()
	if err != nil || c < money.One {
		*u = append(*u, name)
		return 0
	}
	return c
}

// stake reads a sum that cannot be zero.
func (u *unread) stake(name string, f figure) money.Amount {
	a, told := u.amount(name, f)
	if told && a == 0 {
		*u = append(*u, name)
	}
	return a
}

// amount reads a sum, and tells whether there was one.
func (u *unread) amount(name string, f figure) (a money.Amount, told bool) {
	if f.absent() {
		return 0, false
	}
	a, err := f.Amount()
	if err != nil || a < 0 {
		*u = append(*u, name)
		return 0, false
	}
	return a, true
}

// integer is the figure as a whole number; 0 when absent or unreadable. It is for what is only
// shown.
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
