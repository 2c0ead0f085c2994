package betao

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"evens/internal/jsonin"
	"evens/reconcile/statement"
)

// statuses is what a word of Betao's proves of a transaction. Their article names the list's
// columns and no status among them: a line without one stands. The words are those that say it plainly.
var statuses = map[string]statement.Status{
	"": statement.OK, "ok": statement.OK, "success": statement.OK, "succeeded": statement.OK, "completed": statement.OK,
	"failed": statement.Failed, "rejected": statement.Failed, "canceled": statement.Failed, "cancelled": statement.Failed,
}

// undoneWords are Betao's words for what was done, and taken back since.
var undoneWords = map[string]bool{"rolled back": true, "rolled_back": true, "rolledback": true}

var types = map[string]statement.Type{
	"debit": statement.Debit, "bet": statement.Debit, "credit": statement.Credit, "win": statement.Credit, "rollback": statement.Reversal,
}

// list is Betao's list of transactions.
type list struct{ platform *Platform }

// List implements casino.Platform.
func (p *Platform) List() statement.Source { return list{p} }

// ByRound implements statement.Source.
func (list) ByRound() bool { return false }

// Page implements statement.Source; a cursor is a page's number.
func (l list) Page(ctx context.Context, from, to time.Time, cursor string) (statement.Page, error) {
	n, err := statement.Offset(cursor)
	if err != nil {
		return statement.Page{}, err
	}
	rows, next, err := l.platform.GetTransactionRows(ctx, from, to, max(n, 1))
	if err != nil {
		return statement.Page{}, err
	}
	page := statement.PageOf(rows, Lines)
	if next > 0 {
		page.Next = strconv.Itoa(next)
	}
	return page, nil
}

// Lines are those of one row of their list.
func Lines(text []byte) ([]statement.Line, error) {
	var row Transaction
	err := jsonin.Unmarshal(text, &row)
	line := statement.Line{
		TransactionID: string(row.TransactionID), Player: string(row.PlayerID), Currency: row.Currency, Status: statement.OK, At: row.Timestamp.UTC(),
		Round: string(row.RoundID), Word: row.Status,
	}
	if err != nil {
		line.TransactionID = statement.IDIn(text, "transaction_id")
		return []statement.Line{line}, err
	}
	var known bool
	if line.Type, known = types[strings.ToLower(row.Type)]; !known {
		return []statement.Line{line}, fmt.Errorf("type %q", row.Type)
	}
	if line.Amount, err = row.Amount.Amount(); err != nil {
		return []statement.Line{line}, fmt.Errorf("amount: %w", err)
	}
	word := strings.ToLower(strings.TrimSpace(row.Status))
	if undoneWords[word] && line.Type != statement.Reversal {
		undone := line
		undone.Type = statement.Reversal
		return []statement.Line{line, undone}, nil
	}
	if line.Status, known = statuses[word]; !known {
		line.Status = statement.Pending
	}
	return []statement.Line{line}, nil
}
