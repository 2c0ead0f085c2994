package demo_test

import (
	"testing"
	"time"

	"evens/internal/testbed/browser"
)

// untilStreams waits until the line has so many streams.
func (l *line) untilStreams(t *testing.T, want int32) {
	t.Helper()
	for end := time.Now().Add(time.Minute); l.streams.Load() != want; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d streams are open, want %d", l.streams.Load(), want)
		}
	}
}

// Eight tabs of a login: a browser has six connections to a host, and all tabs share one stream. When the tab that has
// it is closed, or freezes, another one takes it.
func TestBetslipInEightTabs(t *testing.T) { // by itself: eight tabs are a load
	h := openHouse(t)
	l := spoil(t, h)
	v := l.by(h.visitor(t, "100.00"))
	in := browser.NewProfile(t)
	tabs := make([]betslipPage, 8)
	for i := range tabs {
		tabs[i] = v.tab(t, in, "100.00 USD")
	}
	l.untilStreams(t, 1)
	for _, p := range tabs { // the same bet at the same moment: eight acts
		p.choose(t, "Porto wins")
	}
	for _, p := range tabs {
		p.Click(t, "#place")
	}
	for _, p := range tabs {
		p.UntilText(t, "#message", "Accepted: 5.00 at 1.95, possible win 9.75.")
		p.UntilText(t, "#balance", "60.00 USD")
	}
	h.bets(t, 8)
	if n := l.opened.Load(); n != 1 {
		t.Errorf("%d streams were opened for eight tabs", n)
	}

	tabs[0].Close(t) // the first has the stream
	h.deposit(t, v.id, "7.00")
	for _, p := range tabs[1:] {
		p.UntilText(t, "#balance", "67.00 USD")
		p.UntilText(t, "#link", "Live")
		if n := p.coupons(t); n != 8 {
			t.Errorf("a tab shows %d coupons, want 8", n)
		}
	}
	l.untilStreams(t, 1)
}

// Tabs of eight players: their streams leave room for calls, and who has none reads the state.
func TestBetslipOfEightPlayers(t *testing.T) { // by itself: eight tabs are a load
	h := openHouse(t)
	l := spoil(t, h)
	in := browser.NewProfile(t, quick)
	players := make([]visitor, 8)
	tabs := make([]betslipPage, 8)
	for i := range tabs {
		players[i] = l.by(h.visitor(t, "20.00"))
		tabs[i] = betslipPage{in.Open(t, players[i].link, 1200, 760)}
		tabs[i].UntilText(t, "#balance", "20.00 USD")
	}
	l.untilStreams(t, 3)
	for i, p := range tabs {
		h.deposit(t, players[i].id, "3.00")
		p.UntilText(t, "#balance", "23.00 USD")
		p.choose(t, "Porto wins")
		p.Click(t, "#place")
		p.UntilText(t, "#message", "Accepted: 5.00 at 1.95, possible win 9.75.")
	}
	tabs[7].UntilText(t, "#link", "Read every 10 s")
	tabs[0].Close(t)
	l.untilStreams(t, 3)
}

// quick has a page's long waits pass twenty times as fast.
const quick = `for (const name of ['setTimeout', 'setInterval']) {
	const real = window[name];
	window[name] = (f, ms, ...rest) => real(f, ms < 5000 ? ms : ms / 20, ...rest);
}
const limit = AbortSignal.timeout;
AbortSignal.timeout = ms => limit.call(AbortSignal, Math.max(ms / 20, 500));`

// frozen has a page do nothing any more, as a browser does with tabs that it wants to save: it keeps its locks.
const frozen = `(() => { BroadcastChannel.prototype.postMessage = () => {}; return true })()`

// A tab that falls silent loses the stream to another one.
func TestBetslipTakesTheStreamOfAFrozenTab(t *testing.T) {
	t.Parallel()
	h := openHouseBeating(t, time.Second)
	l := spoil(t, h)
	v := l.by(h.visitor(t, "20.00"))
	in := browser.NewProfile(t)
	first, second := v.tab(t, in, "20.00 USD"), v.tab(t, in, "20.00 USD")
	browser.Evaluate[bool](t, first.Page, frozen)
	h.deposit(t, v.id, "7.00")
	second.UntilText(t, "#balance", "27.00 USD")
	second.UntilText(t, "#link", "Live")
	for end := time.Now().Add(time.Minute); l.opened.Load() < 2 && time.Now().Before(end); {
		time.Sleep(10 * time.Millisecond)
	}
	l.untilStreams(t, 1)
	h.deposit(t, v.id, "1.00")
	second.UntilText(t, "#balance", "28.00 USD")
}

// A browser that cannot share has a stream while its page is looked at.
func TestBetslipInABrowserWithoutLocks(t *testing.T) {
	t.Parallel()
	h := openHouse(t)
	l := spoil(t, h)
	v := l.by(h.visitor(t, "20.00"))
	// hide() and look() stand for the tab's being hidden and looked at.
	in := browser.NewProfile(t, `delete Navigator.prototype.locks;
		let away = false;
		Object.defineProperty(document, 'hidden', { get: () => away });
		window.hide = now => { away = now; document.dispatchEvent(new Event('visibilitychange')); return true };`)
	p := v.tab(t, in, "20.00 USD")
	l.untilStreams(t, 1)
	browser.Evaluate[bool](t, p.Page, "hide(true)")
	l.untilStreams(t, 0)
	h.deposit(t, v.id, "7.00")
	browser.Evaluate[bool](t, p.Page, "hide(false)")
	p.UntilText(t, "#balance", "27.00 USD")
	p.UntilText(t, "#link", "Live")
	l.untilStreams(t, 1)

	// A key lives through a reload here too.
	l.hideCoupons.Store(true)
	l.next.Store(&fault{})
	p.choose(t, "Porto wins")
	p.Click(t, "#place")
	p.Until(t, "the outcome is not known", `document.querySelector("#message").innerText.endsWith("`+unknown+`")`)
	p = reload(t, p, v, in)
	p.Click(t, "#place")
	p.UntilText(t, "#message", "Accepted: 5.00 at 1.95, possible win 9.75.")
	h.bets(t, 1)
}
