package coupon_test

import (
	"context"
	"net/http/httptest"
	"testing"
	"time"

	"evens/coupon"
	"evens/coupon/bet"
	"evens/sim/betsim"
)

// A BeT that contradicts itself, spells coefficients with commas and gives codes too long: what it
// has is accepted in the end or waits for a person, and no stake goes back by itself.
func TestNoStakeGoesBackForABetThatStands(t *testing.T) {
	t.Parallel()
	sim := betsim.New(betsim.Config{Seed: 5, Contradict: 500, Noise: 300, LongCode: 100, Misspell: 100})
	server := httptest.NewServer(sim)
	t.Cleanup(server.Close)
	client, err := bet.New(bet.Config{URL: server.URL, Login: "demo", Password: "demo", Timeout: 10 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	places := func(ctx context.Context, ticket bet.Ticket) (bet.Answer, error) { return client.Place(ctx, ticket) }
	c := open(t, places, func(cfg *coupon.Config) { cfg.Reader = client })
	p := c.player("100.00")
	var all []coupon.Coupon
	for range 40 {
		all = append(all, c.place(order(p, "1.00", "2.00", "1.50")))
	}
	c.clock.forward(time.Hour)
	for _, id := range c.dueMany(100) {
		c.confirm(id)
	}
	standing := map[string]bool{}
	for _, stands := range sim.Coupons() {
		standing[stands.BetCode] = true
	}
	count := make(map[coupon.Status]int)
	for _, placed := range all {
		now := c.read(placed.ID)
		count[now.Status]++
		if now.Status == coupon.Accepted && (!standing[now.BetCode] || now.Coef.String() != "3.00") {
			t.Errorf("accepted as %q at %s, and it does not stand so", now.BetCode, now.Coef)
		}
		delete(standing, now.BetCode)
	}
	for _, w := range c.waiting() {
		delete(standing, w.BetCode)
	}
	if len(standing) != 0 {
		t.Errorf("nobody knows of %v", standing)
	}
	if count[coupon.Accepted] == 0 || count[coupon.Unconfirmed] == 0 || count[coupon.Rejected] != 0 {
		t.Errorf("coupons = %v, want accepted and waiting ones, none given up", count)
	}
	c.has(p, "60.00")
}
