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
	"evens/sim/betsim"
)

// open shows the betslip and waits until it is live.
func (v visitor) open(t *testing.T, balance string) page {
	t.Helper()
	p := openPage(t, v.link, 1200, 760)
	p.untilText(t, "#link", "Live")
	p.untilText(t, "#balance", balance)
	return p
}

func TestBetslipFollowsASingle(t *testing.T) {
	t.Parallel()
	h := openHouse(t)
	p := h.visitor(t, "100.00").open(t, "100.00 USD")
	p.untilText(t, "#empty", "None yet.")
	evaluate[bool](t, p, "window.neverReloaded = true")

	p.choose(t, "Porto wins, 1.95")
	p.stake(t, "10.00")
	p.untilText(t, "#place", "Place single")
	p.untilText(t, "#win b", "19.50")
	p.click(t, "#place")
	p.untilText(t, "#message", "Accepted: 10.00 at 1.95, possible win 19.50.")
	p.until(t, "the coupon is accepted", `document.querySelector("#coupons > [data-status=accepted]")`)
	p.untilText(t, "#coupons .what li", "Porto – Sevilla · W1 at 1.95")
	p.untilText(t, "#balance", "90.00 USD")

	h.result(t, betsim.ResultOptions{Mix: betsim.Mix{Won: 1}, At: time.Now().Add(-time.Hour)})
	p.until(t, "the coupon is won", `document.querySelector("#coupons > [data-status=won]")`)
	p.untilText(t, "#coupons .money strong", "19.50")
	p.untilText(t, "#balance", "109.50 USD")

	h.result(t, betsim.ResultOptions{Mix: betsim.Mix{Lost: 1}, Revise: true, At: time.Now()})
	p.until(t, "the coupon is lost", `document.querySelector("#coupons > [data-status=lost]")`)
	p.untilText(t, "#coupons .note", "Corrected: won 19.50, then lost")
	p.untilText(t, "#balance", "90.00 USD")

	if !evaluate[bool](t, p, "window.neverReloaded === true") {
		t.Error("the page was loaded again in between")
	}
	if n := evaluate[int](t, p, `document.querySelectorAll("#coupons > li").length`); n != 1 {
		t.Errorf("%d coupons are shown, want 1", n)
	}
}

func TestBetslipSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	h := openHouse(t)
	p := h.visitor(t, "3.00").open(t, "3.00 USD")

	p.choose(t, "Draw, 3.40")
	p.stake(t, "5.00")
	p.click(t, "#place")
	p.untilText(t, "#message", "Not enough money on your balance for this stake.")
	p.untilText(t, "#balance", "3.00 USD")
	if n := evaluate[int](t, p, `document.querySelectorAll("#coupons > li").length`); n != 0 {
		t.Errorf("%d coupons are shown, want none", n)
	}

	// What was wrong can be put right: the selection is still there.
	p.stake(t, "much")
	p.untilText(t, "#message", "")
	p.click(t, "#place")
	p.untilText(t, "#message", "Enter a stake above zero with up to 4 decimals, such as 5.00.")
	p.stake(t, "2,50")
	p.click(t, "#place")
	p.untilText(t, "#message", "Accepted: 2.50 at 3.40, possible win 8.50.")
	p.untilText(t, "#balance", "0.50 USD")
}

// An answer that is lost is asked for again, and what was missed while the stream was cut is read.
func TestBetslipOnABadLine(t *testing.T) {
	t.Parallel()
	h := openHouse(t)
	v := h.visitor(t, "20.00")
	p := v.open(t, "20.00 USD")

	h.cutNext.Store(true)
	p.choose(t, "Porto wins, 1.95")
	p.click(t, "#place")
	p.untilText(t, "#message", "The answer of Evens was cut off. It is not known whether the coupon was placed. "+
		"Place it again: it cannot be placed twice.")
	p.click(t, "#place")
	p.untilText(t, "#message", "Accepted: 5.00 at 1.95, possible win 9.75.")
	p.untilText(t, "#balance", "15.00 USD")
	if n := len(h.bet.Coupons()); n != 1 {
		t.Errorf("BeT has %d coupons, want 1", n)
	}

	h.server.CloseClientConnections()
	h.deposit(t, v.id, "30.00")
	p.untilText(t, "#balance", "45.00 USD")
	p.untilText(t, "#link", "Live")
	if n := evaluate[int](t, p, `document.querySelectorAll("#coupons > li").length`); n != 1 {
		t.Errorf("%d coupons are shown, want 1", n)
	}
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
	p.untilText(t, "#notice", notice)
	p.untilText(t, "#link", "Not connected")

	p = openPage(t, h.url+demo.BetslipPath, 1200, 760)
	p.untilText(t, "#notice", notice)
	if !evaluate[bool](t, p, `document.querySelector("#place").disabled`) {
		t.Error("a coupon can be placed by nobody")
	}
}

// On a phone: an express of every match, under the names that BeT gives them, which the evening
// decides.
func TestBetslipOnAPhone(t *testing.T) {
	t.Parallel()
	h := openHouse(t)
	p := openPage(t, h.visitor(t, "50.00").link, 360, 740)
	p.untilText(t, "#link", "Live")
	matches := evaluate[[]string](t, p, `[...document.querySelectorAll("#matches .teams")].map(e => e.innerText)`)
	for _, label := range evaluate[[]string](t, p, `[...document.querySelectorAll("#matches button:first-child")].map(e => e.getAttribute("aria-label"))`) {
		p.choose(t, label)
	}
	p.untilText(t, "#place", "Place express of 4")
	win := evaluate[string](t, p, `document.querySelector("#win b").innerText`)
	p.click(t, "#place")
	p.until(t, "the coupon is accepted", `document.querySelector("#coupons > [data-status=accepted]")`)
	p.untilText(t, "#coupons .money strong", win)
	p.click(t, "#coupons summary")
	shown := evaluate[[]string](t, p, `[...document.querySelectorAll("#coupons .what li")].map(e => e.innerText.split(" · ")[0])`)
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
	p.until(t, "the coupon is decided", `document.querySelector("#coupons > :is(.won, .lost, .refunded)")`)
	end()
	evening.Wait()

	if width := evaluate[int](t, p, "document.documentElement.scrollWidth"); width > 360 {
		t.Errorf("the page is %d wide on a phone of 360", width)
	}
	tree, err := chromedp.Call(p.ctx, accessibility.GetFullAXTree, accessibility.GetFullAXTreeParams{})
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
