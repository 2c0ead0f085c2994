package campaign

import (
	"strings"
	"testing"

	"evens/wallet"
)

const overridden = `campaigns:
  - name: a
    currency: USD
    wagering: "10"
    contributions: {slots: "100", other: "0"}
    overrides:
      - {provider: betron, rate: "50"}
      - {provider: betron, studio: Evolution Gaming, rate: "10"}
      - {provider: betron, game: LIVE_007, rate: "5"}
      - {studio: PG Soft, rate: "25"}`

// What an override says of a game is read from the file; a campaign that says nothing of a platform is
// blind to it where it rates by categories.
func TestOverrides(t *testing.T) {
	t.Parallel()
	book, err := Read(strings.NewReader(overridden))
	if err != nil {
		t.Fatal(err)
	}
	c, err := book.Find("a")
	if err != nil {
		t.Fatal(err)
	}
	want := []wallet.Override{
		{Provider: "betron", Rate: wallet.Whole / 2}, {Provider: "betron", Studio: "Evolution Gaming", Rate: wallet.Whole / 10},
		{Provider: "betron", Game: "LIVE_007", Rate: wallet.Whole / 20}, {Studio: "PG Soft", Rate: wallet.Whole / 4},
	}
	if len(c.Terms.Overrides) != len(want) {
		t.Fatalf("overrides: %+v", c.Terms.Overrides)
	}
	for i := range want {
		if c.Terms.Overrides[i] != want[i] {
			t.Errorf("override %d: %+v, want %+v", i, c.Terms.Overrides[i], want[i])
		}
	}
	if blind := book.Blind("betron"); len(blind) != 0 {
		t.Errorf("it is blind to betron: %v", blind)
	}
	if blind := book.Blind("tg"); len(blind) != 1 || blind[0] != "a" {
		t.Errorf("it is blind to tg: %v", blind)
	}
	for text, says := range map[string]string{
		`[{rate: "5"}]`:                     "overrides.1: names neither",
		`[{game: x, rate: "5"}]`:            "overrides.1: names neither",
		`[{provider: betron}]`:              "overrides.1.rate: is missing",
		`[{provider: betron, rate: "101"}]`: "overrides.1.rate: must be",
		`[{provider: betron, rate: "5"}, {provider: betron, rate: "6"}]`: "overrides.2: names the same games",
		`[{provider: betron, category: slots, rate: "5"}]`:               "category",
	} {
		_, err := Read(strings.NewReader(`campaigns: [{name: a, currency: USD, wagering: "1", contributions: {slots: "1"}, overrides: ` + text + `}]`))
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v, want %q", text, err, says)
		}
	}
	_, err = Read(strings.NewReader(`campaigns: [{name: a, jurisdiction: GB, currency: USD, wagering: "1", contributions: {sports: "50"}, overrides: [{provider: tg, rate: "5"}]}]`))
	if err == nil || !strings.Contains(err.Error(), "on games or on sports") {
		t.Errorf("two products by an override: %v", err)
	}
}
