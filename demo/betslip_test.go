package demo_test

import (
	"context"
	"io"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/chromedp"

	"evens/demo"
	"evens/internal/testbed/browser"
	"evens/sim/betsim"
)

func TestBetslipFollowsASingle(t *testing.T) {
	t.Parallel()
	h := openHouse(t)
	p := h.visitor(t, "100.00").open(t, "100.00 USD")
	p.UntilText(t, "#empty", "None yet.")
	browser.Evaluate[bool](t, p.Page, "window.neverReloaded = true")

	p.choose(t, "Porto wins")
	p.stake(t, "10.00")
	p.UntilText(t, "#place", "Place single")
	p.UntilText(t, "#win b", "19.50")
	p.Click(t, "#place")
	p.UntilText(t, "#message", "Accepted: 10.00 at 1.95, possible win 19.50.")
	p.Until(t, "the coupon is accepted", `document.querySelector("#coupons > [data-status=accepted]")`)
	p.UntilText(t, "#coupons .what li", "Porto – Sevilla · W1 at 1.95")
	p.UntilText(t, "#balance", "90.00 USD")

	h.result(t, betsim.ResultOptions{Mix: betsim.Mix{Won: 1}, At: time.Now().Add(-time.Hour)})
	p.Until(t, "the coupon is won", `document.querySelector("#coupons > [data-status=won]")`)
	p.UntilText(t, "#coupons .money strong", "19.50")
	p.UntilText(t, "#balance", "109.50 USD")

	h.result(t, betsim.ResultOptions{Mix: betsim.Mix{Lost: 1}, Revise: true, At: time.Now()})
	p.Until(t, "the coupon is lost", `document.querySelector("#coupons > [data-status=lost]")`)
	p.UntilText(t, "#coupons .note", "Corrected: won 19.50, then lost")
	p.UntilText(t, "#balance", "90.00 USD")

	if !browser.Evaluate[bool](t, p.Page, "window.neverReloaded === true") {
		t.Error("the page was loaded again in between")
	}
	if n := p.coupons(t); n != 1 {
		t.Errorf("%d coupons are shown, want 1", n)
	}
}

func TestBetslipSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	h := openHouse(t)
	p := h.visitor(t, "3.00").open(t, "3.00 USD")

	p.Click(t, `#matches button[aria-label="X 3.40, Draw"]`)
	p.stake(t, "5.00")
	p.Click(t, "#place")
	p.UntilText(t, "#message", "Not enough money on your balance for this stake.")
	p.UntilText(t, "#balance", "3.00 USD")
	if n := p.coupons(t); n != 0 {
		t.Errorf("%d coupons are shown, want none", n)
	}

	// What was wrong can be put right: the selection is still there.
	p.stake(t, "much")
	p.UntilText(t, "#message", "")
	p.Click(t, "#place")
	p.UntilText(t, "#message", "Enter a stake above zero with up to 2 decimals, such as 5.00.")
	p.stake(t, "2,50")
	p.Click(t, "#place")
	p.UntilText(t, "#message", "Accepted: 2.50 at 3.40, possible win 8.50.")
	p.UntilText(t, "#balance", "0.50 USD")
}

// A page of someone whose login ends says so, and one without a login does too.
func TestBetslipWithoutLogin(t *testing.T) {
	t.Parallel()
	const notice = "Nobody is logged in here, or not any more. Open the address that the demo prints."
	h := openHouse(t)
	v := h.visitor(t, "5.00")
	p := v.open(t, "5.00 USD")
	h.call(t, v.token, "DELETE", "/v1/tokens/current", nil, nil)
	h.deposit(t, v.id, "1.00") // a change: the stream looks whether it may be shown
	p.UntilText(t, "#notice", notice)
	p.UntilText(t, "#link", "Not connected")

	p = betslipPage{browser.Open(t, h.url+demo.BetslipPath, 1200, 760)}
	p.UntilText(t, "#notice", notice)
	if !browser.Evaluate[bool](t, p.Page, `document.querySelector("#place").disabled`) {
		t.Error("a coupon can be placed by nobody")
	}
}

// On a phone: an express of every match, under the names that BeT gives them, which the evening
// decides.
func TestBetslipOnAPhone(t *testing.T) {
	t.Parallel()
	h := openHouse(t)
	p := betslipPage{browser.Open(t, h.visitor(t, "50.00").link, 360, 740)}
	p.UntilText(t, "#link", "Live")
	matches := browser.Evaluate[[]string](t, p.Page, `[...document.querySelectorAll("#matches .teams")].map(e => e.innerText)`)
	for _, label := range browser.Evaluate[[]string](t, p.Page, `[...document.querySelectorAll("#matches button:first-child")].map(e => e.ariaLabel)`) {
		p.Click(t, `#matches button[aria-label="`+label+`"]`)
	}
	p.UntilText(t, "#place", "Place express of 4")
	win := browser.Evaluate[string](t, p.Page, `document.querySelector("#win b").innerText`)
	p.Click(t, "#place")
	p.Until(t, "the coupon is accepted", `document.querySelector("#coupons > [data-status=accepted]")`)
	p.UntilText(t, "#coupons .money strong", win)
	p.Click(t, "#coupons summary")
	shown := browser.Evaluate[[]string](t, p.Page, `[...document.querySelectorAll("#coupons .what li")].map(e => e.innerText.split(" · ")[0])`)
	if !slices.Equal(shown, matches) {
		t.Errorf("the coupon is of %q, the matches are %q", shown, matches)
	}

	play := demo.New(demo.Config{BaseURL: h.url, APIKey: h.key, BeT: h.bet, Seed: 1, Out: io.Discard})
	ctx, end := context.WithCancel(t.Context())
	var evening sync.WaitGroup
	evening.Go(func() {
		if err := play.Evening(ctx, 0); err != nil {
			t.Errorf("Evening() = %v", err)
		}
	})
	p.Until(t, "the coupon is decided", `document.querySelector("#coupons > :is(.won, .lost, .refunded)")`)
	end()
	evening.Wait()

	if width := browser.Evaluate[int](t, p.Page, "document.documentElement.scrollWidth"); width > 360 {
		t.Errorf("the page is %d wide on a phone of 360", width)
	}
	tree, err := chromedp.Call(p.Context(), accessibility.GetFullAXTree, accessibility.GetFullAXTreeParams{})
	if err != nil {
		t.Fatal(err)
	}
	controls := 0
	for _, node := range tree.Nodes {
		if node.Ignored || node.Role == nil {
			continue
		}
		switch role := string(node.Role.Value); role {
		case `"button"`, `"textbox"`, `"checkbox"`:
			controls++
			if node.Name == nil || string(node.Name.Value) == `""` {
				t.Errorf("a %s has no name", role)
			}
		}
	}
	if controls < 15 {
		t.Errorf("%d controls with a role, want every outcome, the stake and the button", controls)
	}
}
