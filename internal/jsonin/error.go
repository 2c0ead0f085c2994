package jsonin

import (
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Why a body is refused. Each reads on after the name of a member, or after "the body".
var (
	ErrSyntax   = errors.New("is not JSON")
	ErrText     = errors.New("is not Unicode text")
	ErrTwice    = errors.New("stands twice")
	ErrSpelling = errors.New("is spelt in other letters than the document's")
	ErrType     = errors.New("is of another type")
)

// Error is a refused body: one of the errors above, where, and what the decoder said.
type Error struct {
	Reason error
	// Member is the path of the member that is wrong, as the document spells it ("heads.3.amount");
	// "" for the whole body. A name that the document does not have shows as far as it is printable.
	Member string
	// Offset is the byte at which it was found, where that is known.
	Offset int64
	cause  error
}

// Error implements error.
func (e *Error) Error() string {
	if e.Member == "" {
		return "the body " + e.Reason.Error()
	}
	return e.Member + " " + e.Reason.Error()
}

// Unwrap returns the reason and what stands behind it: errors of the values' own UnmarshalJSON.
func (e *Error) Unwrap() []error {
	if e.cause == nil {
		return []error{e.Reason}
	}
	return []error{e.Reason, e.cause}
}

// refuse turns an error of the decoder into ours.
func refuse(data []byte, err error) error {
	if ours, ok := errors.AsType[*Error](err); ok {
		return ours
	}
	if syntax, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
		refused := &Error{Reason: ErrSyntax, Member: path(syntax.JSONPointer), Offset: syntax.ByteOffset, cause: err}
		switch {
		case errors.Is(err, jsontext.ErrDuplicateName):
			refused.Reason = ErrTwice
		case jsontext.Value(data).IsValid(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)):
			refused.Reason = ErrText // all else is in order
		default:
			refused.Member = "" // where a parser stumbles says little about what is wrong
		}
		return refused
	}
	if meaning, ok := errors.AsType[*json.SemanticError](err); ok {
		return &Error{Reason: ErrType, Member: path(meaning.JSONPointer), Offset: meaning.ByteOffset, cause: err}
	}
	return &Error{Reason: ErrSyntax, cause: err}
}

// longestPath bounds what is shown of a member's path, in bytes.
const longestPath = 100

// path writes a JSON pointer with dots.
func path(pointer jsontext.Pointer) string {
	var names []string
	for name := range pointer.Tokens() {
		names = append(names, printable(name))
	}
	text := strings.Join(names, ".")
	if len(text) > longestPath {
		cut := longestPath
		for cut > 0 && !utf8.RuneStart(text[cut]) {
			cut--
		}
		text = text[:cut] + "…"
	}
	return text
}

// printable leaves out of a name what would not show.
func printable(name string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) || r == utf8.RuneError {
			return '?'
		}
		return r
	}, name)
}
