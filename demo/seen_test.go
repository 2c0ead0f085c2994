package demo_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/chromedp"

	"evens/internal/testbed/browser"
	"evens/money"
)

// everyStatus puts a coupon of each status into the list, with texts of BeT's that turn and widen a page.
const everyStatus = `import("/demo/betslip/coupons.js").then(({ show }) => {
	const odd = "\u202e" + "W".repeat(149);
	for (const [i, status] of ["placing", "accepted", "rejected", "unconfirmed", "won", "lost", "refunded", "cancelled"].entries()) {
		const settled = (outcome, sum) => ({ outcome, payout_after: sum });
		show({ id: "0" + i, status, stake: "1234.50", currency: "USD", coef: "1234.56", possible_win: "1524064.32", payout: "9.75", bet_code: odd.slice(0, 40),
			placed_at: new Date().toISOString(), error: status === "rejected" ? { code: "coef_changed" } : status === "unconfirmed" ? { code: "unconfirmed" } : null,
			selections: [{ match_id: "1", pointer: "line#1|1|1|0#1.95", teams: odd, bet_name: odd, coef: "1.95" }],
			settlements: status === "won" ? [settled("lost", "0"), settled("won", "9.75")] : [] });
	}
	return true;
})`

// The page in both themes and two widths, with every status and message: no error and no breach of its policy in the
// browser's console, everything written to be read, nothing wider than the screen.
func TestBetslipIsReadable(t *testing.T) {
	t.Parallel()
	h := openHouse(t)
	p := h.visitor(t, "20.00").open(t, "20.00 USD")
	browser.Evaluate[bool](t, p.Page, everyStatus)
	p.choose(t, "Porto wins")
	for _, message := range []struct{ kind, text string }{{"good", "Accepted"}, {"wait", "unclear"}, {"bad", "wrong"}} {
		browser.Evaluate[bool](t, p.Page, fmt.Sprintf(`(() => { for (const [id, kind] of [["message", %q], ["notice", "notice"]]) {
			const e = document.getElementById(id); e.hidden = false; e.className = kind; e.textContent = %q } return true })()`, message.kind, message.text))
		for _, width := range []int64{1280, 390} {
			p.Do(t, chromedp.EmulateViewport(width, 900))
			for _, theme := range []string{"light", "dark"} {
				p.Look(t, "prefers-color-scheme", theme, "prefers-reduced-motion", "reduce")
				for _, faint := range p.Faint(t) {
					t.Errorf("%d wide, %s: %s", width, theme, faint)
				}
				if wide := browser.Evaluate[int64](t, p.Page, "document.documentElement.scrollWidth"); wide > width {
					t.Errorf("the page is %d wide on a screen of %d", wide, width)
				}
				p.Keep(t, fmt.Sprintf("betslip-%s-%d-%s", message.kind, width, theme))
			}
		}
	}
}

// In forced colours a chosen outcome looks other than the rest, and the button is seen, on or off.
func TestBetslipInForcedColours(t *testing.T) {
	t.Parallel()
	h := openHouse(t)
	p := h.visitor(t, "20.00").open(t, "20.00 USD")
	p.Look(t, "forced-colors", "active")
	if !browser.Evaluate[bool](t, p.Page, `matchMedia("(forced-colors: active)").matches`) {
		t.Fatal("the browser does not force colours")
	}
	button := func() string {
		return browser.Evaluate[string](t, p.Page, `(() => { const s = getComputedStyle(document.querySelector("#place")); return s.borderTopWidth + " " + s.borderTopStyle })()`)
	}
	if off := button(); off != "2px dashed" {
		t.Errorf("the button is bordered by %s while it is off", off)
	}
	p.choose(t, "Porto wins")
	if on := button(); on != "2px solid" {
		t.Errorf("the button is bordered by %s", on)
	}
	looks := browser.Evaluate[[]string](t, p.Page, `[...document.querySelectorAll("#matches button")].map(b => { const s = getComputedStyle(b); return s.backgroundColor + s.color + s.borderTopWidth })`)
	chosen := slices.Index(browser.Evaluate[[]string](t, p.Page, `[...document.querySelectorAll("#matches button")].map(b => b.ariaPressed)`), "true")
	for i, look := range looks {
		if i != chosen && look == looks[chosen] {
			t.Errorf("outcome %d looks as the chosen one: %s", i, look)
		}
	}
	p.Keep(t, "betslip-forced")
}

