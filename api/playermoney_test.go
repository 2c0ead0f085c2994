package api

import (
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"evens/wallet"
	"evens/wallet/campaign"
)

// campaigns are those of the example that the documents show.
func campaigns(t *testing.T) *campaign.Book {
	t.Helper()
	f, err := os.Open("../docs/campaigns.example.yml")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	book, err := campaign.Read(f)
	if err != nil {
		t.Fatal(err)
	}
	return book
}

// limits puts a player's limits and reads them back.
func (b bundle) limits(t *testing.T, id string, body any) limitsView {
	t.Helper()
	put := b.call(t, "PUT", "/v1/players/"+id+"/limits", body)
	if put.status != http.StatusOK {
		t.Fatalf("put limits: %d %s", put.status, put.body)
	}
	got := b.call(t, "GET", "/v1/players/"+id+"/limits", nil)
	if got.body != put.body {
		t.Errorf("PUT answered %s, GET %s", put.body, got.body)
	}
	var view limitsView
	got.into(t, &view)
	return view
}

func text(s *string) string {
	if s == nil {
		return "null"
	}
	return *s
}

func TestLimitsAreSetAndHeld(t *testing.T) {
	t.Parallel()
	b := setup(t)
	p := b.player(t, "100")
	var none limitsView
	b.call(t, "GET", "/v1/players/"+p.ID+"/limits", nil).into(t, &none)
	if none.Deposit.Daily != nil || none.Window != "calendar" || none.TimeZone != "UTC" {
		t.Errorf("without limits: %+v", none)
	}
	view := b.limits(t, p.ID, fields{
		"deposit": fields{"daily": "150.00"}, "wager": fields{"weekly": "20", "monthly": "0"}, "time_zone": "Europe/Lisbon",
	})
	if text(view.Deposit.Daily) != "150.00" || text(view.Wager.Weekly) != "20.00" || text(view.Wager.Monthly) != "0.00" || view.Loss.Daily != nil {
		t.Errorf("limits %+v", view)
	}
	if view.Used.Deposit.Daily != "100.00" || len(view.Pending) != 0 || view.TimeZone != "Europe/Lisbon" {
		t.Errorf("used %+v, pending %+v in %s", view.Used, view.Pending, view.TimeZone)
	}
	over := b.call(t, "POST", "/v1/players/"+p.ID+"/deposits", depositBody("50.01"), idempotent("over"))
	if problem := over.check(t, http.StatusForbidden, CodeLimitExceeded); !strings.Contains(problem.Detail, "150.00") {
		t.Errorf("detail %q", problem.Detail)
	}
	stake := b.call(t, "POST", "/v1/coupons", couponBody(p.ID), idempotent("stake"))
	stake.check(t, http.StatusForbidden, CodeLimitExceeded)
	// Raised, or taken away: a day later. What is not named stays.
	view = b.limits(t, p.ID, fields{"wager": fields{"monthly": nil, "weekly": "10"}, "deposit": fields{"daily": "151"}})
	if text(view.Wager.Monthly) != "0.00" || text(view.Wager.Weekly) != "10.00" || text(view.Deposit.Daily) != "150.00" || len(view.Pending) != 2 {
		t.Errorf("limits %+v", view)
	}
	for _, waiting := range view.Pending {
		if until := time.Until(waiting.From); until < 23*time.Hour || until > 24*time.Hour {
			t.Errorf("%s %s waits for %s", waiting.Limit, waiting.Period, until)
		}
	}
	if cash := b.cash(t, p.ID); cash != "100.00" {
		t.Errorf("cash %s", cash)
	}
	// The same keys are refused again, whatever the limits are by then.
	b.call(t, "POST", "/v1/coupons", couponBody(p.ID), idempotent("stake")).check(t, http.StatusForbidden, CodeLimitExceeded)
}

func TestWhoIsExcludedIsBlocked(t *testing.T) {
	t.Parallel()
	b := setup(t)
	p := b.player(t, "100")
	until := time.Now().Add(48 * time.Hour).UTC().Truncate(time.Second)
	view := b.limits(t, p.ID, fields{"excluded_until": until})
	if view.ExcludedUntil == nil || !view.ExcludedUntil.Equal(until) {
		t.Errorf("excluded until %v", view.ExcludedUntil)
	}
	b.call(t, "POST", "/v1/coupons", couponBody(p.ID), idempotent("stake")).check(t, http.StatusForbidden, CodePlayerBlocked)
	b.call(t, "POST", "/v1/players/"+p.ID+"/deposits", depositBody("1"), idempotent("d")).check(t, http.StatusForbidden, CodePlayerBlocked)
	b.call(t, "PUT", "/v1/players/"+p.ID+"/limits", fields{"excluded_until": until.Add(-time.Hour)}).check(t, http.StatusConflict, CodeExclusionActive)
	if got := b.call(t, "POST", "/v1/players/"+p.ID+"/withdrawals", depositBody("100"), idempotent("w")); got.status != http.StatusOK {
		t.Errorf("a withdrawal: %d %s", got.status, got.body)
	}
}

