package jsonin

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"golang.org/x/text/unicode/norm"
)

// shape is what is known of a Go type's JSON: the names of its members, as deep as structs go.
type shape struct {
	members map[string]*member // by every spelling that is let pass; nil where it is no struct
	folded  map[string]string  // the documented name by what is left of it when letters do not count
	count   int
	element *shape // of a slice, an array or a map; nil where nothing is known
	raw     bool   // handed on as it stands
	defers  bool   // it, or something in it, is handed on as it stands
}

type member struct {
	index int
	name  string
	shape *shape
}

var shapes sync.Map // reflect.Type → *shape

func shapeOf(t reflect.Type) *shape {
	if known, ok := shapes.Load(t); ok {
		return known.(*shape)
	}
	s := describe(t, nil)
	shapes.Store(t, s)
	return s
}

var (
	rawType       = reflect.TypeFor[jsontext.Value]()
	unmarshalers  = []reflect.Type{reflect.TypeFor[json.Unmarshaler](), reflect.TypeFor[json.UnmarshalerFrom]()}
	textInterface = reflect.TypeFor[interface{ UnmarshalText([]byte) error }]()
)

// describe makes a type's shape. Types that read themselves, and those that contain themselves, are
// leaves.
func describe(t reflect.Type, above []reflect.Type) *shape {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	s := &shape{}
	if t == rawType {
		s.raw, s.defers = true, true
		return s
	}
	pointer := reflect.PointerTo(t)
	for _, reads := range append(unmarshalers, textInterface) {
		if pointer.Implements(reads) {
			return s
		}
	}
	for _, outer := range above {
		if outer == t {
			return s
		}
	}
	above = append(above[:len(above):len(above)], t)
	switch t.Kind() {
	case reflect.Slice, reflect.Array, reflect.Map:
		s.element = describe(t.Elem(), above)
		s.defers = s.element.defers
	case reflect.Struct:
		s.members, s.folded = make(map[string]*member), make(map[string]string)
		s.add(t, above)
	default: // a plain value
	}
	return s
}

// add adds a struct's members, those of embedded structs among them.
func (s *shape) add(t reflect.Type, above []reflect.Type) {
	for i := range t.NumField() {
		field := t.Field(i)
		name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
		if field.Anonymous && name == "" && field.Type.Kind() == reflect.Struct {
			s.add(field.Type, above)
			continue
		}
		if !field.IsExported() || name == "-" {
			continue
		}
		if name == "" {
			name = field.Name
		}
		m := &member{index: s.count, name: name, shape: describe(field.Type, above)}
		s.count++
		s.defers = s.defers || m.shape.defers
		s.members[name], s.folded[fold(name)] = m, name
		spelt := strings.Fields(field.Tag.Get("spelt"))
		if (len(spelt) > 0) != strings.Contains(options, "case:ignore") {
			panic(fmt.Sprintf("jsonin: %s.%s: spelt and case:ignore go together", t, field.Name))
		}
		for _, other := range spelt {
			s.members[other] = m
		}
	}
}

// mattersInside reports whether there is anything to look for below.
func (s *shape) mattersInside() bool {
	return s.members != nil || s.defers || s.element != nil && s.element.mattersInside()
}

// walk is one way over a body. Where its decoder lets doubles and broken text pass, for the sake of the
// parts that are handed on as they stand, it checks the other parts itself.
type walk struct {
	*jsontext.Decoder
	loose bool
}

// value reads one value. A nil shape checks it as any JSON.
func (w walk) value(s *shape) error {
	switch kind := w.PeekKind(); {
	case s == nil:
	case s.raw:
		return w.SkipValue()
	case kind == '{' && s.members != nil:
		return w.members(s)
	case (kind == '{' || kind == '[') && s.element != nil && s.element.mattersInside():
		return w.elements(s.element, kind == '{')
	}
	if !w.loose {
		return w.SkipValue()
	}
	text, err := w.ReadValue()
	if err == nil && !text.IsValid() {
		var refused *Error
		if !errors.As(check(text, nil), &refused) {
			return err
		}
		if at := path(w.StackPointer()); refused.Member != "" {
			refused.Member = at + "." + refused.Member
		} else {
			refused.Member = at
		}
		return refused
	}
	return err
}

func (w walk) elements(s *shape, named bool) error {
	if _, err := w.ReadToken(); err != nil {
		return err
	}
	for kind := w.PeekKind(); kind != ']' && kind != '}'; kind = w.PeekKind() {
		if named {
			if err := w.SkipValue(); err != nil {
				return err
			}
		}
		if err := w.value(s); err != nil {
			return err
		}
	}
	_, err := w.ReadToken()
	return err
}

func (w walk) members(s *shape) error {
	if _, err := w.ReadToken(); err != nil {
		return err
	}
	var few [32]bool
	seen := few[:]
	if s.count > len(few) {
		seen = make([]bool, s.count)
	}
	for w.PeekKind() != '}' {
		quoted, err := w.ReadValue()
		if err != nil {
			return err
		}
		var spare [64]byte
		name := unquote(spare[:0], quoted)
		m := s.members[string(name)]
		if m == nil {
			if known, is := s.folded[fold(string(name))]; is {
				return w.refuse(ErrSpelling, known)
			}
			if err := w.value(nil); err != nil {
				return err
			}
			continue
		}
		if seen[m.index] {
			return w.refuse(ErrTwice, m.name)
		}
		seen[m.index] = true
		if err := w.value(m.shape); err != nil {
			return err
		}
	}
	_, err := w.ReadToken()
	return err
}

// refuse names a member of the object that is being read.
func (w walk) refuse(reason error, name string) error {
	return &Error{Reason: reason, Member: path(w.StackPointer().Parent().AppendToken(name)), Offset: w.InputOffset()}
}

// unquote is the name in its quotes: itself where nothing is escaped.
func unquote(spare []byte, quoted jsontext.Value) []byte {
	if len(quoted) < 2 || quoted[0] != '"' {
		return quoted // the decoder refuses it with the value that follows
	}
	if bytes.IndexByte(quoted, '\\') < 0 {
		return quoted[1 : len(quoted)-1]
	}
	plain, _ := jsontext.AppendUnquote(spare, quoted) // the decoder has let it pass
	return plain
}

// fold is what is left of a name when case, width, underscores, dashes and what does not show are not
// counted: what a reader that repairs names might take for another.
func fold(name string) string {
	folded := make([]byte, 0, 64)
	for i := range len(name) {
		switch c := name[i]; {
		case c >= 0x80:
			return foldUnicode(name)
		case c == '_' || c == '-' || c <= ' ' || c == 0x7f:
		case 'A' <= c && c <= 'Z':
			folded = append(folded, c+'a'-'A')
		default:
			folded = append(folded, c)
		}
	}
	return string(folded)
}

func foldUnicode(name string) string {
	var folded strings.Builder
	for _, r := range norm.NFKC.String(name) {
		if r == '_' || r == '-' || unseen(r) || blank(r) {
			continue
		}
		folded.WriteRune(simple(r))
	}
	return folded.String()
}
