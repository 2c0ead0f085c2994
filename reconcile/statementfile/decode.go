package statementfile

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// decode returns a file's text as UTF-8, its byte order mark removed.
func decode(r *bufio.Reader, name string) (*bufio.Reader, error) {
	head, _ := r.Peek(4) // a short file has fewer
	said, err := charset(name)
	if err != nil {
		return nil, err
	}
	switch {
	case bytes.HasPrefix(head, []byte{0xef, 0xbb, 0xbf}):
		_, _ = r.Discard(3) // was peeked at
		return r, nil
	case bytes.HasPrefix(head, []byte{0xff, 0xfe}), bytes.HasPrefix(head, []byte{0xfe, 0xff}):
		utf16 := unicode.UTF16(unicode.LittleEndian, unicode.UseBOM)
		return bufio.NewReaderSize(transform.NewReader(r, utf16.NewDecoder()), readAhead), nil
	case said != nil:
		return bufio.NewReaderSize(transform.NewReader(r, said.NewDecoder()), readAhead), nil
	case bytes.IndexByte(head, 0) >= 0:
		return nil, errors.New("this looks like UTF-16 without its mark: a mapping's encoding says so (UTF-16LE, UTF-16BE)")
	}
	return r, nil
}

// checkText names what is no text in a field.
func checkText(field string) error {
	if !utf8.ValidString(field) {
		return errors.New("bytes that are not UTF-8: a mapping's encoding names the charset")
	}
	for _, r := range field {
		if r == utf8.RuneError {
			return errors.New("bytes that the charset does not have: is encoding the right one?")
		}
		if r == 0 {
			return errors.New("a zero byte")
		}
	}
	return nil
}

// longestLine bounds what a quote that is never closed, or a line that never ends, may swallow.
const longestLine = 64 << 10

// newlines ends lines as Unix does, whether they came with CR LF, LF or CR alone, and ends a file whose
// line never does.
type newlines struct {
	r    *bufio.Reader
	line int
	cr   bool
}

// Read implements io.Reader.
func (n *newlines) Read(p []byte) (int, error) {
	read, err := n.r.Read(p)
	out := 0
	for _, c := range p[:read] {
		if c == '\n' && n.cr {
			n.cr = false
			continue
		}
		n.cr = c == '\r'
		if n.cr {
			c = '\n'
		}
		if n.line++; c == '\n' {
			n.line = 0
		}
		if n.line > longestLine {
			return 0, fmt.Errorf("a line of more than %d bytes", longestLine)
		}
		p[out] = c
		out++
	}
	if out == 0 && read > 0 && err == nil {
		return n.Read(p) // a lone LF after its CR
	}
	return out, err
}

var _ io.Reader = (*newlines)(nil)
