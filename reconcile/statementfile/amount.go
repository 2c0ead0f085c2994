package statementfile

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"evens/money"
)

var roundedBySpreadsheet = regexp.MustCompile(`^\d+([.,]\d+)?[eE]\+?\d+$`)

// amounts reads the amounts of one file.
type amounts struct {
	decimal   string // "" is a point, and nobody said so
	thousands string
	minor     bool
}

// read returns the magnitude of an amount, and whether a sign says that it is below zero. A minus may
// stand before or behind it, or be brackets. What could be read in two ways is refused.
func (a amounts) read(text string, currency money.Currency) (magnitude money.Amount, negative bool, err error) {
	number, negative := unsigned(text)
	decimal := a.decimal
	if decimal == "" {
		decimal = "."
	}
	whole, fraction, point := strings.Cut(number, decimal)
	if a.thousands != "" {
		if whole, err = ungroup(whole, a.thousands); err != nil {
			return 0, false, fmt.Errorf("%q: %w", shorten(text), err)
		}
	}
	switch {
	case number == "":
		return 0, false, errors.New("is empty")
	case !digits(whole) || whole == "" || point && (fraction == "" || !digits(fraction)):
		return 0, false, fmt.Errorf("%q is no amount with %s", shorten(text), a.said())
	case a.minor && point:
		return 0, false, fmt.Errorf("%q has decimals, but is in minor units", shorten(text))
	case a.minor:
		units, err := money.Parse(whole)
		if err != nil {
			return 0, false, fmt.Errorf("%q: %w", shorten(text), err)
		}
		magnitude, err = units.MulDiv(int64(currency.MinorUnit()), money.Scale, 1)
		return magnitude, negative, err
	case a.decimal == "" && doubtful(fraction, currency):
		return 0, false, fmt.Errorf("%q has more decimals than %s: a mapping's decimal or thousands says what its point is", shorten(text), currency)
	}
	if point {
		whole += "." + fraction
	}
	if magnitude, err = money.Parse(whole); err != nil {
		return 0, false, fmt.Errorf("%q: %w", shorten(text), err)
	}
	return magnitude, negative, nil
}

// said describes the characters that an amount may have.
func (a amounts) said() string {
	text := "a decimal point"
	if a.decimal != "" && a.decimal != "." {
		text = fmt.Sprintf("decimal %q", a.decimal)
	}
	if a.thousands != "" {
		return text + fmt.Sprintf(" and thousands %q", a.thousands)
	}
	return text + " and nothing between thousands"
}

// doubtful reports whether decimals say more than the currency has: three that may be thousands, or some
// that are not zero.
func doubtful(fraction string, currency money.Currency) bool {
	digits := 4
	for unit := currency.MinorUnit(); unit > 1; unit /= 10 {
		digits--
	}
	if len(fraction) <= digits {
		return false
	}
	return len(fraction) == 3 || strings.Trim(fraction[digits:], "0") != ""
}

// unsigned takes the sign of a number away.
func unsigned(text string) (number string, negative bool) {
	text = strings.TrimFunc(text, blank)
	if inner, found := strings.CutPrefix(text, "("); found && strings.HasSuffix(inner, ")") {
		return strings.TrimFunc(strings.TrimSuffix(inner, ")"), blank), true
	}
	for _, minus := range []string{"-", "\u2212"} {
		if rest, found := strings.CutPrefix(text, minus); found {
			return strings.TrimFunc(rest, blank), true
		}
		if rest, found := strings.CutSuffix(text, minus); found {
			return strings.TrimFunc(rest, blank), true
		}
	}
	return strings.TrimFunc(strings.TrimPrefix(text, "+"), blank), false
}

// ungroup takes the marks between thousands away, where they stand between groups of three (or, as in
// India, of two before the last three).
func ungroup(whole, mark string) (string, error) {
	groups := strings.Split(whole, mark)
	if len(groups) == 1 {
		return whole, nil
	}
	for i, group := range groups {
		last := i == len(groups)-1
		switch {
		case i == 0 && (group == "" || len(group) > 3), last && len(group) != 3, i > 0 && !last && len(group) != 3 && len(group) != 2:
			return "", fmt.Errorf("%q does not stand between thousands", mark)
		}
	}
	return strings.Join(groups, ""), nil
}

func digits(text string) bool { return strings.Trim(text, "0123456789") == "" }

// nothing reports whether a debit or credit column says that it is not meant.
func nothing(text string) bool {
	text = strings.TrimFunc(text, blank)
	return text == "" || text == "-" || text == "--"
}
