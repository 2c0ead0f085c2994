package settlement_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"evens/coupon"
	"evens/settlement"
)

const otherBook = "other"

// ofOther makes a coupon one of another bookmaker's, under a code. Its stake was taken for that one then.
func (s *shop) ofOther(c coupon.Coupon, code string) coupon.Coupon {
	s.t.Helper()
	for _, statement := range []string{
		`ALTER TABLE transactions DISABLE TRIGGER transactions_append_only`,
		`UPDATE transactions SET provider = '` + otherBook + `' WHERE coupon_id = '` + c.ID.String() + `'`,
		`ALTER TABLE transactions ENABLE TRIGGER transactions_append_only`,
		`UPDATE coupons SET provider = '` + otherBook + `' WHERE id = '` + c.ID.String() + `'`,
	} {
		s.exec(statement)
	}
	if code != "" {
		s.exec(`UPDATE coupons SET bet_code = $2 WHERE id = $1`, c.ID, code)
	}
	return s.read(c.ID)
}

func (s *shop) exec(statement string, arguments ...any) {
	s.t.Helper()
	if _, err := s.db.Pool.Exec(s.t.Context(), statement, arguments...); err != nil {
		s.t.Fatal(err)
	}
}

// otherSays stores a result of the other bookmaker's as its receiver would, and works.
func (s *shop) otherSays(h settlement.Head) (id int64) {
	s.t.Helper()
	err := s.db.Pool.QueryRow(s.t.Context(), `
		WITH fresh AS (
		    INSERT INTO results (provider, bar_code, decided_at, status, ext_status, amount_out, callback_id, received_at)
		    VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING id
		), chunk AS (
		    INSERT INTO result_chunks (result_ids, rung_at) SELECT ARRAY[id], now() FROM fresh
		)
		SELECT id FROM fresh`, otherBook, h.BarCode, h.DecidedAt, h.Status, h.ExtStatus, int64(h.AmountOut), uuid.New(), s.clock.Now()).Scan(&id)
	if err != nil {
		s.t.Fatal(err)
	}
	s.sweep()
	return id
}

