package statement

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"evens/internal/jsonin"
	"evens/money"
)

// Unreadable is a line of a list that could not be read. It is left aside, as a break, and the rest
// counts.
type Unreadable struct {
	TransactionID string    // "" where not even that can be read
	At            time.Time // zero likewise
	Text          string    // as it came
	Reason        string
}

// longestLine bounds what is kept of a line that cannot be read.
const longestLine = 4 << 10

// Plain makes a text that the database takes.
func Plain(text string) string {
	text = strings.ReplaceAll(strings.ToValidUTF8(text, "\ufffd"), "\x00", "\ufffd")
	if len(text) > longestLine {
		text = strings.ToValidUTF8(text[:longestLine], "")
	}
	return text
}

// PageOf is the page of rows, of each the lines that read makes of it.
func PageOf[Row ~[]byte](rows []Row, read func(text []byte) ([]Line, error)) Page {
	page := Page{Raw: Raw(rows)}
	for _, text := range rows {
		lines, err := read(text)
		page.Add(text, lines, err)
	}
	return page
}

// Add adds the lines of one row, all of them or, where one cannot be, none.
func (p *Page) Add(text []byte, lines []Line, err error) {
	for _, line := range lines {
		if err == nil {
			err = line.Check()
		}
	}
	if err == nil {
		p.Lines = append(p.Lines, lines...)
		return
	}
	bad := Unreadable{Text: Plain(string(text)), Reason: Plain(err.Error())}
	if len(lines) > 0 {
		bad.TransactionID, bad.At = lines[0].TransactionID, lines[0].At
	}
	p.Unreadable = append(p.Unreadable, bad)
}

// Standing is what a provider's word for a status proves of a bet and of its win.
type Standing struct{ Bet, Win Status }

// Standings are a provider's words. Each provider has one table of them, beside its list.
type Standings map[string]Standing

// Of is what a word proves: one that is not in the table proves nothing.
func (s Standings) Of(word string) Standing {
	if proven, known := s[word]; known {
		return proven
	}
	return Unproven
}

// Unproven is the standing of a word that proves nothing.
var Unproven = Standing{Pending, Pending}

// BetAndWin makes the lines of a bet and, where there is one, of its win. A bet that failed and has won
// contradicts itself: nothing is proven then.
func BetAndWin(line Line, stake, win money.Number, proven Standing) ([]Line, error) {
	amount, err := stake.Amount()
	if err != nil {
		return []Line{line}, fmt.Errorf("the stake: %w", err)
	}
	won := money.Amount(0)
	if win != "" {
		if won, err = win.Amount(); err != nil {
			return []Line{line}, fmt.Errorf("the win: %w", err)
		}
	}
	if won != 0 && proven.Bet == Failed {
		proven = Unproven
	}
	line.Amount, line.Status = amount, proven.Bet
	lines := []Line{line}
	if won != 0 || proven == (Standing{OK, Pending}) { // a payout that failed is a person's, whatever its sum
		line.Type, line.Amount, line.Status = Credit, won, proven.Win
		lines = append(lines, line)
	}
	return lines, nil
}

// IDIn is the id of a row that cannot be read as a whole; "" where not even that can.
func IDIn(text []byte, field string) string {
	var id jsonin.Word
	raw, once := jsonin.Member(text, field)
	if !once || jsonin.Unmarshal(raw, &id) != nil || jsonin.ID(string(id), longestID) != nil {
		return ""
	}
	return string(id)
}

// Offset reads a cursor that is a number; the first one is 0.
func Offset(cursor string) (int, error) {
	if cursor == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(cursor)
	if err != nil {
		return 0, fmt.Errorf("cursor %q: %w", cursor, err)
	}
	return n, nil
}

// Raw keeps rows as they were read.
func Raw(rows any) []byte {
	text, err := json.Marshal(rows)
	if err != nil {
		return nil // what was read can be written
	}
	return text
}

// Sorted takes out of lines those that break a rule.
func Sorted(lines []Line, unreadable []Unreadable) ([]Line, []Unreadable) {
	for i := range lines {
		if lines[i].Check() == nil {
			continue
		}
		page := Page{Lines: lines[:i:i], Unreadable: unreadable}
		for _, line := range lines[i:] {
			page.Add(Raw(line), []Line{line}, nil)
		}
		return page.Lines, page.Unreadable
	}
	return lines, unreadable
}

// ShortID is an id as far as it can be one: a longer one names nothing here.
func ShortID(id string) string {
	if len(id) > longestID {
		return ""
	}
	return Plain(id)
}
