package coupon

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"evens/coupon/bet"
)

// A coupon with a kept bet code is due when BeT shall be asked about it, and at no other time.
// Indexes: coupons_open, coupon_answers_pkey, coupon_answers_ask.
const readDue = `
	SELECT id FROM (
	    (SELECT c.id, c.open_since AS due FROM coupons c
	      WHERE c.open_since IS NOT NULL AND c.provider = '` + Provider + `'
	        AND (c.status = 'placing' AND c.open_since < $1
	             OR c.status = 'unconfirmed' AND c.open_since < $2
	                AND NOT EXISTS (SELECT 1 FROM coupon_answers a WHERE a.coupon_id = c.id AND a.bet_code IS NOT NULL))
	      ORDER BY c.open_since LIMIT $4)
	    UNION ALL
	    (SELECT a.coupon_id, a.ask_at FROM coupon_answers a JOIN coupons c ON c.id = a.coupon_id
	      WHERE a.ask_at <= $3 AND c.status = 'unconfirmed' AND c.provider = '` + Provider + `'
	      ORDER BY a.ask_at LIMIT $4)
	) open
	 ORDER BY due
	 LIMIT $4`

// Due lists the desk's open coupons that Confirm can bring further: those still placing long after any
// placement ends, those unconfirmed that a bookmaker's list or the grace period can decide, and those
// whose kept bet code it shall be asked about.
func (d *Desk) Due(ctx context.Context, limit int) ([]uuid.UUID, error) {
	// What BeT has answered is known before anything is given up.
	if _, err := d.TakeSpooled(ctx, false); err != nil {
		return nil, err
	}
	now := d.cfg.Now()
	unconfirmedBefore := now.Add(-d.cfg.Grace)
	if d.cfg.Finder != nil {
		unconfirmedBefore = now
	}
	askBefore := now
	if d.cfg.Reader == nil {
		askBefore = time.Time{}
	}
	rows, err := d.store.db.Pool.Query(ctx, readDue, now.Add(-d.cfg.PlacingTimeout), unconfirmedBefore, askBefore, limit)
	if err != nil {
		return nil, fmt.Errorf("list open coupons: %w", err)
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
	if err != nil {
		return nil, fmt.Errorf("list open coupons: %w", err)
	}
	return ids, nil
}

// Confirm brings an open coupon further, as far as it can be known by now. A coupon that is not
// open any more is left as it is; calling twice is harmless. One of another bookmaker's is ErrOtherBookmaker: to
// this one its code is somebody else's.
func (d *Desk) Confirm(ctx context.Context, id uuid.UUID) error {
	open, err := d.store.Get(ctx, id)
	if err != nil {
		return err
	}
	if open.Provider != Provider {
		return ErrOtherBookmaker
	}
	age := d.cfg.Now().Sub(open.PlacedAt)
	if open.Status == Placing && age >= d.cfg.PlacingTimeout {
		open, err = d.answer(ctx, id, open.Player, outcome{status: Unconfirmed, code: CodeInterrupted, message: "the placement was interrupted"}, false)
		if err != nil {
			return err
		}
	}
	if open.Status != Unconfirmed {
		return nil
	}
	kept, asked, askAt, err := d.store.kept(ctx, id)
	if err != nil {
		return err
	}
	if kept != nil {
		return d.ask(ctx, open, kept, asked, askAt)
	}
	said, known, err := d.find(ctx, open)
	if err != nil {
		return err
	}
	if !known && age < d.cfg.Grace {
		return nil
	}
	if !known && d.cfg.Spool != nil && d.cfg.Spool.Waits() {
		return nil // the word may be in it
	}
	if !known {
		said = outcome{status: Rejected, code: CodeExpired, message: fmt.Sprintf("not confirmed within %s", d.cfg.Grace.Round(time.Second))}
	}
	_, err = d.answer(ctx, id, open.Player, said, false)
	return err
}

// Adopt ties an unconfirmed coupon to the bet code that it turned out to have: the bookmaker has it,
// on the terms that were asked for. It reports whether the coupon was unconfirmed, and is accepted
// now.
func (d *Desk) Adopt(ctx context.Context, id uuid.UUID, betCode string) (bool, error) {
	open, err := d.store.Get(ctx, id)
	if err != nil {
		return false, err
	}
	if open.Status != Unconfirmed {
		return open.Status == Accepted && open.BetCode == betCode, nil
	}
	adopted, err := d.answer(ctx, id, open.Player, outcome{status: Accepted, answer: bet.Answer{BetCode: betCode}}, false)
	return err == nil && adopted.Status == Accepted && adopted.BetCode == betCode, err
}

func (d *Desk) find(ctx context.Context, open Coupon) (said outcome, known bool, err error) {
	if d.cfg.Finder == nil {
		return outcome{}, false, nil
	}
	answer, found, known, err := d.cfg.Finder.Find(ctx, open)
	switch {
	case err != nil:
		return outcome{}, false, fmt.Errorf("ask the bookmaker for coupon %s: %w", open.ID, err)
	case found:
		return outcomeOf(answer, nil), true, nil
	default:
		return outcome{status: Rejected, code: CodeUnconfirmed, message: "the bookmaker does not have it"}, known, nil
	}
}
