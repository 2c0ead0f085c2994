package bet

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

const (
	// maxStarts is how many braces are tried as the beginning of the answer.
	maxStarts = 100
	// maxRead is how many times its length a body is read for that.
	maxRead = 4
	// maxDepth bounds nesting, maxMembers an object; BeT's answers have four levels and some thirty
	// members.
	maxDepth   = 64
	maxMembers = 200
)

var (
	errNoObject = errors.New("no JSON object in the answer")
	errCut      = errors.New("the object ends too early")
	errDepth    = errors.New("nested too deeply")
	errMembers  = errors.New("an object with too many members")
)

// object is a JSON object of an answer, rewritten so that encoding/json reads it.
type object struct {
	json []byte
	// unclear are the members that came twice in one object, or in letters that are not BeT's where
	// that counts, themselves in small letters: what holds, nobody can say.
	unclear []string
}

// spellings are the letters that BeT is known to use for members that decide about money, by their
// names in small letters.
type spellings map[string][]string

var (
	answerSpellings = spellings{
		"betcode": {"betCode", "BetCode"}, "coef": {"Coef"}, "coeforig": {"CoefOrig"}, "bet": {"Bet"}, "poswin": {"PosWin"},
		"amountout": {"AmountOut"},
	}
	headSpellings = spellings{
		"keyhead": {"KeyHead"}, "barcode": {"BarCode"}, "betcode": {"betCode", "BetCode"}, "status": {"Status"}, "extstatus": {"ExtStatus"},
		"amountout": {"AmountOut"}, "daterecive": {"DateRecive"}, "coef": {"Coef"}, "coeforig": {"CoefOrig"}, "bet": {"Bet"},
	}
)

// allows reports whether a name is spelt as BeT spells it, or is none that counts.
func (s spellings) allows(name []byte) bool {
	if len(s) == 0 {
		return true
	}
	known, counts := s[fold(name)]
	return !counts || slices.Contains(known, string(name))
}

// decode reads the first JSON object of a body that has one of the known members (in small
// letters) into v, and answers which members are unclear: they came twice, or in other letters than
// they are spelt. See [mender] for what is read over. A value of another type than v's counts as absent.
func decode(body []byte, v any, spelt spellings, known ...string) (unclear []string, err error) {
	found, err := findObject(body, spelt, known)
	if err != nil {
		return nil, err
	}
	err = json.Unmarshal(found.json, v)
	if _, mistyped := errors.AsType[*json.UnmarshalTypeError](err); mistyped {
		err = nil // encoding/json has read everything else
	}
	return found.unclear, err
}

// findObject looks for the answer among whatever else the body has. A brace in junk before it
// begins no object, or one without a known member. An object with a known member that breaks off
// is the answer, broken: what is nested in it must not be taken for an answer of its own.
func findObject(body []byte, spelt spellings, known []string) (object, error) {
	rest, first := body, error(errNoObject)
	for starts, left := 0, maxRead*len(body); starts < maxStarts && left > 0; starts++ {
		start := bytes.IndexByte(rest, '{')
		if start < 0 {
			break
		}
		m := mender{in: rest[start:], known: known, spelt: spelt, out: make([]byte, 0, min(len(rest)-start+16, 8<<10))}
		err := m.object(1)
		left -= m.at
		if err == nil && m.recognised {
			return object{json: m.out, unclear: m.unclear}, nil
		}
		if err != nil && m.recognised {
			return object{}, err
		}
		if err != nil {
			if errors.Is(first, errNoObject) {
				first = err
			}
			rest = rest[start+1:]
			continue
		}
		rest = rest[start+m.at:]
	}
	return object{}, first
}

// mender copies one JSON object and puts right on the way what BeT, or whatever stands between,
// is known to spoil. None of it changes a document that is JSON already.
//
//	in the body                             | becomes
//	raw control characters in a text        | escaped ones
//	\' and other escapes that JSON lacks    | the character without the backslash
//	a quotation mark within a text          | an escaped one, where the text clearly goes on
//	NaN, undefined, 1.8.5, 007, +1          | a text, which no figure reads as a number
//	commas too many or, between members, missing | as JSON has them
type mender struct {
	in         []byte
	at         int
	out        []byte
	known      []string
	recognised bool
	spelt      spellings
	unclear    []string
}

func (m *mender) space() {
	for m.at < len(m.in) && isSpace(m.in[m.at]) {
		m.at++
	}
}

func isSpace(b byte) bool { return b == ' ' || b == '\t' || b == '\r' || b == '\n' }

// peek is the next byte that is no space, 0 at the end.
func (m *mender) peek() byte {
	m.space()
	if m.at == len(m.in) {
		return 0
	}
	return m.in[m.at]
}

// commas skips them, and space.
func (m *mender) commas() {
	for m.peek() == ',' {
		m.at++
	}
}

// object copies an object; m.in[m.at] is its brace.
func (m *mender) object(depth int) error {
	if depth > maxDepth {
		return errDepth
	}
	m.at++
	m.out = append(m.out, '{')
	var few [32][]byte
	seen := few[:0]
	for m.commas(); m.peek() != '}'; m.commas() {
		if len(seen) > 0 {
			m.out = append(m.out, ',')
		}
		name, err := m.member()
		if err != nil {
			return err
		}
		if slices.ContainsFunc(seen, func(other []byte) bool { return bytes.EqualFold(name, other) }) || !m.spelt.allows(name) {
			m.unclear = append(m.unclear, fold(name))
		}
		if seen = append(seen, name); len(seen) > maxMembers {
			return errMembers
		}
		m.recognised = m.recognised || depth == 1 && slices.ContainsFunc(m.known, func(known string) bool {
			return bytes.EqualFold(name, []byte(known))
		})
		if err := m.value(depth, true); err != nil {
			return err
		}
	}
	m.at++
	m.out = append(m.out, '}')
	return nil
}

