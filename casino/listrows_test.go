package casino_test

import (
	"strings"
	"testing"

	"evens/casino/betao"
	"evens/casino/naga"
	"evens/casino/tg"
	"evens/reconcile/statement"
)

// listRows are a line of each platform's list, the member that is its id, and the one that is its amount.
var listRows = map[string]struct {
	read       func([]byte) ([]statement.Line, error)
	row        string
	id, amount string
}{
	"betao": {betao.Lines, `{"transaction_id":"ID","type":"debit","timestamp":"2026-06-01T10:00:00Z","player_id":"p","round_id":"r","amount":5.00,"currency":"USD"}`,
		"transaction_id", "amount"},
	"tg": {tg.Lines, `{"betId":"ID","roundId":"r","username":"p","currency":"USD","txTime":"2026-06-01T10:00:00Z","betStatus":2,"actualBetAmt":5.00,"winAmt":0}`,
		"betId", "actualBetAmt"},
	"naga": {naga.Lines, `{"id":"ID","created":"2026-06-01T10:00:00Z","playerId":"p","amount":5.00,"earn":0,"betStatus":"RESOLVED"}`,
		"id", "amount"},
}

// A row of a list that says something twice, in other letters or in broken text is set aside under its id, where that
// is told once and readably; what is written in another way that JSON has is read.
func TestRowsOfListsAreReadStrictly(t *testing.T) {
	t.Parallel()
	for platform, list := range listRows {
		plain := strings.Replace(list.row, "ID", "b-1", 1)
		with := func(member string) string { return "{" + member + "," + plain[1:] }
		for name, test := range map[string]struct{ row, id string }{
			"the amount twice":                {with(`"` + list.amount + `":50.00`), "b-1"},
			"the amount in capitals beside":   {with(`"` + strings.ToUpper(list.amount) + `":50.00`), "b-1"},
			"the amount in capitals":          {strings.Replace(plain, list.amount, strings.ToUpper(list.amount), 1), "b-1"},
			"the id twice":                    {with(`"` + list.id + `":"b-2"`), ""},
			"the id in capitals beside":       {with(`"` + strings.ToUpper(list.id) + `":"b-2"`), "b-1"},
			"the id in capitals":              {strings.Replace(plain, list.id, strings.ToUpper(list.id), 1), ""},
			"half a surrogate pair in the id": {strings.Replace(plain, "b-1", `b-1\ud83d`, 1), ""},
			"a byte of Latin-1 in the id":     {strings.Replace(plain, "b-1", "b-1\xe9", 1), ""},
			"a byte of Latin-1 elsewhere":     {with("\"name\":\"\xe9\""), "b-1"},
			"no object":                       {`7`, ""},
		} {
			lines, err := list.read([]byte(test.row))
			var page statement.Page
			page.Add([]byte(test.row), lines, err)
			if len(page.Lines) != 0 || len(page.Unreadable) != 1 || page.Unreadable[0].TransactionID != test.id {
				t.Errorf("%s, %s: %+v", platform, name, page)
			}
		}
		for name, row := range map[string]string{
			"a character that hides itself": strings.Replace(plain, "b-1", `b\u200b1`, 1),
			"a line break in the id":        strings.Replace(plain, "b-1", `b\n1`, 1),
			"a blank after the id":          strings.Replace(plain, "b-1", "b-1 ", 1),
		} {
			lines, err := list.read([]byte(row))
			var page statement.Page
			page.Add([]byte(row), lines, err)
			if len(page.Lines) != 0 || len(page.Unreadable) != 1 {
				t.Errorf("%s, %s: %+v", platform, name, page)
			}
		}
		for name, test := range map[string]struct{ row, id string }{
			"as documented":              {plain, "b-1"},
			"a member of no document":    {with(`"extra":{"x":[1]},"other":null`), "b-1"},
			"the amount as text":         {strings.Replace(plain, "5.00", `"5.00"`, 1), "b-1"},
			"the id as a number":         {strings.Replace(plain, `"b-1"`, "17", 1), "17"},
			"the id in another script":   {strings.Replace(plain, "b-1", "b-é日", 1), "b-é日"},
			"a member's name in escapes": {strings.Replace(plain, `"`+list.id[:1], `"\u00`+hexOf(list.id[0]), 1), "b-1"},
			"a byte order mark":          {"\xef\xbb\xbf" + plain, "b-1"},
		} {
			lines, err := list.read([]byte(test.row))
			if err != nil || len(lines) != 1 || lines[0].TransactionID != test.id || lines[0].Amount != 5_0000 || lines[0].Check() != nil {
				t.Errorf("%s, %s: %+v, %v", platform, name, lines, err)
			}
		}
	}
}

func hexOf(c byte) string { return string("0123456789abcdef"[c>>4]) + string("0123456789abcdef"[c&15]) }
