package reconcile

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"evens/casino/betao"
	"evens/internal/jsonin"
)

// betaoStatuses is what a word of Betao's proves of a transaction. Their article names the list's
// columns and no status among them: a line without one stands. The words are those that say it plainly.
var betaoStatuses = map[string]Status{
	"": OK, "ok": OK, "success": OK, "succeeded": OK, "completed": OK,
	"failed": Failed, "rejected": Failed, "canceled": Failed, "cancelled": Failed,
}

// betaoUndone are Betao's words for what was done, and taken back since.
var betaoUndone = map[string]bool{"rolled back": true, "rolled_back": true, "rolledback": true}

var betaoTypes = map[string]Type{
	"debit": Debit, "bet": Debit, "credit": Credit, "win": Credit, "rollback": Reversal,
}

// BetaoList is Betao's list of transactions.
type BetaoList struct{ Platform *betao.Platform }

// ByRound implements Source.
func (BetaoList) ByRound() bool { return false }

// Page implements Source; a cursor is a page's number.
func (l BetaoList) Page(ctx context.Context, from, to time.Time, cursor string) (Page, error) {
	n, err := number(cursor)
	if err != nil {
		return Page{}, err
	}
	rows, next, err := l.Platform.GetTransactionRows(ctx, from, to, max(n, 1))
	if err != nil {
		return Page{}, err
	}
	page := Page{Raw: raw(rows)}
	for _, text := range rows {
		lines, err := betaoLines(text)
		page.add(text, lines, err)
	}
	if next > 0 {
		page.Next = strconv.Itoa(next)
	}
	return page, nil
}

func betaoLines(text []byte) ([]Line, error) {
	var row betao.Transaction
	err := jsonin.Unmarshal(text, &row)
	line := Line{
		TransactionID: string(row.TransactionID), Player: string(row.PlayerID), Currency: row.Currency, Status: OK, At: row.Timestamp.UTC(),
		Round: string(row.RoundID), Word: row.Status,
	}
	if err != nil {
		line.TransactionID = idIn(text, "transaction_id")
		return []Line{line}, err
	}
	var known bool
	if line.Type, known = betaoTypes[strings.ToLower(row.Type)]; !known {
		return []Line{line}, fmt.Errorf("type %q", row.Type)
	}
	if line.Amount, err = row.Amount.Amount(); err != nil {
		return []Line{line}, fmt.Errorf("amount: %w", err)
	}
	word := strings.ToLower(strings.TrimSpace(row.Status))
	if betaoUndone[word] && line.Type != Reversal {
		undone := line
		undone.Type = Reversal
		return []Line{line, undone}, nil
	}
	if line.Status, known = betaoStatuses[word]; !known {
		line.Status = Pending
	}
	return []Line{line}, nil
}
