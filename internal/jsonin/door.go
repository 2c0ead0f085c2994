package jsonin

import (
	"bytes"
	"reflect"
	"sync"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Door is one place where JSON comes in, and what is let pass there. The zero value lets pass a byte
// order mark only, as every door does.
type Door struct {
	// TrailingCommas lets pass commas before a closing bracket.
	TrailingCommas bool
}

// The walk has looked for doubles and for text already.
var walked = json.JoinOptions(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))

// Raw is a part of a body as it stands, to be read by a call of its own.
type Raw = jsontext.Value

// Unmarshal reads a body into a value, or answers an [*Error] and leaves the value in no known state.
//
// Members are matched by their exact names. A field of a struct may name other spellings that its
// sender is known to use, apart by blanks: `json:"Heads,case:ignore" spelt:"heads"`; two of them in one
// object are a member that stands twice. A field of type [Raw] is handed on as it stands,
// unchecked: it is read by a call of its own, so that one bad part does not spoil its neighbours.
func (d Door) Unmarshal(data []byte, into any) error {
	data = bytes.TrimPrefix(data, byteOrderMark)
	err := unmarshal(data, into)
	if err != nil && d.TrailingCommas {
		if clean, changed := withoutTrailingCommas(data); changed {
			return unmarshal(clean, into)
		}
	}
	return err
}

// Unmarshal reads a body at a door without leniencies.
func Unmarshal(data []byte, into any) error { return Door{}.Unmarshal(data, into) }

var byteOrderMark = []byte("\xef\xbb\xbf")

func unmarshal(data []byte, into any) error {
	if err := check(data, shapeOf(reflect.TypeOf(into).Elem())); err != nil {
		return err
	}
	if err := json.Unmarshal(data, into, walked); err != nil {
		return refuse(data, err)
	}
	return nil
}

// decoder is one that is used again.
type decoder struct {
	buffer bytes.Buffer
	jsontext.Decoder
}

var decoders = sync.Pool{New: func() any { return new(decoder) }}

// check walks over a body and answers what is wrong with its members' names and its text. The values
// of a shape that are handed on as they stand are skipped: the decoder then has to let them pass.
func check(data []byte, s *shape) error {
	loose := s != nil && s.defers
	d := decoders.Get().(*decoder)
	defer func() {
		d.buffer = bytes.Buffer{}
		d.Reset(&d.buffer) // nothing of the body is kept
		decoders.Put(d)
	}()
	d.buffer = *bytes.NewBuffer(data) // read where it stands
	if loose {
		d.Reset(&d.buffer, walked)
	} else {
		d.Reset(&d.buffer)
	}
	err := walk{&d.Decoder, loose}.value(s)
	if err == nil {
		return nil
	}
	return refuse(data, err)
}
