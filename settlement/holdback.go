package settlement

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/jackc/pgx/v5"

	"evens/money"
)

// Both lock the hour's rows, in currency order, until the commit.
const (
	openReversalHours = `
	INSERT INTO reversal_hours (hour, currency, count, amount)
	SELECT $1, currency, 0, 0 FROM unnest($2::text[]) currency ORDER BY currency
	    ON CONFLICT DO NOTHING`

	lockReversalHours = `
	SELECT currency, count, amount FROM reversal_hours
	 WHERE hour = $1 AND currency = ANY ($2) ORDER BY currency FOR UPDATE`

	addReversals = `
	UPDATE reversal_hours h SET count = h.count + u.count, amount = h.amount + u.amount
	  FROM unnest($2::text[], $3::bigint[], $4::bigint[]) u (currency, count, amount)
	 WHERE h.hour = $1 AND h.currency = u.currency`
)

// takenBack sums the reversals of one currency.
type takenBack struct {
	count  int64
	amount money.Amount
}

// holdBack parks the run's reversals where their push takes back too much, or where the hour
// would. Everything else flows.
func (a *application) holdBack(ctx context.Context) error {
	totals := make(map[money.Currency]*takenBack)
	for _, s := range a.settled {
		if amount := s.reversal(); amount > 0 {
			currency := s.result.coupon.terms.Currency
			if totals[currency] == nil {
				totals[currency] = &takenBack{}
			}
			totals[currency].count++
			sum, err := totals[currency].amount.Add(amount)
			if err != nil {
				sum = math.MaxInt64 // beyond every guard
			}
			totals[currency].amount = sum
		}
	}
	if len(totals) == 0 {
		return nil
	}
	tooMuch := make(map[money.Currency]bool)
	if a.guarded {
		for currency := range totals {
			tooMuch[currency] = true
		}
	} else if err := a.countHour(ctx, totals, tooMuch); err != nil {
		return err
	}
	flowing := a.settled[:0]
	for _, s := range a.settled {
		if s.reversal() > 0 && tooMuch[s.result.coupon.terms.Currency] {
			a.rows.end(s.result, Parked, fmt.Sprintf("takes back %s as part of too much at once", s.reversal()), attentionGuard)
			continue
		}
		flowing = append(flowing, s)
	}
	a.settled = flowing
	return nil
}

// countHour adds the reversals to their hour where they still fit, and tells the currencies
// where they do not.
func (a *application) countHour(ctx context.Context, totals map[money.Currency]*takenBack, tooMuch map[money.Currency]bool) error {
	hour := a.now.Truncate(time.Hour)
	var currencies []string
	for currency := range totals {
		currencies = append(currencies, string(currency))
	}
	tx := a.batch.Tx()
	if _, err := tx.Exec(ctx, openReversalHours, hour, currencies); err != nil {
		return fmt.Errorf("open the hour's reversals: %w", err)
	}
	rows, err := tx.Query(ctx, lockReversalHours, hour, currencies)
	if err != nil {
		return fmt.Errorf("lock the hour's reversals: %w", err)
	}
	var currency money.Currency
	var before takenBack
	var counts, amounts []int64
	currencies = currencies[:0]
	_, err = pgx.ForEachRow(rows, []any{&currency, &before.count, &before.amount}, func() error {
		add := totals[currency]
		sum, err := before.amount.Add(add.amount)
		if err != nil || a.settler.guard.exceeds(before.count+add.count, sum, currency) {
			tooMuch[currency] = true
			return nil
		}
		currencies = append(currencies, string(currency))
		counts, amounts = append(counts, add.count), append(amounts, int64(add.amount))
		return nil
	})
	if err != nil {
		return fmt.Errorf("lock the hour's reversals: %w", err)
	}
	if len(currencies) > 0 {
		a.rows.statements = append(a.rows.statements, func(b *pgx.Batch) {
			b.Queue(addReversals, hour, currencies, counts, amounts)
		})
	}
	return nil
}
