package settlement_test

import (
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/google/uuid"

	"evens/coupon"
	"evens/coupon/bet"
	"evens/money"
	"evens/settlement"
)

// unconfirmed places a coupon whose answer is lost.
func (s *shop) unconfirmed(player uuid.UUID, stake string, coefs ...string) coupon.Coupon {
	s.t.Helper()
	s.bet = func(bet.Ticket) (bet.Answer, error) { return bet.Answer{}, errLost }
	placed, err := s.desk.Place(s.t.Context(), order(player, stake, coefs...))
	if err != nil || placed.Status != coupon.Unconfirmed {
		s.t.Fatalf("%+v, %v", placed, err)
	}
	s.bet = func(bet.Ticket) (bet.Answer, error) { return bet.Answer{BetCode: s.nextCode()}, nil }
	return placed
}

// expired is one that was given up: its stake went back.
func (s *shop) expired(player uuid.UUID, stake string, coefs ...string) coupon.Coupon {
	s.t.Helper()
	placed := s.unconfirmed(player, stake, coefs...)
	s.clock.forward(time.Hour)
	if err := s.desk.Confirm(s.t.Context(), placed.ID); err != nil {
		s.t.Fatal(err)
	}
	return placed
}

// adopt looks, holds that nothing has moved, and adopts. It settles what waits.
func (s *shop) adopt(id uuid.UUID, code string) (coupon.Adopted, error) {
	s.t.Helper()
	wish := coupon.Adoption{Coupon: id, BetCode: code, Operator: "ops@example.com", Comment: "BeT has it", DryRun: true}
	before := s.read(id)
	look, err := s.desk.AdoptByHand(s.t.Context(), wish)
	if now := s.read(id); now.Status != before.Status || now.BetCode != before.BetCode {
		s.t.Errorf("a look made it %s %s", now.Status, now.BetCode)
	}
	if err != nil {
		return look, err
	}
	wish.DryRun = false
	done, err := s.desk.AdoptByHand(s.t.Context(), wish)
	if err == nil && (done.CashTo != look.CashTo || done.Retaken != look.Retaken) {
		s.t.Errorf("adopted %+v, the look said %+v", done, look)
	}
	if err == nil {
		err = s.settler.SettleAdopted(s.t.Context(), done.Coupon.Provider, code)
	}
	return done, err
}

// The results that came before settle an unconfirmed coupon once it has its code.
func TestAdoptAnUnconfirmedCoupon(t *testing.T) {
	t.Parallel()
	s := open(t, settlement.Guard{})
	c := s.unconfirmed(s.player("100.00"), "10.00", "2.50")
	s.settle(lost("theirs", 1), won("theirs", 2, "25.00"))
	prospects, err := s.settler.Prospects(t.Context(), "theirs", c.ID)
	if err != nil || len(prospects) != 2 || prospects[1].Target.Payout.String() != "25.00" || prospects[1].Target.Outcome != settlement.Won {
		t.Errorf("prospects %+v, %v", prospects, err)
	}
	if _, err := s.adopt(c.ID, "theirs"); err != nil {
		t.Fatal(err)
	}
	s.is(c, coupon.Won, "25.00", "115.00")
	if _, err := s.adopt(c.ID, "theirs"); err == nil {
		t.Error("adopted twice")
	}
}

// A coupon that was given up is taken back: its stake too, though it has been spent meanwhile.
func TestAdoptAGivenUpCoupon(t *testing.T) {
	t.Parallel()
	s := open(t, settlement.Guard{})
	p := s.player("10.00")
	s.grant(p, "100.00", 40)
	c := s.expired(p, "40.00", "2.50")
	s.pockets(p, "10.00", "100.00", "0.00")
	s.place(p, "110.00", "2.00")
	done, err := s.adopt(c.ID, "theirs")
	if err != nil || done.Retaken.String() != "40.00" || done.CashTo.String() != "-10.00" || done.BonusTo.String() != "-30.00" {
		t.Fatalf("%+v, %v", done, err)
	}
	if got := s.staked(p); got != "150.00" {
		t.Errorf("staked %s", got)
	}
	s.settle(won("theirs", 3, "100.00"))
	s.is(c, coupon.Won, "100.00", "15.00")
	s.pockets(p, "15.00", "45.00", "40.00")
	if _, err := s.settler.Cancel(t.Context(), settlement.Cancellation{Coupon: c.ID, Operator: "o", Comment: "c"}); err != nil {
		t.Fatal(err)
	}
	s.pockets(p, "0.00", "0.00", "0.00")
}

