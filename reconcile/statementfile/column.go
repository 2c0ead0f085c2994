package statementfile

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode"

	"go.yaml.in/yaml/v3"
)

// Column says where one of our columns stands in a file: under a name, or at a place ("#7"), and which
// part of its text is meant.
type Column struct {
	// Name of the file's column, or "#" and its number from 1.
	Name string
	// Match, where not nil, has one group, which is the value; a text that it does not match is an error.
	Match *regexp.Regexp
}

// UnmarshalYAML takes a name, or {column: …, match: …}.
func (c *Column) UnmarshalYAML(node *yaml.Node) error {
	if node.Kind == yaml.ScalarNode {
		c.Name = node.Value
		return nil
	}
	if node.Kind != yaml.MappingNode {
		return errors.New("is a name, a number (\"#7\") or {column: …, match: …}")
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, value := node.Content[i].Value, node.Content[i+1]
		switch key {
		case "column":
			c.Name = value.Value
		case "match":
			match, err := regexp.Compile(value.Value)
			if err != nil {
				return fmt.Errorf("match: %q: %w", value.Value, err)
			}
			if match.NumSubexp() == 0 {
				return fmt.Errorf("match: %q has no group ( ) that would be the value", value.Value)
			}
			c.Match = match
		default:
			return fmt.Errorf("there is no key %q, only column and match", key)
		}
	}
	if c.Name == "" {
		return errors.New("column is missing")
	}
	return nil
}

// MarshalYAML writes the shortest form.
func (c Column) MarshalYAML() (any, error) {
	if c.Match == nil {
		return c.Name, nil
	}
	return map[string]string{"column": c.Name, "match": c.Match.String()}, nil
}

// number is the place of a column that is named by it, from 0.
func (c Column) number() (int, bool, error) {
	digits, numbered := strings.CutPrefix(c.Name, "#")
	if !numbered {
		return 0, false, nil
	}
	n, err := strconv.Atoi(digits)
	if err != nil {
		return 0, false, nil // a name that begins so
	}
	if n < 1 {
		return 0, true, fmt.Errorf("%q: columns are counted from #1", c.Name)
	}
	return n - 1, true, nil
}

// value is the meant part of a field, its outer blanks removed.
func (c Column) value(field string) (string, error) {
	field = strings.TrimFunc(field, blank)
	if c.Match == nil {
		return field, nil
	}
	found := c.Match.FindStringSubmatch(field)
	if found == nil {
		return "", fmt.Errorf("%q does not match %s", shorten(field), c.Match)
	}
	return strings.TrimFunc(found[1], blank), nil
}

// blank are the spaces that programs put around fields.
func blank(r rune) bool { return unicode.IsSpace(r) || r == '\u00a0' || r == '\u202f' || r == '\ufeff' }

func shorten(text string) string {
	const most = 60
	runes := []rune(text)
	if len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return text
}
