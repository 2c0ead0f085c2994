package api

import (
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"evens/internal/jsonin"
	"evens/internal/problem"
)

// readable refuses what huma would overlook: a body of another kind, and parameters that it would read
// as if they were not there. The query is written anew as it was understood.
func readable(r *http.Request, op *huma.Operation) *Problem {
	if op.RequestBody != nil && r.Body != nil && r.Body != http.NoBody {
		if jsonin.Media(r.Header.Get("Content-Type")) != nil {
			return newProblem(CodeUnsupportedMediaType, "the body must be application/json, in UTF-8")
		}
		r.Header.Set("Content-Type", mediaJSON)
	}
	if r.URL.RawQuery == "" {
		return nil
	}
	query, faults := readQuery(r.URL.RawQuery, op)
	if len(faults) > 0 {
		return newProblem(CodeValidationFailed, describe(faults), faults...)
	}
	r.URL.RawQuery = query.Encode()
	return nil
}

// longestParameter is the longest name of an unknown parameter that is shown.
const longestParameter = 64

// readQuery reads parameters: each is one of the operation's, stands once where it is not a list, and
// says something. A percent sign that begins no escape, and a semicolon, stand for themselves.
func readQuery(raw string, op *huma.Operation) (url.Values, []problem.Field) {
	query := make(url.Values)
	var faults []problem.Field
	fault := func(name, message string) {
		faults = append(faults, problem.Field{Location: "query." + name, Message: message})
	}
	for pair := range strings.SplitSeq(raw, "&") {
		if pair == "" {
			continue
		}
		name, value, _ := strings.Cut(pair, "=")
		name, value = unescape(name), unescape(value)
		parameter := parameterOf(op, name)
		switch {
		case parameter == nil:
			if jsonin.ID(name, longestParameter) != nil {
				name = "?"
			}
			fault(name, "is unknown here")
		case !utf8.ValidString(value):
			fault(name, "has characters that are not allowed")
		case value == "" && name != "cursor":
			fault(name, "is empty")
		case query.Has(name) && (parameter.Explode == nil || !*parameter.Explode):
			fault(name, "stands twice")
		default:
			query.Add(name, value)
		}
	}
	return query, faults
}

func parameterOf(op *huma.Operation, name string) *huma.Param {
	for _, parameter := range op.Parameters {
		if parameter.In == "query" && parameter.Name == name {
			return parameter
		}
	}
	return nil
}

// unescape is url.QueryUnescape for which a percent sign that begins no escape is itself.
func unescape(text string) string {
	if !strings.ContainsAny(text, "%+") {
		return text
	}
	plain := make([]byte, 0, len(text))
	for i := 0; i < len(text); i++ {
		switch {
		case text[i] == '+':
			plain = append(plain, ' ')
		case text[i] == '%' && i+2 < len(text) && isHex(text[i+1]) && isHex(text[i+2]):
			plain = append(plain, fromHex(text[i+1])<<4|fromHex(text[i+2]))
			i += 2
		default:
			plain = append(plain, text[i])
		}
	}
	return string(plain)
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

func fromHex(c byte) byte {
	switch {
	case c <= '9':
		return c - '0'
	case c >= 'a':
		return c - 'a' + 10
	default:
		return c - 'A' + 10
	}
}
