package reconcile_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"evens/coupon"
	"evens/money"
	"evens/sim/betsim"
)

// A list may pay a coupon more than it has, and never less: that is a person's.
func TestAListTakesNothingBack(t *testing.T) {
	t.Parallel()
	c, chunks := openCounter(t, betsim.Config{Seed: 8}, 0)
	cash := func() money.Amount {
		balance, err := c.players.Balance(context.WithoutCancel(t.Context()), c.who.ID)
		fatal(t, err)
		return balance.Cash
	}
	var placed []coupon.Coupon
	csv := header
	at := func(minutes int) string {
		return time.Now().Add(time.Duration(minutes) * time.Minute).UTC().Format(time.RFC3339)
	}
	line := func(i int, amount, status string, minutes int) string {
		return fmt.Sprintf("%s,coupon,ana,%s,USD,%s,%s,\n", placed[i].BetCode, amount, status, at(minutes))
	}
	for i := range 4 {
		placed = append(placed, c.place("10"))
		csv += line(i, "15", "won", -3)
	}
	report := c.run(csv)
	if len(report.Breaks) != 4 {
		t.Fatalf("breaks: %v", found(report))
	}
	c.settle(chunks)
	before := cash()
	if before != money.MustParse("1020") {
		t.Fatalf("cash = %s", before)
	}
	report = c.run(header + line(0, "0", "lost", 1) + line(1, "14.99", "won", 1) + line(2, "0", "refunded", 1) + line(3, "17", "won", 1))
	same(t, found(report), map[string]string{
		"status " + placed[0].BetCode: "open person", "amount " + placed[1].BetCode: "open person",
		"status " + placed[2].BetCode: "open person", "amount " + placed[3].BetCode: "healing settle",
	})
	c.settle(chunks)
	if have := cash(); have != before+money.MustParse("2") {
		t.Errorf("cash = %s, want %s and 2", have, before)
	}
}
