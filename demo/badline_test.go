package demo_test

import (
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"evens/internal/testbed/browser"
)

const unknown = "It is not known whether the coupon was placed. Place it again: it cannot be placed twice."

// bets is how many coupons BeT has.
func (h house) bets(t *testing.T, want int) {
	t.Helper()
	if n := len(h.bet.Coupons()); n != want {
		t.Errorf("BeT has %d coupons, want %d", n, want)
	}
}

// An answer that is lost is found in what the stream and the list tell; what was missed while the stream was cut is
// read.
func TestBetslipOnABadLine(t *testing.T) {
	t.Parallel()
	h := openHouse(t)
	l := spoil(t, h)
	v := l.by(h.visitor(t, "20.00"))
	p := v.open(t, "20.00 USD")

	l.next.Store(&fault{})
	p.choose(t, "Porto wins")
	p.Click(t, "#place")
	p.UntilText(t, "#message", "Accepted: 5.00 at 1.95, possible win 9.75.")
	p.UntilText(t, "#balance", "15.00 USD")
	h.bets(t, 1)

	h.server.CloseClientConnections()
	h.deposit(t, v.id, "30.00")
	p.UntilText(t, "#balance", "45.00 USD")
	p.UntilText(t, "#link", "Live")
	if n := p.coupons(t); n != 1 {
		t.Errorf("%d coupons are shown, want 1", n)
	}
}

// The same order again, whether at once, after a reload, from another tab or with another word on changed
// coefficients, is the order whose answer was lost: as long as nobody has seen what became of it.
func TestBetslipDoesNotPlaceTwice(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		late    bool // the first order reaches Evens after the second
		between func(t *testing.T, p betslipPage, v visitor, in *browser.Profile) betslipPage
	}{
		{"at once", false, func(_ *testing.T, p betslipPage, _ visitor, _ *browser.Profile) betslipPage { return p }},
		{"the tick changed", false, tick},
		{"the tick changed, the first is late", true, tick},
		{"reloaded", false, reload},
		{"reloaded, the first is late", true, reload},
		{"reloaded and the tick changed, the first is late", true, func(t *testing.T, p betslipPage, v visitor, in *browser.Profile) betslipPage {
			t.Helper()
			return tick(t, reload(t, p, v, in), v, in)
		}},
		{"the tab closed and another opened", true, func(t *testing.T, p betslipPage, v visitor, in *browser.Profile) betslipPage {
			t.Helper()
			p.Close(t)
			next := v.tab(t, in, "20.00 USD")
			next.choose(t, "Porto wins")
			return next
		}},
		{"from another tab", true, func(t *testing.T, _ betslipPage, v visitor, in *browser.Profile) betslipPage {
			t.Helper()
			next := v.tab(t, in, "20.00 USD")
			next.choose(t, "Porto wins")
			return next
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			h := openHouse(t)
			l := spoil(t, h)
			v := l.by(h.visitor(t, "20.00"))
			in := browser.NewProfile(t)
			p := v.tab(t, in, "20.00 USD")
			arrive, arrived := make(chan struct{}), make(chan struct{})
			// Neither the stream nor the list shows the coupon, so that the second try decides.
			l.hideCoupons.Store(true)
			f := &fault{done: arrived}
			if test.late {
				f.until = arrive
			}
			l.next.Store(f)
			p.choose(t, "Porto wins")
			p.Click(t, "#place")
			p.Until(t, "the outcome is not known", `document.querySelector("#message").innerText.endsWith("`+unknown+`")`)
			p = test.between(t, p, v, in)
			p.Until(t, "it can be placed", `!document.querySelector("#place").disabled`)
			p.Click(t, "#place")
			p.UntilText(t, "#message", "Accepted: 5.00 at 1.95, possible win 9.75.")
			close(arrive)
			<-arrived
			h.bets(t, 1)

			// That one is known now: the same bet again is another one.
			l.hideCoupons.Store(false)
			p.choose(t, "Porto wins")
			p.Click(t, "#place")
			if test.name == "from another tab" {
				p.Click(t, "#message .answer")
			}
			p.Until(t, "both are accepted", `document.querySelectorAll("#coupons > [data-status=accepted]").length === 2`)
			p.UntilText(t, "#balance", "10.00 USD")
			h.bets(t, 2)
		})
	}
}

func tick(t *testing.T, p betslipPage, _ visitor, _ *browser.Profile) betslipPage {
	t.Helper()
	p.Click(t, "#accept")
	return p
}

func reload(t *testing.T, p betslipPage, _ visitor, _ *browser.Profile) betslipPage {
	t.Helper()
	p.Reload(t)
	p.UntilText(t, "#message", "It is not known whether your coupon of 5.00 USD on Porto – Sevilla was placed. "+
		"Place it again: it cannot be placed twice.\nPut it back on the slip")
	p.Click(t, "#message .answer")
	return p
}