func TestAdoptRefuses(t *testing.T) {
	t.Parallel()
	s := open(t, settlement.Guard{})
	p := s.player("100.00")
	taken, open := s.place(p, "10.00", "2.00"), s.unconfirmed(p, "10.00", "2.00")
	s.bet = func(bet.Ticket) (bet.Answer, error) {
		return bet.Answer{}, &bet.Rejection{Code: "odds", Message: "changed"}
	}
	rejected, err := s.desk.Place(t.Context(), order(p, "10.00", "2.00"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.adopt(open.ID, taken.BetCode); !errors.Is(err, coupon.ErrTaken) {
		t.Errorf("another's code: %v", err)
	}
	for _, id := range []uuid.UUID{taken.ID, rejected.ID} {
		if _, err := s.adopt(id, "new"); err == nil {
			t.Errorf("adopted a coupon that is %s", s.read(id).Status)
		}
	}
	if _, err := s.desk.AdoptByHand(t.Context(), coupon.Adoption{Coupon: uuid.New(), BetCode: "new", DryRun: true}); !errors.Is(err, coupon.ErrNotFound) {
		t.Errorf("no coupon: %v", err)
	}
	for _, code := range []string{"", "with blank", "a\x00b", "tab\t", string(make([]byte, 65))} {
		if _, err := s.desk.AdoptByHand(t.Context(), coupon.Adoption{Coupon: open.ID, BetCode: code, DryRun: true}); err == nil {
			t.Errorf("code %q", code)
		}
	}
	s.is(open, coupon.Unconfirmed, "0.00", "80.00")
}

// BeT's answer repeats what was sent; where it does not, a person sees it.
func TestBeTsAnswerIsHeldAgainstWhatWasSent(t *testing.T) {
	t.Parallel()
	s := open(t, settlement.Guard{})
	p := s.player("1000.00")
	coef := func(text string) money.Coef {
		c, err := money.ParseCoef(text)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	for i, test := range []struct {
		answer bet.Answer
		want   string // theirs, of the break
	}{
		{bet.Answer{}, ""},
		{bet.Answer{Stake: money.MustParse("10"), Events: 2, CoefOrig: coef("5.13"), Coef: coef("5.13")}, ""}, // 2.25 × 2.28 = 5.13
		{bet.Answer{CoefOrig: coef("5.139")}, ""},
		{bet.Answer{CoefOrig: coef("5.14")}, `{"CoefOrig": "5.14"}`},
		{bet.Answer{Stake: money.MustParse("100")}, `{"Bet": "100.00"}`},
		{bet.Answer{Events: 1}, `{"CountEvents": "1"}`},
		{bet.Answer{Events: 3, Stake: money.MustParse("9.99")}, `{"Bet": "9.99", "CountEvents": "3"}`},
	} {
		var code string
		s.bet = func(bet.Ticket) (bet.Answer, error) {
			test.answer.BetCode = s.nextCode()
			code = test.answer.BetCode
			return test.answer, nil
		}
		s.place(p, "10.00", "2.25", "2.28")
		var got string
		err := s.db.Pool.QueryRow(t.Context(), `SELECT coalesce(max(theirs::text), '') FROM breaks
			WHERE transaction_id = $1 AND provider = 'bet' AND kind = 'terms' AND state = 'open' AND action = 'person'`, code).Scan(&got)
		if err != nil || got != test.want {
			t.Errorf("%d: break %s, %v; want %s", i, got, err, test.want)
		}
	}
}

// A nominal has a currency of its own: BeT is told it, and AmountOut counts in it.
func TestANominalInItsOwnCurrency(t *testing.T) {
	t.Parallel()
	s := open(t, settlement.Guard{})
	desk := coupon.NewDesk(s.poster, s.store, coupon.Config{
		Bookmaker: asBookmaker{s}, RemoteHost: "http://us", Now: s.clock.Now, Log: slog.New(slog.DiscardHandler),
		Nominal: money.MustParse("1000"), NominalCurrency: "JPY",
	})
	var sent bet.Ticket
	s.bet = func(ticket bet.Ticket) (bet.Answer, error) {
		sent = ticket
		return bet.Answer{BetCode: s.nextCode(), Stake: money.MustParse("1000")}, nil
	}
	c, err := desk.Place(t.Context(), order(s.player("3000.00"), "2500.00", "1.50", "1.111"))
	if err != nil || c.Status != coupon.Accepted {
		t.Fatal(c, err)
	}
	if sent.Currency != "JPY" || sent.RealAmount.String() != "1000.00" {
		t.Errorf("BeT is told %s %s", sent.RealAmount, sent.Currency)
	}
	// 1000 × 1.6665 = 1666.50, which is 1667 in yen: 2.50 of the stake each. Its rounding is let pass.
	s.settle(void(c.BetCode, 1, "1667"))
	s.is(c, coupon.Won, "4167.50", "4667.50")
	s.settle(void(c.BetCode, 2, "1668"))
	s.is(c, coupon.Won, "4167.50", "4667.50")
	if states := s.states(); states["parked makes_no_sense"] != 1 {
		t.Errorf("results: %v", states)
	}
}
