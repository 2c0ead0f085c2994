package api

import (
	"encoding/json"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"evens/coupon"
	"evens/coupon/bet"
	"evens/money"
	"evens/wallet"
)

func TestCouponIsAccepted(t *testing.T) {
	t.Parallel()
	b := setup(t)
	kickOff := time.Date(2025, 6, 1, 18, 30, 0, 0, time.UTC)
	b.bookmaker.answers(func(bet.Ticket) (bet.Answer, error) {
		return bet.Answer{BetCode: "BC-1", Coef: 1_990_000, Selections: []bet.AcceptedSelection{
			{Teams: "Ann - Bob", Tournament: "Cup", BetName: "Total over 0.5", Coef: 1_990_000, EventDate: kickOff},
		}}, nil
	})
	p := b.player(t, "100")
	placed := b.call(t, "POST", "/v1/coupons", couponBody(p.ID), idempotent("k1"))
	var got couponView
	placed.into(t, &got)
	want := couponView{
		ID: got.ID, PlayerID: p.ID, Status: "accepted", Stake: "15.50", Currency: "USD", Coef: "1.99", PossibleWin: "30.85",
		Payout: "0.00", BetCode: new("BC-1"), RateMode: "reject", PlacedAt: got.PlacedAt,
		Selections: []selectionView{{
			Pointer: "live#187183313|17|9|0.5#1.99", MatchID: "187183313", Teams: new("Ann - Bob"), Tournament: new("Cup"),
			BetName: new("Total over 0.5"), Coef: "1.99", Live: true, EventDate: new(kickOff),
		}},
		Settlements: []settlementView{},
	}
	if diff := cmp.Diff(want, got); placed.status != http.StatusCreated || diff != "" {
		t.Errorf("placed: %d (-want +got):\n%s", placed.status, diff)
	}
	if location := placed.header.Get("Location"); location != "/v1/coupons/"+got.ID {
		t.Errorf("Location = %q, want the coupon's address", location)
	}
	read := b.call(t, "GET", "/v1/coupons/"+got.ID, nil)
	if read.status != http.StatusOK || read.body != placed.body {
		t.Errorf("read: %d %s, want what placing answered: %s", read.status, read.body, placed.body)
	}
	if cash := b.cash(t, p.ID); cash != "84.50" {
		t.Errorf("cash = %s, want 84.50", cash)
	}
}

func TestCouponFieldsAreAllThere(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.bookmaker.answers(func(bet.Ticket) (bet.Answer, error) { return bet.Answer{}, &bet.UnknownError{Reason: "test"} })
	p := b.player(t, "100")
	var got map[string]any
	b.call(t, "POST", "/v1/coupons", couponBody(p.ID), idempotent("k1")).into(t, &got)
	want := []string{
		"bet_code", "coef", "currency", "error", "id", "payout", "placed_at", "player_id", "possible_win", "rate_mode",
		"selections", "settled_at", "settlements", "stake", "status",
	}
	var names []string
	for name := range got {
		names = append(names, name)
	}
	slices.Sort(names)
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("fields (-want +got):\n%s", diff)
	}
	if got["status"] != "unconfirmed" || got["bet_code"] != nil || got["settled_at"] != nil || got["error"] == nil {
		t.Errorf("coupon = %v, want unconfirmed with an error and nulls", got)
	}
	if cash := b.cash(t, p.ID); cash != "84.50" {
		t.Errorf("cash = %s, want the stake reserved: 84.50", cash)
	}
}

func TestRejectedCouponReturnsItsStake(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.bookmaker.answers(func(bet.Ticket) (bet.Answer, error) {
		return bet.Answer{}, &bet.Rejection{Code: "coef_changed", Message: "the coefficient has changed"}
	})
	p := b.player(t, "100")
	got := b.place(t, p.ID)
	if got.Status != "rejected" || got.Error == nil || *got.Error != (couponError{"coef_changed", "the coefficient has changed"}) {
		t.Errorf("coupon = %+v, error %+v, want rejected with the bookmaker's code", got, got.Error)
	}
	if cash := b.cash(t, p.ID); cash != "100.00" {
		t.Errorf("cash = %s, want 100.00", cash)
	}
}

func TestCouponDefaults(t *testing.T) {
	t.Parallel()
	b := setup(t)
	var asked bet.Ticket
	b.bookmaker.answers(func(ticket bet.Ticket) (bet.Answer, error) {
		asked = ticket
		return bet.Answer{BetCode: "BC-1"}, nil
	})
	p := b.player(t, "100")
	body := couponBody(p.ID).with("lang", nil).with("rate_mode", nil)
	placed := b.call(t, "POST", "/v1/coupons", body, idempotent("k1"))
	if placed.status != http.StatusCreated || asked.Lang != "en" || asked.RateMode != "reject" {
		t.Errorf("asked the bookmaker in %q with rate mode %q (%d %s), want en and reject", asked.Lang, asked.RateMode, placed.status, placed.body)
	}
	again := b.call(t, "POST", "/v1/coupons", couponBody(p.ID), idempotent("k1"))
	if again.status != http.StatusCreated || again.body != placed.body {
		t.Errorf("the same with the defaults spelled out: %d %s, want %s", again.status, again.body, placed.body)
	}
}

