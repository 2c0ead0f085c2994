package reconcile

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"evens/coupon/bet"
	"evens/internal/postgres"
	lists "evens/reconcile/statement"
)

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
	 WHERE provider = '` + BeT + `' AND id > $1 AND bet_code IS NOT NULL AND (id >= $2 AND id < $3 OR status = 'accepted' AND id < $3)
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
	list, err := l.Client.List(ctx, codes)
	if err != nil {
		return Page{}, err
	}
	page := Page{Raw: lists.Raw(list)}
	for _, head := range list.Heads {
		line, err := couponLine(head)
		page.Add(lists.Raw(head), []Line{line}, err)
	}
	for _, odd := range list.Odd {
		page.Add(odd.Text, []Line{{TransactionID: odd.BarCode}}, errors.New(odd.Reason))
	}
	if len(codes) == betPage {
		page.Next = id.String()
	}
	return page, nil
}

// betStatuses is what BeT's Status and ExtStatus prove of a coupon. That a voided single was refunded
// shows by its amount when it is matched.
var betStatuses = map[[2]int]Status{
	{1, 0}: Open,
	{1, 1}: Open, // a leg was voided, here and below
	{2, 0}: Won,
	{2, 1}: Won,
	{4, 0}: Lost,
	{4, 1}: Lost,
}

// couponLine is a head as a line. An amount that cannot be read proves nothing of a coupon that has ended; a time
// that cannot be read is as good as none.
func couponLine(head bet.Head) (Line, error) {
	line := Line{
		TransactionID: head.BarCode, Type: Coupon, Amount: head.AmountOut, NoAmount: !head.HasAmount, At: head.DateRecive,
		Word: fmt.Sprintf("%d/%d", head.Status, head.ExtStatus),
	}
	if line.At.IsZero() {
		line.At, line.Undated = noTime, true
	}
	var known bool
	if line.Status, known = betStatuses[[2]int{head.Status, head.ExtStatus}]; !known {
		line.Status = Pending
	}
	if line.Status == Open || line.Status == Pending {
		return line, nil
	}
	line.Round = line.Word
	if head.Status == 2 && head.ExtStatus == 1 && line.NoAmount {
		line.Status = Refunded // without an amount it is the stake
	}
	if slices.Contains(head.Unread, "AmountOut") {
		return line, errors.New("AmountOut cannot be read")
	}
	return line, nil
}
