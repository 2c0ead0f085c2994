package jsonin

import (
	"errors"
	"fmt"
	"unicode"
	"unicode/utf8"
)

// What may be wrong with an id. Each reads on after the name of a member.
var (
	ErrMissing    = errors.New("is missing")
	ErrTooLong    = errors.New("is too long")
	ErrCharacters = errors.New("has characters that are not allowed")
	ErrBlanks     = errors.New("begins or ends with a blank")
)

// ID says what is wrong with a text that names something: a transaction, a player, a round, a key. It
// has 1 to longest characters of Unicode, none of which controls, turns or hides text, and no blanks
// at its ends: two ids that look alike are one.
func ID(text string, longest int) error {
	switch {
	case text == "":
		return ErrMissing
	case !utf8.ValidString(text):
		return ErrCharacters
	case len(text) > longest && utf8.RuneCountInString(text) > longest:
		return fmt.Errorf("%w: more than %d characters", ErrTooLong, longest)
	}
	first, _ := utf8.DecodeRuneInString(text)
	last, _ := utf8.DecodeLastRuneInString(text)
	plain := true
	for _, r := range text {
		if r < ' ' || r >= 0x7f && (unicode.IsControl(r) || unseen(r)) {
			return ErrCharacters
		}
		plain = plain && r > ' ' && r < 0x7f
	}
	if !plain && (blank(first) || blank(last)) {
		return ErrBlanks
	}
	return nil
}

// Text says what is wrong with a text that people read: a name, a method, a comment. It may be empty. Nothing in it
// ends a line, or turns what stands beside it.
func Text(text string, longest int) error {
	switch {
	case !utf8.ValidString(text):
		return ErrCharacters
	case len(text) > longest && utf8.RuneCountInString(text) > longest:
		return fmt.Errorf("%w: more than %d characters", ErrTooLong, longest)
	}
	for _, r := range text {
		if unicode.IsControl(r) || turns(r) || unicode.In(r, unicode.Zl, unicode.Zp) {
			return ErrCharacters
		}
	}
	return nil
}

// turns reports whether a character has the text after it read the other way, whatever script it is. The marks of
// direction that names in Arabic and Hebrew have do not.
func turns(r rune) bool {
	return r >= '\u202a' && r <= '\u202e' || r >= '\u2066' && r <= '\u2069'
}

// unseen reports whether a character turns text or does not show: bidi and zero-width characters,
// fillers, variation selectors, separators of lines.
func unseen(r rune) bool {
	if r < 0x80 {
		return unicode.IsControl(r)
	}
	return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Noncharacter_Code_Point,
		unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}

func blank(r rune) bool { return unicode.IsSpace(r) }

// simple is the smallest of the characters that differ in case only, in small letters where it has them.
func simple(r rune) rune {
	least := r
	for other := unicode.SimpleFold(r); other != r; other = unicode.SimpleFold(other) {
		least = min(least, other)
	}
	return unicode.ToLower(least)
}