// The focus stays where something can be done, and what has changed is said.
func TestBetslipKeepsTheFocus(t *testing.T) {
	t.Parallel()
	h := openHouse(t)
	v := h.visitor(t, "20.00")
	p := v.open(t, "20.00 USD")
	focused := func() string {
		return browser.Evaluate[string](t, p.Page, `document.activeElement.id || document.activeElement.ariaLabel || document.activeElement.tagName`)
	}
	expect := func(after, want string) {
		t.Helper()
		if got := focused(); got != want {
			t.Errorf("after %s the focus is on %q, want %q", after, got, want)
		}
	}
	p.choose(t, "Mallorca wins")
	p.choose(t, "Porto wins")
	p.choose(t, "Zarya wins")
	remove := func(teams string) {
		p.Do(t, chromedp.Focus(chromedp.CSS(`button[aria-label="Remove `+teams+`"]`)))
		p.Press(t, "\r")
	}
	remove("Porto – Sevilla")
	expect("removing the second of three", "Remove Zarya – Ajax")
	p.UntilText(t, "#news", "Porto – Sevilla removed, 2 left")
	h.deposit(t, v.id, "1.00")
	p.UntilText(t, "#balance", "21.00 USD")
	expect("a change of the balance", "Remove Zarya – Ajax")
	p.Press(t, "\r")
	expect("removing the last in the list", "Remove Mallorca – Sevilla")
	p.Press(t, "\r")
	expect("removing the only one", "1 2.60, Mallorca wins")
	p.UntilText(t, "#news", "Mallorca – Sevilla removed, none left")

	p.choose(t, "Porto wins")
	p.Do(t, chromedp.Focus(chromedp.CSS("#place")))
	p.Press(t, "\r")
	p.UntilText(t, "#message", "Accepted: 5.00 at 1.95, possible win 9.75.")
	expect("placing", "message")
	p.stake(t, "500.00")
	p.choose(t, "Porto wins")
	p.Do(t, chromedp.Focus(chromedp.CSS("#place")))
	p.Press(t, "\r")
	p.UntilText(t, "#message", "Not enough money on your balance for this stake.")
	expect("a refusal", "place")
}

// What is seen on a button is in its name.
func TestBetslipNamesSayWhatIsSeen(t *testing.T) {
	t.Parallel()
	h := openHouse(t)
	p := h.visitor(t, "20.00").open(t, "20.00 USD")
	p.choose(t, "Porto wins")
	tree, err := chromedp.Call(p.Context(), accessibility.GetFullAXTree, accessibility.GetFullAXTreeParams{})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, node := range tree.Nodes {
		if !node.Ignored && node.Role != nil && string(node.Role.Value) == `"button"` && node.Name != nil {
			var name string
			if err := json.Unmarshal(node.Name.Value, &name); err != nil {
				t.Fatal(err)
			}
			names = append(names, name)
		}
	}
	seen := browser.Evaluate[[]string](t, p.Page, `[...document.querySelectorAll("button")].filter(b => b.checkVisibility()).map(b => b.innerText.split(/\s+/).join(" "))`)
	if len(seen) != len(names) || len(seen) < 17 {
		t.Fatalf("%d buttons are seen, %d are named: %q", len(seen), len(names), names)
	}
	for _, text := range seen {
		i := slices.IndexFunc(names, func(name string) bool {
			return strings.HasPrefix(name, text) || name == "Stake "+text+".00" || text == "×" && strings.HasPrefix(name, "Remove ")
		})
		if i < 0 {
			t.Errorf("the button %q has none of the names %q", text, names)
			continue
		}
		names = slices.Delete(names, i, i+1)
	}
}

// A doubtful stake is asked about, and nothing is placed before it is answered.
func TestBetslipAsksAboutADoubtfulStake(t *testing.T) {
	t.Parallel()
	h := openHouse(t)
	p := h.visitor(t, "5000.00").open(t, "5,000.00 USD")
	p.choose(t, "Porto wins")
	p.stake(t, "1,000")
	p.UntilText(t, "#win b", "–")
	p.Press(t, "\r")
	p.UntilText(t, "#message", "Do you mean 1,000.00 USD or 1.00 USD?\n1,000.00 USD\n1.00 USD")
	h.bets(t, 0)
	p.Click(t, "#message .answer")
	p.UntilText(t, "#win b", "1,950.00")
	p.Click(t, "#place")
	p.UntilText(t, "#message", "Accepted: 1,000.00 at 1.95, possible win 1,950.00.")
	p.UntilText(t, "#balance", "4,000.00 USD")
	h.bets(t, 1)
}

// Amounts are in the decimals of the player's currency.
func TestBetslipInOtherCurrencies(t *testing.T) {
	t.Parallel()
	h := openHouse(t)
	for _, test := range []struct {
		currency                                 money.Currency
		cash, balance, first, refusal, typed, is string
	}{
		{"JPY", "100000", "100,000 JPY", "5", "Enter a stake above zero without decimals, such as 5.", "1,000", "1,000 at 1.95, possible win 1,950."},
		{"KWD", "100", "100.000 KWD", "5.000", "Enter a stake above zero with up to 3 decimals, such as 5.000.", "1.234", "1.234 at 1.95, possible win 2.410."},
	} {
		v := h.visitorIn(t, test.currency, test.cash)
		p := v.open(t, test.balance)
		if got := browser.Evaluate[string](t, p.Page, `document.querySelector("#stake").value`); got != test.first {
			t.Errorf("the first stake is %q, want %q", got, test.first)
		}
		p.choose(t, "Porto wins")
		p.stake(t, "5.55555\r")
		p.UntilText(t, "#message", test.refusal)
		p.stake(t, test.typed)
		p.Click(t, "#place")
		p.UntilText(t, "#message", "Accepted: "+test.is)
	}
}
