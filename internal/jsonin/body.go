package jsonin

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"mime"
	"strings"
)

// ErrMedia says that a Content-Type is not what a door takes.
var ErrMedia = errors.New("the body must be application/json in UTF-8")

// Media checks the Content-Type of a request that must be JSON: application/json in any letters, a
// charset of UTF-8 or none. Nothing said is taken for JSON.
func Media(contentType string) error {
	if contentType == "" {
		return nil
	}
	kind, _, err := mime.ParseMediaType(contentType)
	if err != nil || kind != "application/json" {
		return fmt.Errorf("%w: it is %.80q", ErrMedia, contentType)
	}
	return Charset(contentType)
}

// Charset checks only that a Content-Type names no other encoding of text than UTF-8: some senders
// give their JSON other types.
func Charset(contentType string) error {
	_, parameters, err := mime.ParseMediaType(contentType)
	if charset := parameters["charset"]; err == nil && charset != "" && !strings.EqualFold(charset, "utf-8") && !strings.EqualFold(charset, "utf8") {
		return fmt.Errorf("%w: its charset is %.40q", ErrMedia, charset)
	}
	return nil
}

// Refusals of packed bodies.
var (
	ErrPacked   = errors.New("is packed in a way that cannot be read")
	ErrTooLarge = errors.New("is too large")
)

// ReadAll reads to the end. expected is how much is likely to come, below zero where nobody knows: room for it is
// made once, where growing would leave several times as much behind.
func ReadAll(r io.Reader, expected int64) ([]byte, error) {
	var all bytes.Buffer
	all.Grow(int(max(expected, 0)) + bytes.MinRead)
	_, err := all.ReadFrom(r)
	return all.Bytes(), err
}

// Unpack reads a body that came with a Content-Encoding: none, or gzip. What unpacks to more than
// largest bytes is ErrTooLarge, any other encoding and a broken packing ErrPacked.
func Unpack(body []byte, encoding string, largest int64) ([]byte, error) {
	switch strings.ToLower(strings.TrimSpace(encoding)) {
	case "", "identity":
		return body, nil
	case "gzip", "x-gzip":
	default:
		return nil, fmt.Errorf("%w: %.40q", ErrPacked, encoding)
	}
	// Once to see how much it is, so that what is too large takes no memory, and once to have it.
	size, err := unpack(io.Discard, body, largest)
	if err != nil {
		return nil, err
	}
	var plain bytes.Buffer
	plain.Grow(int(size) + bytes.MinRead)
	_, err = unpack(&plain, body, largest)
	return plain.Bytes(), err
}

func unpack(to io.Writer, body []byte, largest int64) (size int64, err error) {
	packed, err := gzip.NewReader(bytes.NewReader(body))
	if err == nil {
		size, err = io.Copy(to, io.LimitReader(packed, largest+1))
	}
	switch {
	case err != nil:
		return 0, fmt.Errorf("%w: %w", ErrPacked, err)
	case size > largest:
		return 0, ErrTooLarge
	}
	return size, nil
}
