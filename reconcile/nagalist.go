package reconcile

import (
	"context"
	"fmt"
	"time"

	"evens/casino/naga"
	"evens/internal/jsonin"
)

// nagaStatuses is what Naga's betStatus proves. A payout follows only a bet that we have taken: one
// that failed leaves the bet as it is. One that our error kept from being placed was never played.
var nagaStatuses = map[string]standing{
	"RESOLVED":                {OK, OK},
	"PENDING":                 {Open, Pending},
	"CANCELED":                {Failed, Pending},
	"PLACEBET_OPERATOR_ERROR": {Failed, Pending},
	"PAYOUT_OPERATOR_ERROR":   {OK, Pending},
	"PAYOUT_CHECK_FAIL":       {OK, Pending},
	"PENDING_CANCELED":        unproven,
	"OPERATOR_UNKNOWN_ERROR":  unproven,
}

// NagaList is Naga Games' list of bets. Its ids are those of rounds.
type NagaList struct{ Platform *naga.Platform }

// ByRound implements Source.
func (NagaList) ByRound() bool { return true }

// Page implements Source; a cursor is the day's number in the window and how many rows to skip.
func (l NagaList) Page(ctx context.Context, from, to time.Time, cursor string) (Page, error) {
	day, skip := 0, 0
	if cursor != "" {
		if _, err := fmt.Sscanf(cursor, "%d/%d", &day, &skip); err != nil {
			return Page{}, fmt.Errorf("cursor %q: %w", cursor, err)
		}
	}
	begin := from.Add(time.Duration(day) * naga.HistoryWindow)
	end := begin.Add(naga.HistoryWindow)
	if end.After(to) {
		end = to
	}
	rows, err := l.Platform.BetHistoryRows(ctx, begin, end, skip)
	if err != nil {
		return Page{}, err
	}
	page := Page{Raw: raw(rows)}
	for _, text := range rows {
		lines, err := nagaLines(text)
		page.add(text, lines, err)
	}
	switch {
	case len(rows) >= naga.HistoryPage:
		page.Next = fmt.Sprintf("%d/%d", day, skip+len(rows))
	case end.Before(to):
		page.Next = fmt.Sprintf("%d/0", day+1)
	}
	return page, nil
}

func nagaLines(text []byte) ([]Line, error) {
	var row naga.BetHistory
	err := jsonin.Unmarshal(text, &row)
	line := Line{
		TransactionID: string(row.ID), Type: Debit, Player: string(row.PlayerID), At: row.Created.UTC(), Round: string(row.ID), Word: row.Status,
	}
	if err != nil {
		line.TransactionID = idIn(text, "id")
		return []Line{line}, err
	}
	proven, known := nagaStatuses[row.Status]
	if !known {
		proven = unproven
	}
	return betAndWin(line, row.Amount, row.Earn, proven)
}
