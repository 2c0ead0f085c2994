package jsonin

import (
	"bytes"
	"compress/gzip"
	"errors"
	"strings"
	"testing"
)

// A text that people read may have marks of direction, as names do, and nothing that turns or breaks what stands beside.
func TestTextTurnsNothing(t *testing.T) {
	t.Parallel()
	for text, ok := range map[string]bool{
		"": true, "Ana Müller": true, "أحمد\u200f (x)": true, "👩‍🚀": true, "a\u202eb": false, "a\u2066b": false, "a\u2028b": false, "a\u2029b": false, "a\u0085b": false, "a\x00b": false,
	} {
		if err := Text(text, 20); (err == nil) != ok {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestUnpackBounds(t *testing.T) {
	t.Parallel()
	pack := func(text string) []byte {
		var packed bytes.Buffer
		w := gzip.NewWriter(&packed)
		_, _ = w.Write([]byte(text))
		_ = w.Close()
		return packed.Bytes()
	}
	const largest = 1000
	whole := strings.Repeat("x", largest)
	if plain, err := Unpack(pack(whole), "gzip", largest); err != nil || string(plain) != whole {
		t.Errorf("as much as may be: %d bytes, %v", len(plain), err)
	}
	for name, bad := range map[string]struct {
		body []byte
		want error
	}{
		"one byte more": {pack(whole + "x"), ErrTooLarge}, "two members, too large together": {append(pack(whole), pack("x")...), ErrTooLarge},
		"cut off": {pack(whole)[:20], ErrPacked}, "not packed": {[]byte("{}"), ErrPacked}, "a wrong length at its end": {append(pack(whole)[:len(pack(whole))-1], 9), ErrPacked},
	} {
		if plain, err := Unpack(bad.body, "gzip", largest); !errors.Is(err, bad.want) || plain != nil {
			t.Errorf("%s: %d bytes, %v", name, len(plain), err)
		}
	}
}
