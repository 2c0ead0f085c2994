package campaign

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"evens/money"
	"evens/wallet"
)

var noon = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

// The example that the documents show is one that is read.
func TestTheExampleIsRead(t *testing.T) {
	t.Parallel()
	f, err := os.Open("../../docs/campaigns.example.yml")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	book, err := Read(f)
	if err != nil {
		t.Fatal(err)
	}
	welcome, err := book.Find("welcome")
	if err != nil || welcome.Wagering != 40*money.One || welcome.Percent != 15_000 || welcome.UpTo.String() != "300.00" || welcome.ValidFor != 720*time.Hour {
		t.Errorf("welcome = %+v, %v", welcome, err)
	}
	terms := welcome.Terms
	if terms.Games["slots"] != wallet.Whole || terms.Games["table"] != wallet.Whole/10 || terms.Other != 0 || terms.Sports != wallet.Whole/2 || terms.MinCoef.String() != "1.50" {
		t.Errorf("its terms are %+v", terms)
	}
	if grant, ok := book.OnFirstDeposit("USD", money.MustParse("33.33"), noon); !ok || grant.Amount.String() != "50.00" || !grant.ExpiresAt.Equal(noon.Add(720*time.Hour)) {
		t.Errorf("for 33.33 it gives %s, %t", grant.Amount, ok)
	}
	if _, ok := book.OnFirstDeposit("EUR", money.MustParse("100"), noon); ok {
		t.Error("it gives in another currency")
	}
	if _, err := book.Find("nothing"); !errors.Is(err, wallet.ErrNoCampaign) {
		t.Errorf("Find(nothing) = %v", err)
	}
}

const whole = `
jurisdictions:
  MT: {max_wagering: "30"}
campaigns:
  - {name: a, currency: USD, wagering: "10", contributions: {slots: "100"}, max_amount: "50"`

func TestCampaignsThatAreRefused(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, text, says string }{
		{"more than Great Britain allows", `campaigns: [{name: a, jurisdiction: GB, currency: USD, wagering: "10.5", contributions: {slots: "100"}}]`, "wagering: GB"},
		{"two products in Great Britain", `campaigns: [{name: a, jurisdiction: GB, currency: USD, wagering: "10", contributions: {slots: "100", sports: "50"}}]`, "contributions: GB"},
		{"more than its own law allows", whole + "}\n  - {name: b, jurisdiction: MT, currency: USD, wagering: \"31\", contributions: {slots: \"100\"}}", "wagering: MT"},
		{"a law that is not listed", `campaigns: [{name: a, jurisdiction: XX, currency: USD, wagering: "1", contributions: {slots: "1"}}]`, "jurisdiction: XX"},
		{"two of a name", whole + "}\n  - {name: a, currency: USD, wagering: \"1\", contributions: {slots: \"100\"}}", "name"},
		{"no name", `campaigns: [{currency: USD, wagering: "1", contributions: {slots: "1"}}]`, "name"},
		{"no currency", `campaigns: [{name: a, wagering: "1", contributions: {slots: "1"}}]`, "currency"},
		{"no wagering", `campaigns: [{name: a, currency: USD, contributions: {slots: "1"}}]`, "wagering"},
		{"nothing counts", `campaigns: [{name: a, currency: USD, wagering: "1"}]`, "contributions"},
		{"more than all counts", `campaigns: [{name: a, currency: USD, wagering: "1", contributions: {slots: "100.01"}}]`, "contributions.slots"},
		{"less than nothing counts", `campaigns: [{name: a, currency: USD, wagering: "1", contributions: {slots: "-1"}}]`, "contributions.slots"},
		{"a finer percent than there is", `campaigns: [{name: a, currency: USD, wagering: "1", contributions: {slots: "1.001"}}]`, "contributions.slots"},
		{"a deposit bonus without a ceiling", `campaigns: [{name: a, currency: USD, wagering: "1", contributions: {slots: "1"}, first_deposit: {percent: "100"}}]`, "first_deposit.up_to"},
		{"a stake of less than nothing", `campaigns: [{name: a, currency: USD, wagering: "1", contributions: {slots: "1"}, max_stake: "-1"}]`, "max_stake"},
		{"a field that is none", `campaigns: [{name: a, colour: red}]`, "colour"},
		{"no YAML", `campaigns: [`, "campaigns"},
	} {
		if _, err := Read(strings.NewReader(test.text)); err == nil || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: %v, want something about %s", test.name, err, test.says)
		}
	}
	if book, err := Read(strings.NewReader("")); err != nil || len(book.List()) != 0 {
		t.Errorf("an empty file: %v", err)
	}
}

func TestWhatACampaignGives(t *testing.T) {
	t.Parallel()
	book, err := Read(strings.NewReader(whole + ", from: 2026-06-01T12:00:00Z, to: 2026-06-02T12:00:00Z}"))
	if err != nil {
		t.Fatal(err)
	}
	c, err := book.Find("a")
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		amount   string
		currency money.Currency
		at       time.Time
		want     error
	}{
		{"50", "USD", noon, nil},
		{"50.01", "USD", noon, ErrTooMuch},
		{"50", "EUR", noon, wallet.ErrCurrency},
		{"50", "USD", noon.Add(-time.Second), ErrOver},
		{"50", "USD", noon.AddDate(0, 0, 1), ErrOver},
	} {
		if _, err := c.Grant(money.MustParse(test.amount), test.currency, test.at); !errors.Is(err, test.want) {
			t.Errorf("%+v: %v", test, err)
		}
	}
	if _, ok := book.OnFirstDeposit("USD", money.Scale, noon); ok {
		t.Error("what is given by hand was given by itself")
	}
}

// What comes from a file never ends the program, whatever it is.
func FuzzRead(f *testing.F) {
	f.Add(whole + "}")
	f.Add(`campaigns: [{name: a, wagering: "1e9", first_deposit: {percent: "99999999999999999999", up_to: "0"}}]`)
	f.Fuzz(func(t *testing.T, text string) {
		book, err := Read(strings.NewReader(text))
		if err != nil {
			return
		}
		for _, c := range book.List() {
			if c.Wagering <= 0 || c.Terms == nil {
				t.Errorf("read %+v", c)
			}
			if grant, ok := book.OnFirstDeposit(c.Currency, money.Scale, noon); ok && (grant.Amount <= 0 || grant.Amount > c.UpTo && c.Percent > 0 && len(book.List()) == 1) {
				t.Errorf("%+v gives %s", c, grant.Amount)
			}
		}
	})
}
