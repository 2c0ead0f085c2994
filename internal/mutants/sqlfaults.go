package main

import (
	"regexp"
	"strings"
)

// isSQL reports whether a text is a statement or a part of one.
func isSQL(text string) bool {
	return sqlStart.MatchString(text) || sqlPart.MatchString(text)
}

var (
	sqlStart = regexp.MustCompile(`^\s*(--[^\n]*\n\s*)*(SELECT|INSERT INTO|UPDATE|DELETE FROM|WITH)\b`)
	sqlPart  = regexp.MustCompile(`\b(FROM|JOIN)\s+\w+(.|\n)*\b(WHERE|ON|USING)\b`)

	orderly = []struct{ kind, from, to string }{
		{"a lock dropped", `\s+FOR (NO KEY UPDATE|UPDATE|SHARE|KEY SHARE)( OF \w+)?( SKIP LOCKED| NOWAIT)?`, ""},
		{"ON CONFLICT dropped", `\s+ON CONFLICT( \([^)]*\))? DO NOTHING`, ""},
		{"an inner for an outer join", `\bLEFT JOIN\b`, "JOIN"},
		{"max for min", `\bmin\(`, "max("},
		{"min for max", `\bmax\(`, "min("},
		{"least for greatest", `\bgreatest\(`, "least("},
		{"greatest for least", `\bleast\(`, "greatest("},
		{"a boundary", ` < `, " <= "},
		{"a boundary", ` <= `, " < "},
		{"a boundary", ` > `, " >= "},
		{"a boundary", ` >= `, " > "},
		{"EXISTS for NOT EXISTS", `\bNOT EXISTS\b`, "EXISTS"},
		{"an operand", ` \+ `, " - "},
		{"DISTINCT dropped", `SELECT DISTINCT `, "SELECT "},
		{"the order turned", `\bDESC\b`, "ASC"},
	}
)

// wrongText is one way to get a text wrong.
type wrongText struct {
	offset     int // of what is changed
	kind, what string
	text       string
}

// textFaults are the ways in which a statement may be wrong and is still one.
func textFaults(text string) (all []wrongText) {
	plain := blank(text)
	for _, o := range orderly {
		for _, at := range regexp.MustCompile(o.from).FindAllStringIndex(plain, -1) {
			what := strings.TrimSpace(text[at[0]:at[1]])
			all = append(all, wrongText{at[0] + strings.Index(text[at[0]:at[1]], what), o.kind, what, text[:at[0]] + o.to + text[at[1]:]})
		}
	}
	for _, at := range predicates(plain) {
		all = append(all, wrongText{at[0], "a predicate made true", text[at[0]:at[1]], text[:at[0]] + "TRUE" + text[at[1]:]})
	}
	return all
}

// blank is the text with comments as spaces and quoted words as x, of the same length.
func blank(text string) string {
	return quoted.ReplaceAllStringFunc(text, func(s string) string {
		if strings.HasPrefix(s, "'") {
			return strings.Repeat("x", len(s))
		}
		return strings.Repeat(" ", len(s))
	})
}

var quoted = regexp.MustCompile(`--[^\n]*|'[^']*'`)

var (
	opens = regexp.MustCompile(`\b(WHERE|HAVING|ON|AND|FILTER \(WHERE)\s+`)
	ends  = regexp.MustCompile(`^(AND|OR|GROUP|ORDER|LIMIT|UNION|FOR|RETURNING|JOIN|LEFT|CROSS|FULL|INNER|THEN|ON|WHERE|HAVING|WHEN|DO|SET)\b`)
)

// predicates are the parts of conditions that stand beside AND, at any depth.
func predicates(plain string) (all [][2]int) {
	for _, at := range opens.FindAllStringIndex(plain, -1) {
		word := strings.Fields(plain[at[0]:at[1]])[0]
		if word == "ON" && (strings.HasPrefix(plain[at[1]:], "CONFLICT") || strings.HasSuffix(plain[:at[0]], "DISTINCT ")) {
			continue
		}
		end, alternative := predicateEnd(plain, at[1])
		between := strings.Contains(plain[max(0, at[0]-60):at[0]], "BETWEEN") && word == "AND"
		if part := strings.TrimSpace(plain[at[1]:end]); part == "" || part == "TRUE" || alternative || between || strings.Contains(part, "BETWEEN") {
			continue
		}
		for end > at[1] && strings.ContainsRune(" \t\n", rune(plain[end-1])) {
			end--
		}
		all = append(all, [2]int{at[1], end})
	}
	return all
}

// predicateEnd is where the condition that begins at from ends; alternative: an OR follows, so that it stands not by itself.
func predicateEnd(plain string, from int) (end int, alternative bool) {
	depth, cases := 0, 0
	for i := from; i < len(plain); i++ {
		switch plain[i] {
		case '(':
			depth++
		case ')':
			if depth--; depth < 0 {
				return i, false
			}
		case ';', ',':
			if depth == 0 {
				return i, false
			}
		}
		rest := plain[i:]
		if i == from && strings.HasPrefix(rest, "CASE ") {
			cases++
		}
		if depth > 0 || i == from || !strings.ContainsRune(" \t\n()", rune(plain[i-1])) {
			continue
		}
		switch {
		case strings.HasPrefix(rest, "CASE "):
			cases++
		case strings.HasPrefix(rest, "END"):
			cases--
		case cases == 0 && ends.MatchString(rest) && !strings.HasPrefix(rest, "FROM"):
			return i, strings.HasPrefix(rest, "OR ")
		}
	}
	return len(plain), false
}