func TestBadLimits(t *testing.T) {
	t.Parallel()
	b := setup(t)
	p := b.player(t, "")
	path := "/v1/players/" + p.ID + "/limits"
	for _, test := range []struct {
		body     any
		code     string
		location string
	}{
		{fields{"deposit": fields{"daily": "-1"}}, CodeInvalidAmount, "body.deposit.daily"},
		{fields{"loss": fields{"weekly": "1.00001"}}, CodeInvalidAmount, "body.loss.weekly"},
		{fields{"wager": fields{"monthly": 7}}, CodeValidationFailed, "body.wager.monthly"},
		{fields{"wager": fields{"yearly": "7"}}, CodeValidationFailed, "body.wager.yearly"},
		{fields{"wager": "7"}, CodeValidationFailed, "body.wager"},
		{fields{"time_zone": "Mars/Olympus"}, CodeValidationFailed, "body.time_zone"},
		{fields{"window": "sliding"}, CodeValidationFailed, "body.window"},
		{fields{"excluded_until": "2001-01-01T00:00:00Z"}, CodeValidationFailed, "body.excluded_until"},
		{fields{"cooling_off_until": "soon"}, CodeValidationFailed, "body.cooling_off_until"},
		{`[]`, CodeValidationFailed, "body"},
	} {
		problem := b.call(t, "PUT", path, test.body).check(t, http.StatusUnprocessableEntity, test.code)
		if len(problem.Errors) == 0 || problem.Errors[0].Location != test.location {
			t.Errorf("%v: %+v, want %s", test.body, problem.Errors, test.location)
		}
	}
	b.call(t, "GET", "/v1/players/"+uuid.NewString()+"/limits", nil).check(t, http.StatusNotFound, CodePlayerNotFound)
	b.call(t, "PUT", "/v1/players/"+uuid.NewString()+"/limits", fields{"deposit": fields{"daily": "1"}}).check(t, http.StatusNotFound, CodePlayerNotFound)
	var rows int
	if err := b.db.Pool.QueryRow(t.Context(), `SELECT count(*) FROM allowances`).Scan(&rows); err != nil || rows != 0 {
		t.Errorf("%d allowances, %v", rows, err)
	}
}

func TestABonusIsGrantedOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	p := b.player(t, "10")
	path := "/v1/players/" + p.ID + "/bonuses"
	body := fields{"amount": "100.00", "wagering": "40"}
	first := b.call(t, "POST", path, body, idempotent("k"))
	again := b.call(t, "POST", path, body, idempotent("k"))
	if first.status != http.StatusCreated || again.body != first.body {
		t.Fatalf("granted %d %s, again %d %s", first.status, first.body, again.status, again.body)
	}
	var bonus bonusView
	first.into(t, &bonus)
	if bonus.Status != "active" || bonus.Granted != "100.00" || bonus.Balance != "100.00" || bonus.Required != "4000.00" || bonus.Wagered != "0.00" || bonus.ExpiresAt != nil {
		t.Errorf("the bonus is %+v", bonus)
	}
	b.call(t, "POST", path, body.with("amount", "99"), idempotent("k")).check(t, http.StatusConflict, CodeIdempotencyConflict)
	b.call(t, "POST", path, body, idempotent("k2")).check(t, http.StatusConflict, CodeBonusActive)
	b.call(t, "POST", path, body).check(t, http.StatusConflict, CodeBonusActive)

	var wallet walletView
	b.call(t, "GET", "/v1/players/"+p.ID+"/wallet", nil).into(t, &wallet)
	if wallet.Cash != "10.00" || wallet.Bonus != "100.00" || wallet.Total != "110.00" {
		t.Errorf("the wallet is %+v", wallet)
	}
	// A coupon of 15.50: 10 of cash, 5.50 of the bonus.
	b.place(t, p.ID)
	var page struct {
		Items []transactionView
		Next  *string `json:"next_cursor"`
	}
	b.call(t, "GET", "/v1/players/"+p.ID+"/transactions?type=stake,bonus", nil).into(t, &page)
	if len(page.Items) != 2 || page.Items[0].Balance != "0.00" || page.Items[0].BonusBalance != "94.50" || page.Items[1].Type != "bonus" {
		t.Errorf("the history has %+v", page.Items)
	}
	if got := b.call(t, "POST", "/v1/players/"+p.ID+"/withdrawals", depositBody("0.01"), idempotent("w")); got.status != http.StatusPaymentRequired {
		t.Errorf("bonus money was withdrawn: %d %s", got.status, got.body)
	}
	var list struct {
		Items []bonusView
		Next  *string `json:"next_cursor"`
	}
	b.call(t, "GET", path, nil).into(t, &list)
	if len(list.Items) != 1 || list.Items[0].ID != bonus.ID || list.Items[0].Balance != "94.50" || list.Next != nil {
		t.Errorf("the list is %+v", list)
	}
}

