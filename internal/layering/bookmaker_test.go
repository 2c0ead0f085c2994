package layering

import (
	"go/ast"
	"go/token"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// words of others that happen to be a bookmaker's name: a game's bet, in the ledger and in platforms' and banks' lists.
var otherBets = map[string]string{
	"ledger/transaction.go":           "the kind of a game's bet",
	"casino/betao/body.go":            "Betao's word for a debit",
	"casino/betao/list.go":            "Betao's word for a debit",
	"reconcile/statementfile/line.go": "a file's word for a debit",
	"reconcile/statementfile/sign.go": "a file's word for a debit",
	"bench/history.go":                "kinds of transactions that are made up",
	"bench/reconcile.go":              "kinds of transactions that are made up",
}

// ofKind is what stands before a 'bet' that is a kind of transaction.
var ofKind = regexp.MustCompile(`(?i)\bkind\s*(=|<>|WHEN|(NOT )?IN \([^()]*)\s*$`)

// A bookmaker's name is said in its own folder: whatever is above takes it from a coupon, a result, a request or
// from there. Up here, 'bet' in a query is a game's.
func TestTheBookmakersNameStandsInItsFolder(t *testing.T) {
	seen := make(map[string]bool)
	its := func(folder string) bool { return folder == "coupon/bet" }
	productFiles(t, its, func(name string, file *ast.File) {
		ast.Inspect(file, func(node ast.Node) bool {
			literal, is := node.(*ast.BasicLit)
			if !is || literal.Kind != token.STRING {
				return true
			}
			if text, _ := strconv.Unquote(literal.Value); namesBookmaker(text) {
				if seen[name] = true; otherBets[name] == "" {
					t.Errorf("%s says the bookmaker's name: %.60q", name, text)
				}
			}
			return true
		})
	})
	for name, reason := range otherBets {
		if !seen[name] {
			t.Errorf("%s (%s) says nothing of the kind any more", name, reason)
		}
	}
}

func namesBookmaker(text string) bool {
	if text == "bet" {
		return true
	}
	for at := 0; ; {
		i := strings.Index(text[at:], "'bet'")
		if i < 0 {
			return false
		}
		before := text[max(0, at+i-120) : at+i]
		if !ofKind.MatchString(before) {
			return true
		}
		at += i + len("'bet'")
	}
}

func TestWhatNamesABookmaker(t *testing.T) {
	for text, want := range map[string]bool{
		"bet":                    true,
		"VALUES ($1, 'bet', $2)": true,
		"WHERE c.provider = 'bet' AND c.status = 200":              true,
		"SELECT c.placed_at, 'bet', c.error_code":                  true,
		"WHERE x.kind = 'bet' AND x.provider = 'bet'":              true,
		"WHERE x.kind = 'bet' AND x.staked > 0":                    false,
		"FILTER (WHERE kind <> 'win' OR kind <> 'bet' AND undone)": false,
		"x.kind IN ('win', 'bet')":                                 false,
		"CASE b.kind WHEN 'bet' THEN":                              false,
		"x.kind NOT IN ('win', 'bet') AND p = 'bet'":               true,
		"a bet of a game":                                          false,
	} {
		if namesBookmaker(text) != want {
			t.Errorf("%q: %t", text, !want)
		}
	}
}
