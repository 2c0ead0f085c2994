package naga

import (
	"context"
	"fmt"
	"time"

	"evens/internal/jsonin"
	"evens/reconcile/statement"
)

// statuses is what Naga's betStatus proves. A payout follows only a bet that we have taken: one
// that failed leaves the bet as it is. One that our error kept from being placed was never played.
var statuses = statement.Standings{
	"RESOLVED":                {Bet: statement.OK, Win: statement.OK},
	"PENDING":                 {Bet: statement.Open, Win: statement.Pending},
	"CANCELED":                {Bet: statement.Failed, Win: statement.Pending},
	"PLACEBET_OPERATOR_ERROR": {Bet: statement.Failed, Win: statement.Pending},
	"PAYOUT_OPERATOR_ERROR":   {Bet: statement.OK, Win: statement.Pending},
	"PAYOUT_CHECK_FAIL":       {Bet: statement.OK, Win: statement.Pending},
	"PENDING_CANCELED":        statement.Unproven,
	"OPERATOR_UNKNOWN_ERROR":  statement.Unproven,
}

// list is Naga Games' list of bets. Its ids are those of rounds.
type list struct{ platform *Platform }

// List implements casino.Platform.
func (p *Platform) List() statement.Source { return list{p} }

// ByRound implements statement.Source.
func (list) ByRound() bool { return true }

// Page implements statement.Source; a cursor is the day's number in the window and how many rows to skip.
func (l list) Page(ctx context.Context, from, to time.Time, cursor string) (statement.Page, error) {
	day, skip := 0, 0
	if cursor != "" {
		if _, err := fmt.Sscanf(cursor, "%d/%d", &day, &skip); err != nil {
			return statement.Page{}, fmt.Errorf("cursor %q: %w", cursor, err)
		}
	}
	begin := from.Add(time.Duration(day) * HistoryWindow)
	end := begin.Add(HistoryWindow)
	if end.After(to) {
		end = to
	}
	rows, err := l.platform.BetHistoryRows(ctx, begin, end, skip)
	if err != nil {
		return statement.Page{}, err
	}
	page := statement.PageOf(rows, Lines)
	switch {
	case len(rows) >= HistoryPage:
		page.Next = fmt.Sprintf("%d/%d", day, skip+len(rows))
	case end.Before(to):
		page.Next = fmt.Sprintf("%d/0", day+1)
	}
	return page, nil
}

// Lines are those of one row of their list.
func Lines(text []byte) ([]statement.Line, error) {
	var row BetHistory
	err := jsonin.Unmarshal(text, &row)
	line := statement.Line{
		TransactionID: string(row.ID), Type: statement.Debit, Player: string(row.PlayerID), At: row.Created.UTC(), Round: string(row.ID), Word: row.Status,
	}
	if err != nil {
		line.TransactionID = statement.IDIn(text, "id")
		return []statement.Line{line}, err
	}
	return statement.BetAndWin(line, row.Amount, row.Earn, statuses.Of(row.Status))
}
