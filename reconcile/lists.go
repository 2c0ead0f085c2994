package reconcile

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"evens/casino/betao"
	"evens/casino/naga"
	"evens/casino/tg"
	"evens/coupon/bet"
	"evens/internal/postgres"
	"evens/money"
)

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
	rows, err := l.Platform.BetLogs(ctx, from, to, offset)
	if err != nil {
		return Page{}, err
	}
	page := Page{Raw: raw(rows)}
	for _, row := range rows {
		at, err := time.Parse(time.RFC3339, row.TxTime)
		if err != nil {
			return Page{}, fmt.Errorf("TG's bet %s: txTime %q", row.BetID, row.TxTime)
		}
		line := Line{TransactionID: row.BetID, Type: Debit, Player: row.Username, Currency: row.Currency, Status: Failed, At: at.UTC(), Round: row.RoundID}
		if row.Status == "2" { // the settled ones of their sample
			line.Status = OK
		}
		if page.Lines, err = betAndWin(page.Lines, line, row.Bet, row.Win); err != nil {
			return Page{}, fmt.Errorf("TG's bet %s: %w", row.BetID, err)
		}
	}
	if len(rows) >= tgPage {
		page.Next = strconv.Itoa(offset + len(rows))
	}
	return page, nil
}

// betAndWin adds the lines of a bet and, where there is one, of its win.
func betAndWin(lines []Line, line Line, stake, win money.Number) ([]Line, error) {
	var err error
	if line.Amount, err = stake.Amount(); err != nil {
		return lines, err
	}
	lines = append(lines, line)
	if win == "" {
		return lines, nil
	}
	if line.Amount, err = win.Amount(); err != nil || line.Amount == 0 {
		return lines, err
	}
	line.Type = Credit
	return append(lines, line), nil
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
	rows, err := l.Platform.BetHistories(ctx, begin, end, skip)
	if err != nil {
		return Page{}, err
	}
	page := Page{Raw: raw(rows)}
	for _, row := range rows {
		line := Line{TransactionID: row.ID, Type: Debit, Player: row.PlayerID, Status: nagaStatus(row.Status), At: row.Created.UTC(), Round: row.ID}
		if page.Lines, err = betAndWin(page.Lines, line, row.Amount, row.Earn); err != nil {
			return Page{}, fmt.Errorf("naga's bet %s: %w", row.ID, err)
		}
	}
	switch {
	case len(rows) >= naga.HistoryPage:
		page.Next = fmt.Sprintf("%d/%d", day, skip+len(rows))
	case end.Before(to):
		page.Next = fmt.Sprintf("%d/0", day+1)
	}
	return page, nil
}

func nagaStatus(status string) Status {
	switch status {
	case "RESOLVED", "PENDING":
		return OK
	default: // canceled, or one of their operator errors: nothing of it holds
		return Failed
	}
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
	answer, err := l.Platform.GetTransactions(ctx, from, to, max(n, 1))
	if err != nil {
		return Page{}, err
	}
	page := Page{Raw: raw(answer)}
	for _, row := range answer.Items {
		kind, known := types[row.Type]
		if !known {
			return Page{}, fmt.Errorf("betao's transaction %s: type %q", row.TransactionID, row.Type)
		}
		line := Line{
			TransactionID: row.TransactionID, Type: kind, Player: row.PlayerID, Currency: row.Currency, Status: OK, At: row.Timestamp.UTC(), Round: row.RoundID,
		}
		if line.Amount, err = row.Amount.Amount(); err != nil {
			return Page{}, fmt.Errorf("betao's transaction %s: amount: %w", row.TransactionID, err)
		}
		undone := strings.HasPrefix(row.Status, "roll")
		if row.Status != "" && !undone && statuses[strings.ToLower(row.Status)] != OK {
			line.Status = Failed
		}
		page.Lines = append(page.Lines, line)
		if undone {
			line.Type = Reversal
			page.Lines = append(page.Lines, line)
		}
	}
	if answer.Next > 0 {
		page.Next = strconv.Itoa(answer.Next)
	}
	return page, nil
}

// BetList asks BeT about our own coupons: those placed in the window, and all that are open. BeT
// has no list by time.
type BetList struct {
	DB     *postgres.DB
	Client *bet.Client
	Now    func() time.Time
}

const betPage = 500

// Index: coupons_pkey. An id is older than another if its coupon is.
const readCodes = `
	SELECT id, bet_code FROM coupons
	 WHERE id > $1 AND bet_code IS NOT NULL AND (id >= $2 AND id < $3 OR status = 'accepted' AND id < $3)
	 ORDER BY id LIMIT $4`

// ByRound implements Source.
func (*BetList) ByRound() bool { return false }

// Page implements Source; a cursor is the last coupon's id.
func (l *BetList) Page(ctx context.Context, from, to time.Time, cursor string) (Page, error) {
	after := uuid.Nil
	if cursor != "" {
		var err error
		if after, err = uuid.Parse(cursor); err != nil {
			return Page{}, fmt.Errorf("cursor %q: %w", cursor, err)
		}
	}
	first, last := idsBetween(from, to)
	rows, err := l.DB.Pool.Query(ctx, readCodes, after, first, last, betPage)
	if err != nil {
		return Page{}, fmt.Errorf("list coupons: %w", err)
	}
	var codes []string
	var id uuid.UUID
	var code string
	if _, err := pgx.ForEachRow(rows, []any{&id, &code}, func() error {
		codes = append(codes, code)
		return nil
	}); err != nil {
		return Page{}, fmt.Errorf("list coupons: %w", err)
	}
	if len(codes) == 0 {
		return Page{}, nil
	}
	heads, err := l.Client.Read(ctx, codes)
	if err != nil {
		return Page{}, err
	}
	page := Page{Raw: raw(heads)}
	for _, head := range heads {
		page.Lines = append(page.Lines, couponLine(head, l.Now()))
	}
	if len(codes) == betPage {
		page.Next = id.String()
	}
	return page, nil
}

// couponLine is a head as a line. Status 1, and what is not known, is open; that a voided single was
// refunded shows by its amount when it is matched.
func couponLine(head bet.Head, now time.Time) Line {
	line := Line{TransactionID: head.BarCode, Type: Coupon, Amount: max(head.AmountOut, 0), Status: Open, At: head.DateRecive}
	if line.At.IsZero() {
		line.At = now.UTC()
	}
	switch head.Status {
	case 2:
		line.Status = Won
	case 4:
		line.Status = Lost
	}
	if head.Status == 2 && head.ExtStatus == 1 && line.Amount == 0 {
		line.Status = Refunded // without an amount it is the stake
		return line
	}
	if line.Status != Open {
		line.Round = fmt.Sprintf("%d/%d", head.Status, head.ExtStatus)
	}
	return line
}

func number(cursor string) (int, error) {
	if cursor == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(cursor)
	if err != nil {
		return 0, fmt.Errorf("cursor %q: %w", cursor, err)
	}
	return n, nil
}

// raw keeps rows as they were read.
func raw(rows any) []byte {
	text, err := json.Marshal(rows)
	if err != nil {
		return nil // what was read can be written
	}
	return text
}
