package settlement

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"evens/money"
)

// Prospect is a result that waits under a bet code, and what it would make a coupon have paid.
type Prospect struct {
	Result int64
	Word   Word
	Target Verdict
	Reason string // why it makes no sense for that coupon; "" where it does
}

// Indexes: results_once, coupons_pkey.
const readProspects = `
	SELECT r.id, r.status, r.ext_status, r.amount_out, c.stake, c.sent_amount, c.nominal, c.coef, c.possible_win, c.currency,
	       coalesce(c.sent_currency, c.currency)
	  FROM results r, coupons c
	 WHERE r.bar_code = $1 AND r.provider = c.provider AND r.state = 'pending' AND c.id = $2
	 ORDER BY r.decided_at, r.id`

// Prospects lists the results that wait under a bet code of a coupon's bookmaker, in the order of their decision, as if the coupon had
// that code: the last that makes sense would hold.
func (s *Settler) Prospects(ctx context.Context, betCode string, id uuid.UUID) ([]Prospect, error) {
	rows, err := s.db.Pool.Query(ctx, readProspects, betCode, id)
	if err != nil {
		return nil, fmt.Errorf("list results of %s: %w", betCode, err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (Prospect, error) {
		var p Prospect
		var t Terms
		var amount pgtype.Int8
		err := row.Scan(&p.Result, &p.Word.Status, &p.Word.ExtStatus, &amount, &t.Stake, &t.Sent, &t.Nominal, &t.Coef, &t.PossibleWin,
			&t.Currency, &t.SentCurrency)
		if err != nil {
			return p, err
		}
		p.Word.AmountOut, p.Word.HasAmount = money.Amount(amount.Int64), amount.Valid
		p.Target, err = Target(t, p.Word)
		if parked, ok := errors.AsType[*ParkedError](err); ok {
			p.Reason, err = parked.Reason, nil
		}
		return p, err
	})
	if err != nil {
		return nil, fmt.Errorf("list results of %s: %w", betCode, err)
	}
	return list, nil
}

// SettleAdopted settles what waits under the bet code of a coupon that was adopted just now, without a queue.
// What it leaves undone, the sweep finds.
func (s *Settler) SettleAdopted(ctx context.Context, provider, betCode string) error {
	chunks, err := s.queryChunks(ctx, adoptEarly, ChunkSize, []string{betCode}, []string{provider})
	if err != nil {
		return fmt.Errorf("look for results of %s: %w", betCode, err)
	}
	for _, chunk := range chunks {
		if err := s.Apply(ctx, chunk.ID); err != nil {
			return err
		}
	}
	return nil
}
