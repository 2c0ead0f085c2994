package bet

import (
	"errors"
	"fmt"
	"strings"

	"evens/money"
)

// ErrPointer says that a text is no bet pointer. Wrapped errors name the part and the reason.
var ErrPointer = errors.New("not a bet pointer")

// maxPointer is how many characters a pointer may have; BeT's own are about 35.
const maxPointer = 200

// Pointer is one selection as BeT spells it: live#187183313|17|9|0.5#1.02.
//
// Only [ParsePointer] makes one. The text goes to BeT exactly as it came; the fields are for
// checking and showing. Two pointers are equal (==) when their texts are.
type Pointer struct {
	// Live is true for a match being played ("live"), false for one to come ("line").
	Live bool
	// MatchID, Group and Outcome are BeT's numbers, digits only.
	MatchID, Group, Outcome string
	// Param is the line of a total or handicap ("0.5", "-4.5"); "0" or "" where there is none.
	Param string
	// Coef is the coefficient the player saw, at least 1.
	Coef money.Coef
	// PlayerID is the successor API's seventh part, "" without one.
	PlayerID string

	text string
}

// String is the pointer exactly as it was parsed.
func (p Pointer) String() string { return p.text }

// ParsePointer reads {live|line}#{match}|{group}|{outcome}|{param}#{coef}[#{player}].
//
// The seed separates with both # and |, its successor with # alone or any mixture (providers
// 5.3), so the two count as one separator. At most 200 printable ASCII characters. Errors are
// [ErrPointer] and name the part that is wrong.
func ParsePointer(s string) (Pointer, error) {
	if err := checkText(s); err != nil {
		return Pointer{}, err
	}
	parts := strings.Split(strings.ReplaceAll(s, "|", "#"), "#")
	if len(parts) != 6 && len(parts) != 7 {
		return Pointer{}, fmt.Errorf("%w: %d parts, want 6 or 7", ErrPointer, len(parts))
	}
	p := Pointer{
		Live:    parts[0] == "live",
		MatchID: parts[1],
		Group:   parts[2],
		Outcome: parts[3],
		Param:   parts[4],
		text:    s,
	}
	if !p.Live && parts[0] != "line" {
		return Pointer{}, fmt.Errorf("%w: kind %q, want live or line", ErrPointer, parts[0])
	}
	numbers := []struct{ part, text string }{{"match", p.MatchID}, {"group", p.Group}, {"outcome", p.Outcome}}
	if len(parts) == 7 {
		p.PlayerID = parts[6]
		numbers = append(numbers, struct{ part, text string }{"player", p.PlayerID})
	}
	for _, n := range numbers {
		if !digits(n.text) {
			return Pointer{}, fmt.Errorf("%w: %s %q, want digits", ErrPointer, n.part, n.text)
		}
	}
	if !decimal(p.Param) {
		return Pointer{}, fmt.Errorf("%w: param %q, want a decimal number", ErrPointer, p.Param)
	}
	coef, err := coefficient(parts[5])
	if err != nil {
		return Pointer{}, fmt.Errorf("%w: coefficient: %w", ErrPointer, err)
	}
	if coef < money.One {
		return Pointer{}, fmt.Errorf("%w: coefficient %s, want at least 1", ErrPointer, coef)
	}
	p.Coef = coef
	return p, nil
}

// checkText keeps what is not worth parsing out of error messages and requests.
func checkText(s string) error {
	if s == "" {
		return fmt.Errorf("%w: empty", ErrPointer)
	}
	if len(s) > maxPointer {
		return fmt.Errorf("%w: %d characters, at most %d", ErrPointer, len(s), maxPointer)
	}
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return fmt.Errorf("%w: character %d is not printable ASCII", ErrPointer, i+1)
		}
	}
	return nil
}

// digits reports whether s is one or more of 0–9.
func digits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

// floatDigits is from how many digits on a decimal is a float printed in full.
const floatDigits = 15

// coefficient reads a plain decimal with at most six decimals. Of a float printed in full
// (1.9500000000000002) the noise behind the sixth is rounded away.
func coefficient(s string) (money.Coef, error) {
	whole, fraction, _ := strings.Cut(s, ".")
	if len(whole)+len(fraction) < floatDigits || !digits(whole) || !digits(fraction) {
		return money.ParseCoef(s)
	}
	return money.Number(s).Coef()
}

// decimal reports whether s is a param: nothing at all, or digits with an optional sign and
// decimals ("0", "-4.5", "+1").
func decimal(s string) bool {
	if s == "" {
		return true
	}
	if s[0] == '-' || s[0] == '+' {
		s = s[1:]
	}
	whole, fraction, point := strings.Cut(s, ".")
	return digits(whole) && (!point || digits(fraction))
}
