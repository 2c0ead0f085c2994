package jsonin

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Word is a text, or a number as it was written: ids come as both.
type Word string

// UnmarshalJSON takes a text, a number or null ("").
func (w *Word) UnmarshalJSON(data []byte) error {
	switch c := data[0]; {
	case c == '"':
		*w = Word(unquote(nil, data))
	case c == '-' || '0' <= c && c <= '9':
		*w = Word(data)
	case c == 'n':
		*w = ""
	default:
		return errWord
	}
	return nil
}

var errWord = errors.New("is neither a text nor a number")

// withoutTrailingCommas takes out every comma that only space separates from a closing bracket,
// outside of texts, and tells whether there was one.
func withoutTrailingCommas(data []byte) (clean []byte, changed bool) {
	inText, escaped := false, false
	from := 0
	for i, b := range data {
		switch {
		case escaped:
			escaped = false
		case inText && b == '\\':
			escaped = true
		case b == '"':
			inText = !inText
		case b == ',' && !inText && closes(data[i+1:]):
			clean, from = append(clean, data[from:i]...), i+1
		}
	}
	if from == 0 {
		return data, false
	}
	return append(clean, data[from:]...), true
}

func closes(rest []byte) bool {
	rest = bytes.TrimLeft(rest, " \t\r\n")
	return len(rest) > 0 && (rest[0] == '}' || rest[0] == ']')
}

// ErrMoment says that a text is no point in time.
var ErrMoment = errors.New("is not a point in time")

// Above this, a time counts milliseconds: in seconds it would be the year 5138.
const firstMillisecond = 100_000_000_000

// moments are the layouts of ISO 8601 that are read; without a zone they are UTC.
var moments = []string{
	time.RFC3339Nano, "2006-01-02T15:04:05.999999999Z0700", "2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05.999999999Z07:00",
	"2006-01-02 15:04:05.999999999",
}

// Moment reads a time as BeT writes it: seconds or milliseconds of Unix, ISO 8601, or /Date(ms)/ with
// or without an offset, which says only how it was shown.
func Moment(text string) (time.Time, error) {
	if inner, is := strings.CutPrefix(strings.ReplaceAll(text, `\/`, "/"), "/Date("); is {
		inner, closed := strings.CutSuffix(inner, ")/")
		if cut := strings.LastIndexAny(inner, "+-"); cut > 0 {
			inner = inner[:cut]
		}
		milliseconds, err := strconv.ParseInt(inner, 10, 64)
		if !closed || err != nil {
			return time.Time{}, fmt.Errorf("%w: %.40q", ErrMoment, text)
		}
		return within(text, time.UnixMilli(milliseconds))
	}
	for _, layout := range moments {
		if at, err := time.Parse(layout, text); err == nil {
			return within(text, at)
		}
	}
	whole, fraction, _ := strings.Cut(text, ".")
	n, err := strconv.ParseInt(whole, 10, 64)
	if err != nil || strings.Trim(fraction, "0") != "" {
		return time.Time{}, fmt.Errorf("%w: %.40q", ErrMoment, text)
	}
	if n >= firstMillisecond {
		return within(text, time.UnixMilli(n))
	}
	return within(text, time.Unix(n, 0))
}

// within refuses what lies outside of 1970 to 5138: another unit was meant.
func within(text string, at time.Time) (time.Time, error) {
	if at.Unix() <= 0 || at.Unix() >= firstMillisecond {
		return time.Time{}, fmt.Errorf("%w: %.40q", ErrMoment, text)
	}
	return at.UTC(), nil
}
