package settlement

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"evens/internal/postgres"
	"evens/money"
)

// Likely is a coupon that a result with an unknown BarCode may be about.
type Likely struct {
	Coupon   uuid.UUID
	Player   uuid.UUID
	Status   string
	Currency money.Currency
	Stake    money.Amount
	PlacedAt time.Time

	provider string
	terms    Terms
}

// likelySince is how long before its result a coupon may have been placed, and likelyMost how many coupons
// are looked at.
const (
	likelySince = 3 * 24 * time.Hour
	likelyMost  = 10_000
)

// Coupons without a BarCode that BeT may have all the same. Ids are in the order of placing. Index: coupons_pkey.
const readLikely = `
	SELECT id, player_id, status, currency, stake, placed_at, sent_amount, nominal, coef, possible_win, coalesce(sent_currency, currency),
	       provider
	  FROM coupons
	 WHERE id >= $1 AND placed_at <= $2 AND bet_code IS NULL
	   AND (status = 'unconfirmed' OR status = 'rejected' AND error_code IN ('unconfirmed_expired', 'unconfirmed'))
	 ORDER BY id LIMIT $3`

// nameLikely fills in the coupons that results with unknown BarCodes fit.
func (s *Settler) nameLikely(ctx context.Context, list []Waiting) error {
	var first, last time.Time
	for _, w := range list {
		if w.Attention != attentionUnknown {
			continue
		}
		if first.IsZero() || w.ReceivedAt.Before(first) {
			first = w.ReceivedAt
		}
		if w.ReceivedAt.After(last) {
			last = w.ReceivedAt
		}
	}
	if first.IsZero() {
		return nil
	}
	rows, err := s.db.Pool.Query(ctx, readLikely, postgres.IDAt(first.Add(-likelySince)), last, likelyMost)
	if err != nil {
		return err
	}
	candidates, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (Likely, error) {
		var l Likely
		err := row.Scan(&l.Coupon, &l.Player, &l.Status, &l.Currency, &l.Stake, &l.PlacedAt, &l.terms.Sent, &l.terms.Nominal,
			&l.terms.Coef, &l.terms.PossibleWin, &l.terms.SentCurrency, &l.provider)
		l.terms.Stake, l.terms.Currency = l.Stake, l.Currency
		return l, err
	})
	if err != nil {
		return err
	}
	for i := range list {
		if w := &list[i]; w.Attention == attentionUnknown {
			w.Likely = fitting(candidates, w)
		}
	}
	return nil
}

func fitting(candidates []Likely, w *Waiting) []Likely {
	var fits []Likely
	for _, l := range candidates {
		before := !l.PlacedAt.After(w.ReceivedAt) && l.PlacedAt.Before(w.DecidedAt.Add(Skew)) && l.PlacedAt.After(w.ReceivedAt.Add(-likelySince))
		if l.provider == w.Provider && before && l.terms.fits(w.Word) {
			fits = append(fits, l)
		}
	}
	return fits
}

// fits reports whether an AmountOut is what a coupon on these terms wins or could have won, or its stake
// where it was voided. A word without an amount says nothing.
func (t Terms) fits(word Word) bool {
	if !word.HasAmount {
		return false
	}
	if word.Status == statusWon && word.ExtStatus == 1 && word.AmountOut == t.Sent && !t.Nominal {
		return true
	}
	could, err := t.CouldWin()
	return err == nil && could == word.AmountOut
}

// CouldWin is what a coupon on these terms can win as BeT counts it: in the amount that it was told.
func (t Terms) CouldWin() (money.Amount, error) {
	if !t.Nominal {
		return t.PossibleWin, nil
	}
	currency := t.SentCurrency
	if currency == "" {
		currency = t.Currency
	}
	return t.Coef.Times(t.Sent, currency)
}
