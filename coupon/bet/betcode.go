package bet

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"evens/internal/jsonin"
)

// LongestCode is how many bytes a bet code may have, where it is given (the placement's answer)
// and where it comes back (BarCode). BeT's own have ten.
const LongestCode = 64

// What [CheckCode] refuses.
var (
	ErrCodeLong = errors.New("is longer than 64 bytes")
	ErrCodeText = errors.New("is not plain text")
)

// CheckCode says what is wrong with a bet code, where it is given as where it comes back: it is an id
// ([jsonin.ID]) of 1 to LongestCode bytes without spaces, replacement or unprintable characters.
func CheckCode(code string) error {
	if len(code) > LongestCode {
		return ErrCodeLong
	}
	if err := jsonin.ID(code, LongestCode); err != nil {
		return fmt.Errorf("%w: it %w", ErrCodeText, err)
	}
	for _, r := range code {
		if r == utf8.RuneError || unicode.IsSpace(r) || !unicode.IsGraphic(r) {
			return ErrCodeText
		}
	}
	return nil
}

// longestFound is how much of a code is kept that CheckCode refuses.
const longestFound = 200

// spelled matches a bet code in a body that is no readable JSON.
var spelled = regexp.MustCompile(`(?i)betcode["'\\]*\s*[:=]\s*["'\\]*([^\s"'\\,;:}\]<>&]{1,200})`)

// searchCode finds a bet code in a body that cannot be read: "" without one. A code on which the
// body ends may be half of one, and does not count. In a page, whose scripts may have a variable of
// that name, only what looks like BeT's own codes is one.
func searchCode(body []byte) string {
	for _, at := range spelled.FindAllSubmatchIndex(body, -1) {
		if at[3] == len(body) {
			break
		}
		code := told(text(strings.ToValidUTF8(string(body[at[2]:at[3]]), "\uFFFD")))
		if code != "" && (!isPage(body) || ofBeT.MatchString(code) && strings.ContainsAny(code, "0123456789")) {
			return code
		}
	}
	return ""
}

var ofBeT = regexp.MustCompile(`^[0-9a-z]{8,16}$`)

// isPage reports whether a body is HTML or XML.
func isPage(body []byte) bool {
	return bytes.HasPrefix(bytes.TrimLeft(body, "\ufeff \t\r\n"), []byte("<"))
}

// told is the code that BeT gives, "" where the field has one of the ways to say that there is
// none: nothing, null, a zero or a negative number.
func told(t text) string {
	code := string(t)
	if len(code) > longestFound {
		code = strings.ToValidUTF8(code[:longestFound], "")
	}
	number := strings.TrimPrefix(code, "-")
	switch {
	case strings.Trim(number, "0.") == "", number != code && digits(number), strings.EqualFold(code, "null"),
		strings.EqualFold(code, "undefined"), strings.EqualFold(code, "false"):
		return ""
	}
	return code
}
