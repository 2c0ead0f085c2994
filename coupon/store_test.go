package coupon_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"evens/coupon"
	"evens/coupon/bet"
)

func nullable(id uuid.UUID) uuid.NullUUID { return uuid.NullUUID{UUID: id, Valid: true} }

func TestList(t *testing.T) {
	t.Parallel()
	refuse := false
	all := takesAll()
	c := open(t, func(ctx context.Context, ticket bet.Ticket) (bet.Answer, error) {
		if refuse {
			return bet.Answer{}, &bet.Rejection{Code: bet.CodeSelectionBlocked}
		}
		return all(ctx, ticket)
	})
	anna, boris := c.player("100.00"), c.player("100.00")
	// a0 and b1 at 18:00, a2 and b3 at 18:10, a4 rejected at 18:20.
	var ids []uuid.UUID
	for i, p := range []uuid.UUID{anna, boris, anna, boris, anna} {
		if i > 0 && i%2 == 0 {
			c.clock.forward(10 * time.Minute)
		}
		refuse = i == 4
		ids = append(ids, c.place(order(p, "1.00", "2.00", "1.50")).ID)
	}
	for name, test := range map[string]struct {
		filter coupon.Filter
		want   string // numbers of the coupons, newest first
	}{
		"all":                 {coupon.Filter{}, "4 3 2 1 0"},
		"of Anna":             {coupon.Filter{Player: nullable(anna)}, "4 2 0"},
		"of a stranger":       {coupon.Filter{Player: nullable(uuid.New())}, ""},
		"accepted":            {coupon.Filter{Status: coupon.Accepted}, "3 2 1 0"},
		"of Anna, rejected":   {coupon.Filter{Player: nullable(anna), Status: coupon.Rejected}, "4"},
		"from is included":    {coupon.Filter{From: opening.Add(10 * time.Minute)}, "4 3 2"},
		"to is not":           {coupon.Filter{To: opening.Add(10 * time.Minute)}, "1 0"},
		"from and to":         {coupon.Filter{From: opening.Add(time.Second), To: opening.Add(20 * time.Minute)}, "3 2"},
		"the first page":      {coupon.Filter{Limit: 2}, "4 3"},
		"the second page":     {coupon.Filter{Limit: 2, Before: nullable(ids[3])}, "2 1"},
		"the last page":       {coupon.Filter{Limit: 2, Before: nullable(ids[1])}, "0"},
		"after the last":      {coupon.Filter{Limit: 2, Before: nullable(ids[0])}, ""},
		"Anna's second page":  {coupon.Filter{Player: nullable(anna), Limit: 1, Before: nullable(ids[4])}, "2"},
		"in another timezone": {coupon.Filter{To: opening.Add(10 * time.Minute).In(time.FixedZone("", 3*3600))}, "1 0"},
	} {
		list, err := c.store.List(t.Context(), test.filter)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, one := range list {
			got = append(got, string(rune('0'+slices.Index(ids, one.ID))))
			if len(one.Selections) != 2 {
				t.Errorf("%s: %d selections", name, len(one.Selections))
			}
		}
		if got := strings.Join(got, " "); got != test.want {
			t.Errorf("%s: coupons %q, want %q", name, got, test.want)
		}
	}
	many, err := c.store.Many(t.Context(), []uuid.UUID{ids[1], uuid.New(), ids[2], ids[1]})
	if err != nil || len(many) != 2 {
		t.Errorf("Many() = %d coupons, %v, want 2", len(many), err)
	}
	if _, err := c.store.Get(t.Context(), uuid.New()); !errors.Is(err, coupon.ErrNotFound) {
		t.Errorf("Get() of no coupon = %v, want ErrNotFound", err)
	}
}
