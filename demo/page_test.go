package demo_test

import (
	"testing"

	"github.com/chromedp/chromedp"

	"evens/internal/testbed/browser"
)

// betslipPage is a tab that shows the betslip.
type betslipPage struct{ *browser.Page }

// open shows the betslip in a browser of its own and waits until it is live.
func (v visitor) open(t *testing.T, balance string) betslipPage {
	t.Helper()
	return v.tab(t, browser.NewProfile(t), balance)
}

// tab shows the betslip in another tab of a browser.
func (v visitor) tab(t *testing.T, in *browser.Profile, balance string) betslipPage {
	t.Helper()
	p := betslipPage{in.Open(t, v.link, 1200, 760)}
	p.UntilText(t, "#link", "Live")
	p.UntilText(t, "#balance", balance)
	return p
}

// choose clicks an outcome, by the end of the name that a screen reader says: "Porto wins".
func (p betslipPage) choose(t *testing.T, outcome string) {
	t.Helper()
	p.Click(t, `#matches button[aria-label$=", `+outcome+`"]`)
}

func (p betslipPage) stake(t *testing.T, amount string) {
	t.Helper()
	p.Do(t, chromedp.Focus(chromedp.CSS("#stake"))) // selects what is in it
	p.Press(t, amount)
}

// coupons is how many are shown.
func (p betslipPage) coupons(t *testing.T) int {
	t.Helper()
	return browser.Evaluate[int](t, p.Page, `document.querySelectorAll("#coupons > li").length`)
}
