package tg

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"evens/internal/jsonin"
	"evens/reconcile/statement"
)

// statuses is what TG's betStatus proves. Their document has the settled one only.
var statuses = statement.Standings{
	"2": {Bet: statement.OK, Win: statement.OK},
}

// list is TG's list of bets: a bet and its win in one row.
type list struct{ platform *Platform }

// listPage is how many rows their pages have; a shorter one is the last.
const listPage = 5000

// List implements casino.Platform.
func (p *Platform) List() statement.Source { return list{p} }

// ByRound implements statement.Source.
func (list) ByRound() bool { return false }

// Page implements statement.Source; a cursor is an offset.
func (l list) Page(ctx context.Context, from, to time.Time, cursor string) (statement.Page, error) {
	offset, err := statement.Offset(cursor)
	if err != nil {
		return statement.Page{}, err
	}
	rows, err := l.platform.BetLogRows(ctx, from, to, offset)
	if err != nil {
		return statement.Page{}, err
	}
	page := statement.PageOf(rows, Lines)
	if len(rows) >= listPage {
		page.Next = strconv.Itoa(offset + len(rows))
	}
	return page, nil
}

// Lines are those of one row of their list.
func Lines(text []byte) ([]statement.Line, error) {
	var row BetLog
	err := jsonin.Unmarshal(text, &row)
	word := string(row.Status)
	line := statement.Line{
		TransactionID: string(row.BetID), Type: statement.Debit, Player: string(row.Username), Currency: row.Currency, Round: string(row.RoundID),
		Word: word,
	}
	if err != nil {
		line.TransactionID = statement.IDIn(text, "betId")
		return []statement.Line{line}, err
	}
	at, err := time.Parse(time.RFC3339, row.TxTime)
	if err != nil {
		return []statement.Line{line}, fmt.Errorf("txTime %q", row.TxTime)
	}
	line.At = at.UTC()
	return statement.BetAndWin(line, row.Bet, row.Win, statuses.Of(word))
}