// Who does not see the answer, reloads and places the same again is shown that it is placed already, and asked.
func TestBetslipAsksBeforeASecondOne(t *testing.T) {
	t.Parallel()
	h := openHouse(t)
	l := spoil(t, h)
	p := l.by(h.visitor(t, "20.00")).open(t, "20.00 USD")
	l.next.Store(&fault{silent: true})
	p.choose(t, "Porto wins")
	p.Click(t, "#place")
	p.UntilText(t, "#balance", "15.00 USD")
	p.Reload(t)
	p.UntilText(t, "#message", "Accepted: 5.00 at 1.95, possible win 9.75.")
	p.choose(t, "Porto wins")
	p.Click(t, "#place")
	p.Until(t, "it is asked", `document.querySelector("#message").innerText.startsWith("The same coupon was placed a moment ago")`)
	h.bets(t, 1)
	p.Click(t, "#message .answer")
	p.UntilText(t, "#balance", "10.00 USD")
	h.bets(t, 2)
	// And from now on without a question, for the answer was seen.
	p.choose(t, "Porto wins")
	p.Click(t, "#place")
	p.UntilText(t, "#balance", "5.00 USD")
	h.bets(t, 3)
}

// An order whose answer does not come, while the stream tells of its coupon, is settled by that.
func TestBetslipIsSettledByTheStream(t *testing.T) {
	t.Parallel()
	h := openHouse(t)
	l := spoil(t, h)
	p := l.by(h.visitor(t, "20.00")).open(t, "20.00 USD")
	l.next.Store(&fault{silent: true})
	p.choose(t, "Porto wins")
	p.Click(t, "#place")
	p.UntilText(t, "#place", "Placing…")
	p.UntilText(t, "#message", "Accepted: 5.00 at 1.95, possible win 9.75.")
	p.UntilText(t, "#place", "Place")
	h.bets(t, 1)
}

// A refusal that Evens keeps with a key ends the intent: the same order is a new one when there is money.
func TestBetslipAfterARefusal(t *testing.T) {
	t.Parallel()
	h := openHouse(t)
	l := spoil(t, h)
	v := l.by(h.visitor(t, "3.00"))
	p := v.open(t, "3.00 USD")
	l.next.Store(&fault{})
	p.choose(t, "Porto wins")
	p.Click(t, "#place")
	p.Until(t, "the outcome is not known", `document.querySelector("#message").innerText.endsWith("`+unknown+`")`)
	p.Click(t, "#place")
	p.UntilText(t, "#message", "Not enough money on your balance for this stake.")
	h.deposit(t, v.id, "10.00")
	p.UntilText(t, "#balance", "13.00 USD")
	p.Click(t, "#place")
	p.UntilText(t, "#message", "Accepted: 5.00 at 1.95, possible win 9.75.")
	h.bets(t, 1)
}

// A stream that passes nothing on, and one that never begins: neither is called live, and the state is read.
func TestBetslipWithoutAStream(t *testing.T) {
	t.Parallel()
	h := openHouseBeating(t, time.Second)
	l := spoil(t, h)
	l.swallow.Store(true)
	v := l.by(h.visitor(t, "20.00"))
	p := betslipPage{browser.NewProfile(t, quick).Open(t, v.link, 1200, 760)}
	p.UntilText(t, "#balance", "20.00 USD")
	p.choose(t, "Porto wins")
	p.Click(t, "#place")
	p.UntilText(t, "#message", "Accepted: 5.00 at 1.95, possible win 9.75.")
	p.UntilText(t, "#link", "Reconnecting") // what never begins is given up after 10 s
	p.UntilText(t, "#notice", "Evens has not answered for 10 s. Trying again.")
	p.UntilText(t, "#balance", "15.00 USD") // read every 10 s

	l.swallow.Store(false)
	p.UntilText(t, "#link", "Live")
	p.Until(t, "no trouble is told", `document.querySelector("#notice").hidden`)

	l.dead.Store(true)
	h.deposit(t, v.id, "7.00")
	p.UntilText(t, "#link", "Reconnecting")
	p.UntilText(t, "#notice", "Nothing has come from Evens for 3 s. Trying again.")
	p.UntilText(t, "#balance", "22.00 USD")
	l.dead.Store(false)
	p.UntilText(t, "#link", "Live")
}

// A call that is not answered ends with a message.
func TestBetslipCallsEnd(t *testing.T) {
	t.Parallel()
	h := openHouse(t)
	l := spoil(t, h)
	p := l.by(h.visitor(t, "20.00")).open(t, "20.00 USD")
	l.hideCoupons.Store(true)
	l.next.Store(&fault{silent: true, until: make(chan struct{})})
	// Thirty seconds pass quickly here.
	browser.Evaluate[bool](t, p.Page, `(() => { const real = AbortSignal.timeout; AbortSignal.timeout = ms => real.call(AbortSignal, ms / 30); return true })()`)
	p.choose(t, "Porto wins")
	p.Click(t, "#place")
	p.UntilText(t, "#message", "Evens has not answered for 30 s. "+unknown)
	h.bets(t, 0)
	p.Do(t, chromedp.Click(chromedp.CSS("#place")))
	p.UntilText(t, "#message", "Accepted: 5.00 at 1.95, possible win 9.75.")
	h.bets(t, 1)
}