// sweep rings for whatever is left, and works.
func (s *shop) sweep() {
	s.t.Helper()
	s.rungEarlier(settlement.SweepPatience + time.Second)
	if _, err := s.settler.Sweep(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
	s.work()
}

// Two bookmakers have a coupon each under one code: each one's results settle its own, whatever is said and when.
func TestTwoBooksWithOneCode(t *testing.T) {
	t.Parallel()
	s := open(t, settlement.Guard{})
	ours, theirs := s.player("100.00"), s.player("100.00")
	c := s.place(ours, "10.00", "2.50")
	o := s.ofOther(s.place(theirs, "10.00", "2.50"), c.BetCode)

	s.settle(won(c.BetCode, 1, "25.00"))
	s.is(c, coupon.Won, "25.00", "115.00")
	s.is(o, coupon.Accepted, "0.00", "90.00")

	word := won(o.BetCode, 1, "25.00") // the same word, of the other's
	s.otherSays(word)
	s.is(o, coupon.Won, "25.00", "115.00")
	s.is(c, coupon.Won, "25.00", "115.00")

	s.otherSays(lost(o.BetCode, 2))
	s.is(o, coupon.Lost, "0.00", "90.00")
	s.is(c, coupon.Won, "25.00", "115.00")

	// A person refuses one of the other's, and applies another: no later word of ours is in the way.
	s.exec(`UPDATE results SET state = 'parked', attention = 'blast_radius', reason = 'by the test' WHERE id = $1`, s.otherSays(said(o.BetCode, 3, 3, 0, "1")))
	s.settle(void(c.BetCode, 9, "10.00"))
	waiting, err := s.settler.Waiting(t.Context(), 10)
	if err != nil || len(waiting) != 1 || waiting[0].Provider != otherBook || waiting[0].Coupon.UUID != o.ID {
		t.Fatalf("%+v, %v", waiting, err)
	}
	payout := o.Stake
	_, err = s.settler.Decide(t.Context(), settlement.Decision{Result: waiting[0].ID, Operator: "ops@example.com", Comment: "they say so", Payout: &payout})
	if err != nil {
		t.Fatal(err)
	}
	s.is(o, coupon.Refunded, "10.00", "100.00")
	s.is(c, coupon.Refunded, "10.00", "100.00")

	var ofOther, all int
	if err := s.db.Pool.QueryRow(t.Context(), `SELECT count(*) FILTER (WHERE provider = $2), count(*) FROM transactions WHERE coupon_id = $1`,
		o.ID, otherBook).Scan(&ofOther, &all); err != nil || ofOther != all || all != 4 {
		t.Errorf("%d of %d movements are the other bookmaker's, %v", ofOther, all, err)
	}
}

// A result whose code another bookmaker has a coupon under waits all the same, and is adopted by its own alone.
func TestACodeOfAnotherBookIsUnknown(t *testing.T) {
	t.Parallel()
	s := open(t, settlement.Guard{})
	p := s.player("100.00")
	o := s.ofOther(s.place(p, "10.00", "2.50"), "")
	s.settle(won(o.BetCode, 1, "25.00"))
	s.sweep()
	s.is(o, coupon.Accepted, "0.00", "90.00")
	if states := s.states(); states["pending unknown_bar_code"] != 1 {
		t.Errorf("results: %v", states)
	}
	list, err := s.settler.Waiting(t.Context(), 10)
	if err != nil || len(list) != 1 || list[0].Coupon.Valid {
		t.Errorf("waiting: %+v, %v", list, err)
	}

	if prospects, err := s.settler.Prospects(t.Context(), o.BetCode, o.ID); err != nil || len(prospects) != 0 {
		t.Errorf("prospects of the other's coupon: %v, %v", prospects, err)
	}
	if err := s.settler.SettleAdopted(t.Context(), otherBook, o.BetCode); err != nil {
		t.Fatal(err)
	}
	s.is(o, coupon.Accepted, "0.00", "90.00")

	c := s.unconfirmed(p, "10.00", "2.50")
	if done, err := s.adopt(c.ID, o.BetCode); err != nil || done.Coupon.BetCode != o.BetCode {
		t.Fatalf("%+v, %v: another bookmaker's code is no code of ours", done, err)
	}
	s.is(c, coupon.Won, "25.00", "105.00")
	s.is(o, coupon.Accepted, "0.00", "105.00")
}

// A desk leaves the coupons of another bookmaker alone: to its own, their codes are somebody else's.
func TestADeskLeavesOtherBooksAlone(t *testing.T) {
	t.Parallel()
	s := open(t, settlement.Guard{})
	o := s.ofOther(s.unconfirmed(s.player("100.00"), "10.00", "2.50"), "")
	s.clock.forward(time.Hour)
	if due, err := s.desk.Due(t.Context(), 10); err != nil || len(due) != 0 {
		t.Errorf("due are %v, %v", due, err)
	}
	wish := coupon.Adoption{Coupon: o.ID, BetCode: "x", Operator: "ops@example.com", Comment: "no"}
	adoptByHand := func() error { _, err := s.desk.AdoptByHand(t.Context(), wish); return err }
	adopt := func() error { _, err := s.desk.Adopt(t.Context(), o.ID, "x"); return err }
	for name, err := range map[string]error{"confirm": s.desk.Confirm(t.Context(), o.ID), "adopt": adopt(), "adopt by hand": adoptByHand()} {
		if !errors.Is(err, coupon.ErrOtherBookmaker) {
			t.Errorf("%s: %v", name, err)
		}
	}
	s.is(o, coupon.Unconfirmed, "0.00", "90.00")
}

// The release before knows one bookmaker: what it writes is BeT's, once, and it finds a coupon by the code alone.
func TestTheReleaseBeforeWritesBeTs(t *testing.T) {
	t.Parallel()
	s := open(t, settlement.Guard{})
	c := s.place(s.player("100.00"), "10.00", "2.50")
	h := won(c.BetCode, 1, "25.00")
	for range 2 {
		s.exec(`
			WITH fresh AS (
			    INSERT INTO results (bar_code, decided_at, status, ext_status, amount_out, callback_id, received_at)
			    VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT ON CONSTRAINT results_once DO NOTHING RETURNING id
			)
			INSERT INTO result_chunks (result_ids, rung_at) SELECT ARRAY[id], now() FROM fresh`,
			h.BarCode, h.DecidedAt, h.Status, h.ExtStatus, int64(h.AmountOut), uuid.New(), s.clock.Now())
	}
	s.sweep()
	s.is(c, coupon.Won, "25.00", "115.00")
	if states := s.states(); states["applied"] != 1 || len(states) != 1 {
		t.Errorf("results: %v", states)
	}
	tx, err := s.db.Pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(t.Context()) }()
	if _, err := tx.Exec(t.Context(), `SET LOCAL enable_seqscan = off`); err != nil {
		t.Fatal(err)
	}
	for query, condition := range map[string]string{
		`SELECT FROM coupons WHERE bet_code = 'x'`:                      "(bet_code = 'x'::text)",
		`SELECT FROM results WHERE bar_code = 'x'`:                      "(bar_code = 'x'::text)",
		`SELECT FROM coupons WHERE bet_code = 'x' AND provider = 'bet'`: "((bet_code = 'x'::text) AND (provider = 'bet'::text))",
	} {
		var plan string
		if err := tx.QueryRow(t.Context(), `EXPLAIN (FORMAT json) `+query).Scan(&plan); err != nil || !strings.Contains(plan, `"Index Cond": "`+condition) {
			t.Errorf("%s: %v\n%s", query, err, plan)
		}
	}
}
