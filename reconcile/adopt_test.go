package reconcile_test

import (
	"fmt"
	"net/http/httptest"
	"testing"
	"time"

	"evens/coupon"
	"evens/coupon/bet"
	"evens/money"
	"evens/reconcile"
	"evens/settlement"
	"evens/sim/betsim"
)

// unconfirmed places a coupon whose answer BeT keeps to itself.
func (c *counter) unconfirmed(stake string) (ours coupon.Coupon, theirs betsim.Coupon) {
	c.t.Helper()
	ours = c.place(stake)
	if ours.Status != coupon.Unconfirmed {
		c.t.Fatalf("placed: %+v", ours)
	}
	coupons := c.bet.Coupons()
	return ours, coupons[len(coupons)-1]
}

// stranger has BeT take a coupon that is nobody's of ours.
func (c *counter) stranger(pointer, amount string) betsim.Coupon {
	c.t.Helper()
	server := httptest.NewServer(c.bet)
	defer server.Close()
	client, err := bet.New(bet.Config{URL: server.URL, Login: "demo", Password: "demo"})
	fatal(c.t, err)
	parsed, err := bet.ParsePointer(pointer)
	fatal(c.t, err)
	_, _ = client.Place(c.t.Context(), bet.Ticket{ // its answer is lost, too
		Pointers: []bet.Pointer{parsed}, RealAmount: money.MustParse(amount), Currency: "USD", Lang: "en", RemoteHost: "http://elsewhere",
	})
	coupons := c.bet.Coupons()
	return coupons[len(coupons)-1]
}

func couponRow(code, player, amount, status string) string {
	return fmt.Sprintf("%s,coupon,%s,%s,USD,%s,%s,\n", code, player, amount, status, time.Now().UTC().Format(time.RFC3339))
}

func (c *counter) stands(id coupon.Coupon, status coupon.Status, code string) {
	c.t.Helper()
	now, err := c.store.Get(c.t.Context(), id.ID)
	fatal(c.t, err)
	if now.Status != status || now.BetCode != code {
		c.t.Errorf("coupon = %s %s, want %s %s", now.Status, now.BetCode, status, code)
	}
}

// Under a nominal every coupon of a minute has the same sum. A stranger's is not ours for that; ours is, for its
// selections and its coefficient.
func TestANominalAdoptsNoStranger(t *testing.T) {
	t.Parallel()
	c, _ := openCounter(t, betsim.Config{Seed: 11, LoseAnswer: 1000}, money.MustParse("1000"))
	stranger := c.stranger("line#77|17|9|0.5#2.00", "1000") // the same coefficient, another match
	ours, theirs := c.unconfirmed("12.34")
	for _, row := range []string{
		couponRow(stranger.BetCode, "", "1000", "open"), couponRow(stranger.BetCode, "", "2000", "won"),
		couponRow(stranger.BetCode, "ana", "2000", "won"), couponRow(stranger.BetCode, "", "0", "open"), couponRow("unheard-of", "", "2000", "open"),
	} {
		for _, b := range c.run(header + row).Breaks {
			if b.Kind == reconcile.MissingHere && (b.Action != reconcile.ActPerson || b.State != reconcile.StateOpen) {
				t.Errorf("%s is made ours: %+v", row, b)
			}
		}
		c.stands(ours, coupon.Unconfirmed, "")
	}
	report := c.run(header + couponRow(theirs.BetCode, "", "1000", "open"))
	if got := found(report)["missing_here "+theirs.BetCode]; got != "resolved adopt" {
		t.Errorf("our own: %s", got)
	}
	c.stands(ours, coupon.Accepted, theirs.BetCode)
}

// A BeT that tells no terms leaves the coefficient, by what could be won, and the player whom the list names.
func TestATerseBeTAdoptsByPlayerAndCoefficient(t *testing.T) {
	t.Parallel()
	c, _ := openCounter(t, betsim.Config{Seed: 12, LoseAnswer: 1000, Terse: true}, 0)
	ours, theirs := c.unconfirmed("12.34")
	for _, row := range []string{couponRow(theirs.BetCode, "", "12.34", "open"), couponRow(theirs.BetCode, "bob", "12.34", "open"), couponRow(theirs.BetCode, "ana", "12.35", "open")} {
		report := c.run(header + row)
		if got := found(report)["missing_here "+theirs.BetCode]; got != "open person" {
			t.Errorf("%s: %s", row, got)
		}
		c.stands(ours, coupon.Unconfirmed, "")
	}
	report := c.run(header + couponRow(theirs.BetCode, "ana", "12.34", "open"))
	if got := found(report)["missing_here "+theirs.BetCode]; got != "resolved adopt" {
		t.Errorf("with its player: %s", got)
	}
	c.stands(ours, coupon.Accepted, theirs.BetCode)
}

// Two coupons that are alike, or two codes of one: nobody knows which is which.
func TestTwinsAreAPersons(t *testing.T) {
	t.Parallel()
	c, _ := openCounter(t, betsim.Config{Seed: 13, LoseAnswer: 1000}, money.MustParse("1000"))
	first, theirs := c.unconfirmed("12.34")
	c.placed-- // the same match again
	second, others := c.unconfirmed("20.00")
	report := c.run(header + couponRow(theirs.BetCode, "", "1000", "open"))
	if got := found(report)["missing_here "+theirs.BetCode]; got != "open person" {
		t.Errorf("one of two coupons: %s", got)
	}
	if ended, err := c.settler.Cancel(t.Context(), cancellation(second)); err != nil || ended.CashTo.String() != "987.66" {
		t.Fatal(ended, err)
	}
	report = c.run(header + couponRow(theirs.BetCode, "", "1000", "open") + couponRow(others.BetCode, "", "1000", "open"))
	for _, code := range []string{theirs.BetCode, others.BetCode} {
		if got := found(report)["missing_here "+code]; got != "open adopt" {
			t.Errorf("one of two codes: %s", got)
		}
	}
	c.stands(first, coupon.Unconfirmed, "")
}

func cancellation(c coupon.Coupon) settlement.Cancellation {
	return settlement.Cancellation{Coupon: c.ID, Operator: "ops@example.com", Comment: "placed twice"}
}

// A coupon that BeT took on other terms than were sent is a person's, until a person ends it: no list does.
func TestOtherTermsAreAPersons(t *testing.T) {
	t.Parallel()
	c, _ := openCounter(t, betsim.Config{Seed: 14, Misquote: true}, 0)
	placed := c.place("12.34")
	for range 2 {
		if report := c.run(""); report.Matched != 1 || report.Closed != 0 {
			t.Errorf("%+v", report)
		}
	}
	breaks, err := c.Breaks(t.Context(), reconcile.Filter{Provider: reconcile.BeT, States: []reconcile.State{reconcile.StateOpen}})
	fatal(t, err)
	if len(breaks) != 1 || breaks[0].Kind != reconcile.Terms || breaks[0].TransactionID != placed.BetCode || breaks[0].Player != "ana" ||
		string(breaks[0].Theirs) != `{"Bet": "24.68", "CountEvents": "2"}` {
		t.Fatalf("%+v", breaks)
	}
	fatal(t, c.End(t.Context(), breaks[0].ID, reconcile.StateResolved, "ops@example.com", "BeT's display only"))
}