// member copies a member's name and the colon, and returns the name.
func (m *mender) member() ([]byte, error) {
	switch m.peek() {
	case '"':
	case 0:
		return nil, errCut
	default:
		return nil, fmt.Errorf("a member's name is missing at byte %d of the object", m.at)
	}
	begin := len(m.out)
	if err := m.text(func(rest []byte) bool { return bytes.HasPrefix(rest, []byte(":")) }); err != nil {
		return nil, err
	}
	name := m.out[begin+1 : len(m.out)-1]
	if bytes.IndexByte(name, '\\') >= 0 {
		var plain string
		if err := json.Unmarshal(m.out[begin:], &plain); err != nil {
			return nil, err
		}
		name = []byte(plain)
	}
	if m.peek() != ':' {
		return nil, errCut
	}
	m.at++
	m.out = append(m.out, ':')
	return name, nil
}

// fold writes a name as encoding/json compares it, which takes ſ for s and the Kelvin sign for k.
func fold(name []byte) string {
	return strings.ReplaceAll(strings.ToLower(string(name)), "ſ", "s")
}

func (m *mender) value(depth int, member bool) error {
	switch m.peek() {
	case 0:
		return errCut
	case '{':
		return m.object(depth + 1)
	case '[':
		return m.list(depth + 1)
	case '"':
		if member {
			return m.text(endsMember)
		}
		return m.text(endsElement)
	default:
		return m.word()
	}
}

func (m *mender) list(depth int) error {
	if depth > maxDepth {
		return errDepth
	}
	m.at++
	m.out = append(m.out, '[')
	for n := 0; ; n++ {
		m.commas()
		if m.peek() == ']' {
			break
		}
		if n > 0 {
			m.out = append(m.out, ',')
		}
		if err := m.value(depth, false); err != nil {
			return err
		}
	}
	m.at++
	m.out = append(m.out, ']')
	return nil
}

// word copies a number, true, false or null, and anything else as a text.
func (m *mender) word() error {
	begin := m.at
	for m.at < len(m.in) && !isSpace(m.in[m.at]) && bytes.IndexByte([]byte(`,:"{}[]`), m.in[m.at]) < 0 {
		m.at++
	}
	word := m.in[begin:m.at]
	switch {
	case len(word) == 0:
		return fmt.Errorf("a value is missing at byte %d of the object", begin)
	case m.at == len(m.in):
		return errCut
	case json.Valid(word):
		m.out = append(m.out, word...)
		return nil
	}
	quoted, err := json.Marshal(string(word))
	m.out = append(m.out, quoted...)
	return err
}

// text copies a text. ends tells from what follows a quotation mark, after space, whether it is
// the last.
func (m *mender) text(ends func(rest []byte) bool) error {
	m.at++
	m.out = append(m.out, '"')
	for m.at < len(m.in) {
		c := m.in[m.at]
		m.at++
		switch {
		case c == '"' && ends(bytes.TrimLeft(m.in[m.at:], " \t\r\n")):
			m.out = append(m.out, '"')
			return nil
		case c == '"':
			m.out = append(m.out, `\"`...)
		case c == '\\':
			m.escape()
		case c < ' ':
			m.out = fmt.Appendf(m.out, `\u%04x`, c)
		default:
			m.out = append(m.out, c)
		}
	}
	return errCut
}

// escape copies what follows a backslash: with it where JSON knows the escape, else without.
func (m *mender) escape() {
	rest := m.in[m.at:]
	switch {
	case len(rest) == 0:
	case bytes.IndexByte([]byte(`"\/bfnrt`), rest[0]) >= 0:
		m.out = append(m.out, '\\', rest[0])
		m.at++
	case rest[0] == 'u' && len(rest) > 4 && len(bytes.Trim(rest[1:5], "0123456789abcdefABCDEF")) == 0:
		m.out = append(append(m.out, '\\'), rest[:5]...)
		m.at += 5
	}
}

// endsMember reports whether a quotation mark with rest behind it ends a member's text: the
// object ends there, or another member begins.
func endsMember(rest []byte) bool {
	if len(rest) == 0 || rest[0] == '}' {
		return true
	}
	rest = bytes.TrimLeft(rest, ", \t\r\n")
	return len(rest) == 0 || rest[0] == '}' || beginsMember(rest)
}

// beginsMember reports whether rest begins with a text and a colon.
func beginsMember(rest []byte) bool {
	if rest[0] != '"' {
		return false
	}
	for i := 1; i < len(rest); i++ {
		switch rest[i] {
		case '\\':
			i++
		case '"':
			return bytes.HasPrefix(bytes.TrimLeft(rest[i+1:], " \t\r\n"), []byte(":"))
		}
	}
	return false
}

// endsElement is endsMember for a list.
func endsElement(rest []byte) bool {
	return len(rest) == 0 || rest[0] == ',' || rest[0] == ']'
}