func TestSameKeySameCoupon(t *testing.T) {
	t.Parallel()
	b := setup(t)
	p := b.player(t, "100")
	first := b.call(t, "POST", "/v1/coupons", couponBody(p.ID), idempotent("k1"))
	again := b.call(t, "POST", "/v1/coupons", couponBody(p.ID), idempotent("k1"))
	if again.status != http.StatusCreated || again.body != first.body {
		t.Errorf("again: %d %s, want %d %s", again.status, again.body, first.status, first.body)
	}
	b.call(t, "POST", "/v1/coupons", couponBody(p.ID).with("stake", "15.51"), idempotent("k1")).
		check(t, http.StatusConflict, CodeIdempotencyConflict)
	if got := b.bookmaker.placed.Load(); got != 1 {
		t.Errorf("the bookmaker was asked %d times, want once", got)
	}
	if cash := b.cash(t, p.ID); cash != "84.50" {
		t.Errorf("cash = %s, want one stake taken: 84.50", cash)
	}
}

func TestBlockedPlayerMayNotStake(t *testing.T) {
	t.Parallel()
	b := setup(t)
	p := b.player(t, "100")
	if err := b.config.Players.SetStatus(t.Context(), uuid.MustParse(p.ID), wallet.Blocked, "op@example.com", ""); err != nil {
		t.Fatal(err)
	}
	b.call(t, "POST", "/v1/coupons", couponBody(p.ID), idempotent("k1")).check(t, http.StatusForbidden, CodePlayerBlocked)
	if cash := b.cash(t, p.ID); cash != "100.00" {
		t.Errorf("cash = %s, want 100.00", cash)
	}
}

func TestWithoutABookmakerNothingIsPlaced(t *testing.T) {
	t.Parallel()
	b := setup(t)
	p := b.player(t, "100")
	b.config.Desk = nil
	b.url = serve(t, New(b.config))
	b.call(t, "POST", "/v1/coupons", couponBody(p.ID), idempotent("k1")).
		check(t, http.StatusServiceUnavailable, CodeProviderNotConfigured)
}

func TestCouponsAreListedNewestFirst(t *testing.T) {
	t.Parallel()
	b := setup(t)
	p, other := b.player(t, "1000"), b.player(t, "100")
	var placed []string
	for range 5 {
		placed = append(placed, b.place(t, p.ID).ID)
	}
	b.bookmaker.answers(func(bet.Ticket) (bet.Answer, error) { return bet.Answer{}, &bet.Rejection{Code: "x"} })
	rejected := b.place(t, p.ID)
	foreign := b.place(t, other.ID)
	slices.Reverse(placed)

	all := b.listCoupons(t, "")
	if want := append([]string{foreign.ID, rejected.ID}, placed...); !slices.Equal(all, want) {
		t.Errorf("all: %v, want %v", all, want)
	}
	for query, want := range map[string][]string{
		"player_id=" + p.ID + "&limit=2":                      append([]string{rejected.ID}, placed...),
		"player_id=" + other.ID:                               {foreign.ID},
		"status=rejected&player_id=" + p.ID:                   {rejected.ID},
		"status=won":                                          nil,
		"from=" + rejected.PlacedAt.Format(time.RFC3339Nano):  {foreign.ID, rejected.ID},
		"to=" + rejected.PlacedAt.Format(time.RFC3339Nano):    placed,
		"player_id=" + uuid.NewString():                       nil,
		"status=accepted&limit=5&player_id=" + p.ID:           placed,
		"status=accepted&limit=1&from=2020-01-01T00:00:00Z":   placed,
		"status=accepted&limit=4&from=2020-01-01T00:00:00.5Z": placed,
	} {
		if got := b.listCoupons(t, query); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", query, got, want)
		}
	}
}

// listCoupons reads every page.
func (b bundle) listCoupons(t *testing.T, query string) []string {
	t.Helper()
	var ids []string
	cursor := ""
	for {
		var page couponPage
		b.call(t, "GET", "/v1/coupons?"+query+cursor, nil).into(t, &page)
		for _, item := range page.Items {
			ids = append(ids, item.ID)
		}
		if page.NextCursor == nil {
			return ids
		}
		cursor = "&cursor=" + *page.NextCursor
	}
}

func TestSettledCouponShowsEverySettlement(t *testing.T) {
	t.Parallel()
	at := time.Date(2025, 6, 1, 20, 0, 0, 0, time.UTC)
	c := coupon.Coupon{
		ID: uuid.Max, Status: coupon.Refunded, Currency: "USD", Stake: amount("15.5"), Coef: money.One, Payout: amount("15.5"), SettledAt: at,
		Settlements: []coupon.Settlement{
			{At: at, Outcome: "won", PayoutAfter: amount("30.85"), Result: coupon.Result{Status: 2, AmountOut: amount("30.85"), HasAmount: true, DecidedAt: at}},
			{At: at, Outcome: "refunded", PayoutBefore: amount("30.85"), PayoutAfter: amount("15.5"), Result: coupon.Result{Status: 2, ExtStatus: 1, DecidedAt: at}},
			{At: at, Outcome: "cancelled", PayoutBefore: amount("15.5"), PayoutAfter: amount("15.5")},
		},
	}
	got, err := json.Marshal(viewCoupon(&c).Settlements)
	want := `[{"at":"2025-06-01T20:00:00Z","outcome":"won","payout_before":"0.00","payout_after":"30.85",` +
		`"result":{"status":2,"ext_status":0,"amount_out":"30.85","decided_at":"2025-06-01T20:00:00Z"}},` +
		`{"at":"2025-06-01T20:00:00Z","outcome":"refunded","payout_before":"30.85","payout_after":"15.50",` +
		`"result":{"status":2,"ext_status":1,"amount_out":null,"decided_at":"2025-06-01T20:00:00Z"}},` +
		`{"at":"2025-06-01T20:00:00Z","outcome":"cancelled","payout_before":"15.50","payout_after":"15.50","result":null}]`
	if err != nil || string(got) != want {
		t.Errorf("settlements = %s, %v, want %s", got, err, want)
	}
}