func TestABonusOfACampaign(t *testing.T) {
	t.Parallel()
	b := setup(t)
	p := b.player(t, "")
	path := "/v1/players/" + p.ID + "/bonuses"
	for _, test := range []struct {
		body     fields
		code     string
		location string
	}{
		{fields{"campaign": "free-play", "amount": "50.01"}, CodeInvalidAmount, "body.amount"},
		{fields{"campaign": "nothing", "amount": "5"}, CodeValidationFailed, "body.campaign"},
		{fields{"campaign": "free-play", "amount": "5", "wagering": "4"}, CodeValidationFailed, "body.wagering"},
		{fields{"amount": "5"}, CodeValidationFailed, "body.wagering"},
		{fields{"amount": "5", "wagering": "0"}, CodeValidationFailed, "body.wagering"},
		{fields{"amount": "5", "wagering": "forty"}, CodeValidationFailed, "body.wagering"},
		{fields{"amount": "5", "wagering": "1001"}, CodeValidationFailed, "body.wagering"},
		{fields{"amount": "0", "wagering": "1"}, CodeInvalidAmount, "body.amount"},
		{fields{"wagering": "1"}, CodeValidationFailed, "body.amount"},
		{fields{"amount": "5", "wagering": "1", "expires_at": "2001-01-01T00:00:00Z"}, CodeValidationFailed, "body.expires_at"},
	} {
		problem := b.call(t, "POST", path, test.body).check(t, http.StatusUnprocessableEntity, test.code)
		if len(problem.Errors) == 0 || problem.Errors[0].Location != test.location {
			t.Errorf("%v: %+v, want %s", test.body, problem.Errors, test.location)
		}
	}
	got := b.call(t, "POST", path, fields{"campaign": "free-play", "amount": "50"})
	var bonus bonusView
	got.into(t, &bonus)
	if got.status != http.StatusCreated || bonus.Required != "250.00" || text(bonus.Campaign) != "free-play" || bonus.ExpiresAt == nil {
		t.Errorf("%d %s", got.status, got.body)
	}
	b.call(t, "POST", "/v1/players/"+uuid.NewString()+"/bonuses", fields{"amount": "5", "wagering": "1"}).check(t, http.StatusNotFound, CodePlayerNotFound)
}

func TestBonusesPageByPage(t *testing.T) {
	t.Parallel()
	b := setup(t)
	p, other := b.player(t, ""), b.player(t, "")
	b.call(t, "POST", "/v1/players/"+other.ID+"/bonuses", fields{"amount": "9", "wagering": "1"})
	for i := range 3 {
		got := b.call(t, "POST", "/v1/players/"+p.ID+"/bonuses", fields{"amount": fmt.Sprint(i + 1), "wagering": "1"})
		if got.status != http.StatusCreated {
			t.Fatalf("%d %s", got.status, got.body)
		}
		var bonus bonusView
		got.into(t, &bonus)
		err := wallet.ForfeitBonus(t.Context(), b.config.Poster, wallet.Forfeiture{
			Player: uuid.MustParse(p.ID), Bonus: uuid.MustParse(bonus.ID), Operator: "ana", Comment: "for the next", At: b.config.Now(),
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	var granted []string
	path := "/v1/players/" + p.ID + "/bonuses?limit=2"
	for cursor := ""; ; {
		var page struct {
			Items []bonusView
			Next  *string `json:"next_cursor"`
		}
		b.call(t, "GET", path+cursor, nil).into(t, &page)
		for _, bonus := range page.Items {
			granted = append(granted, bonus.Granted)
		}
		if page.Next == nil {
			break
		}
		cursor = "&cursor=" + *page.Next
	}
	if strings.Join(granted, " ") != "3.00 2.00 1.00" {
		t.Errorf("granted %v", granted)
	}
	b.call(t, "GET", "/v1/players/"+p.ID+"/bonuses?cursor=xyz", nil).check(t, http.StatusUnprocessableEntity, CodeValidationFailed)
}
