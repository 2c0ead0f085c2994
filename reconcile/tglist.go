package reconcile

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"evens/casino/tg"
	"evens/internal/jsonin"
)

// tgStatuses is what TG's betStatus proves. Their document has the settled one only.
var tgStatuses = map[string]standing{
	"2": {OK, OK},
}

// TGList is TG's list of bets: a bet and its win in one row.
type TGList struct{ Platform *tg.Platform }

// tgPage is how many rows their pages have; a shorter one is the last.
const tgPage = 5000

// ByRound implements Source.
func (TGList) ByRound() bool { return false }

// Page implements Source; a cursor is an offset.
func (l TGList) Page(ctx context.Context, from, to time.Time, cursor string) (Page, error) {
	offset, err := number(cursor)
	if err != nil {
		return Page{}, err
	}
	rows, err := l.Platform.BetLogRows(ctx, from, to, offset)
	if err != nil {
		return Page{}, err
	}
	page := Page{Raw: raw(rows)}
	for _, text := range rows {
		lines, err := tgLines(text)
		page.add(text, lines, err)
	}
	if len(rows) >= tgPage {
		page.Next = strconv.Itoa(offset + len(rows))
	}
	return page, nil
}

func tgLines(text []byte) ([]Line, error) {
	var row tg.BetLog
	err := jsonin.Unmarshal(text, &row)
	word := string(row.Status)
	line := Line{
		TransactionID: string(row.BetID), Type: Debit, Player: string(row.Username), Currency: row.Currency, Round: string(row.RoundID),
		Word: word,
	}
	if err != nil {
		line.TransactionID = idIn(text, "betId")
		return []Line{line}, err
	}
	at, err := time.Parse(time.RFC3339, row.TxTime)
	if err != nil {
		return []Line{line}, fmt.Errorf("txTime %q", row.TxTime)
	}
	line.At = at.UTC()
	proven, known := tgStatuses[word]
	if !known {
		proven = unproven
	}
	return betAndWin(line, row.Bet, row.Win, proven)
}
