package reconcile_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"evens/casino"
	"evens/money"
	"evens/reconcile"
	"evens/sim/casinosim"
)

// Whatever status a list gives a bet that has won, nothing moves, and its payout told again is a
// repeat: what is not proven waits, and then is a person's.
func TestStatusesOfWonBets(t *testing.T) {
	t.Parallel()
	h := openHouse(t)
	want := map[string]string{
		"tg 2": "", "tg 9": "wait", "naga RESOLVED": "", "betao ok": "", "betao failed": "person", "betao rolled back": "person",
		"betao pending": "wait", "betao on hold": "wait",
	}
	for _, word := range casinosim.Words["naga"][1:] {
		want["naga "+word] = "wait"
	}
	for platform, words := range casinosim.Words {
		var spins []casinosim.Spin
		g := h.guest(platform, platform+"-ana", "1000")
		for i, word := range words {
			s := spin(platform, fmt.Sprint(platform, i), 10_00, 25_00)
			spins = append(spins, s)
			g.done(g.bet(s))
			if platform != "tg" {
				g.done(g.settle(s))
			}
			casinosim.Enter(g.sim, g.Player, s, h.Now(), false)
			casinosim.Mark(g.sim, s.Bet, word)
		}
		cash := h.Cash(t, g.who)
		actions := func(report *reconcile.Report) map[string]string {
			got := map[string]string{}
			for _, b := range report.Breaks {
				got[b.TransactionID] = string(b.Action)
			}
			return got
		}
		first := actions(h.list(platform))
		// Something later shows, and half an hour goes by.
		h.later(time.Minute)
		later := spin(platform, platform+"-later", 1_00, 0)
		g.done(g.bet(later))
		casinosim.Enter(g.sim, g.Player, later, h.Now(), false)
		h.list(platform)
		h.later(31 * time.Minute)
		last := actions(h.list(platform))
		for i, word := range words {
			what := platform + " " + word
			now, then := first[spins[i].Bet], last[spins[i].Bet]
			if now != want[what] {
				t.Errorf("%s: %q at first, want %q", what, now, want[what])
			}
			if want[what] != "" && then != "person" {
				t.Errorf("%s: %q at last, want a person", what, then)
			}
			if platform != "tg" {
				g.done(g.settle(spins[i]))
			} else {
				g.done(g.bet(spins[i]))
			}
		}
		if have := h.Cash(t, g.who); have != cash-money.MustParse("1") {
			t.Errorf("%s: cash %s, want %s less the later bet", platform, have, cash)
		}
	}
}

// A bet without a win heals where its failure is proven, and only there.
func TestStatusesOfOpenBets(t *testing.T) {
	t.Parallel()
	h := openHouse(t)
	want := map[string]string{
		"naga PENDING": "", "naga RESOLVED": "", "naga CANCELED": "rollback", "naga PLACEBET_OPERATOR_ERROR": "rollback", "naga PAYOUT_OPERATOR_ERROR": "wait",
		"naga PAYOUT_CHECK_FAIL": "wait", "naga PENDING_CANCELED": "wait", "naga OPERATOR_UNKNOWN_ERROR": "wait", "naga UNDER_REVIEW": "wait",
		"betao ok": "", "betao failed": "rollback", "betao rolled back": "rollback", "betao pending": "wait", "betao on hold": "wait",
	}
	for _, platform := range []string{"naga", "betao"} {
		g := h.guest(platform, platform+"-bob", "1000")
		for i, word := range casinosim.Words[platform] {
			s := spin(platform, fmt.Sprint(platform, "open", i), 10_00, 0)
			g.done(g.bet(s))
			casinosim.Enter(g.sim, g.Player, s, h.Now(), true)
			casinosim.Mark(g.sim, s.Bet, word)
			got := ""
			for _, b := range h.list(platform).Breaks {
				if b.TransactionID == s.Bet {
					got = string(b.Action)
				}
			}
			if got != want[platform+" "+word] {
				t.Errorf("%s %s: %q, want %q", platform, word, got, want[platform+" "+word])
			}
		}
		healed := 2 // of each
		if have := h.Cash(t, g.who); have != money.MustParse("1000")-money.Amount(len(casinosim.Words[platform])-healed)*money.MustParse("10") {
			t.Errorf("%s: cash %s", platform, have)
		}
	}
}

// A file's words that prove nothing wait; a payout that failed is none of the bet's.
func TestStatusesInFiles(t *testing.T) {
	t.Parallel()
	o := open(t, nil)
	o.bet("pending", "5")
	o.bet("won", "6")
	o.win("won-win", "7")
	before := o.Cash(t, o.who)
	report := o.run(header+o.line("pending", "debit", "5", "pending")+o.line("won", "debit", "6", "ok")+o.line("won-win", "credit", "7", "failed")+
		o.line("credit-pending", "credit", "9", "pending"), nil)
	same(t, found(report), map[string]string{"status pending": "open wait", "status won-win": "open person", "missing_here credit-pending": "open wait"})
	// A bet and its win may share an id: the win's failure is none of the bet's.
	if _, err := o.Floor.Bet(t.Context(), casino.Bet{Call: casino.Call{Provider: "betron", ID: "x", Player: o.who, At: o.Now()}, Stake: money.MustParse("4")}); err != nil {
		t.Fatal(err)
	}
	same(t, found(o.run(header+o.line("x", "credit", "9", "failed"), func(q *reconcile.Request) { q.Provider = "betron" })),
		map[string]string{"status x": "open person"})
	if have := o.Cash(t, o.who); have != before-money.MustParse("4") {
		t.Errorf("cash = %s, want %s less 4", have, before)
	}
}

// A failure that is another player's, or of another sum, proves nothing of ours.
func TestFailuresOfAnother(t *testing.T) {
	t.Parallel()
	o := open(t, nil)
	o.bet("player", "5")
	o.bet("sum", "6")
	before := o.Cash(t, o.who)
	report := o.run(header+strings.Replace(o.line("player", "debit", "5", "failed"), ",ana,", ",bob,", 1)+o.line("sum", "debit", "7", "failed"), nil)
	same(t, found(report), map[string]string{"status player": "open person", "player player": "open person", "status sum": "open person"})
	if have := o.Cash(t, o.who); have != before {
		t.Errorf("cash = %s, want %s", have, before)
	}
}

// A win that comes while a list is read keeps its bet.
func TestAWinComesWhileAListIsRead(t *testing.T) {
	t.Parallel()
	o := open(t, nil)
	o.bet("b", "5")
	if _, err := o.Floor.Win(t.Context(), casino.Win{Call: casino.Call{Provider: provider, ID: "w", Player: o.who, Round: casino.Round{ID: "r-b"}, At: o.Now()}, Amount: 1}); err != nil {
		t.Fatal(err)
	}
	back := casino.Rollback{Call: o.call("b")}
	back.List = true
	if _, err := o.Floor.Rollback(t.Context(), back); !errors.Is(err, casino.ErrSettled) {
		t.Errorf("by a list: %v", err)
	}
	back.List, back.TakesWins = false, true
	if _, err := o.Floor.Rollback(t.Context(), back); err != nil {
		t.Errorf("by the platform: %v", err)
	}
}

// The runs of every quarter of an hour come back to what waits, beyond their overlap.
func TestRunsComeBackToWhatWaits(t *testing.T) {
	t.Parallel()
	h := openHouse(t)
	start := time.Now().UTC()
	h.SetClock(start)
	g := h.guest("betao", "pia", "100")
	g.done(g.bet(spin("betao", "gone", 9_00, 0)))
	for range 5 {
		h.later(30 * time.Minute)
		casinosim.Enter(g.sim, g.Player, spin("betao", fmt.Sprint("else", h.Now().Unix()), 0, 0), h.Now().Add(-20*time.Minute), true)
		fatal(t, h.Recent(t.Context(), "betao"))
	}
	g.has("100")
}

// An open bet that their list does not show yet is not touched, and its win is paid.
func TestAnAbsentBetWaits(t *testing.T) {
	t.Parallel()
	h := openHouse(t)
	for _, platform := range []string{"betao", "naga"} {
		g := h.guest(platform, platform+"-cat", "100")
		s := spin(platform, platform+"-late", 100_00, 900_00)
		g.done(g.bet(s))
		other := h.guest(platform, platform+"-dan", "100")
		later := spin(platform, platform+"-later", 1_00, 0)
		other.done(other.bet(later))
		casinosim.Enter(g.sim, other.Player, later, h.Now(), true)
		same(t, found(h.list(platform)), map[string]string{"missing_there " + s.Bet: "open wait"})
		h.list(platform)
		g.has("0")
		g.done(g.settle(s))
		g.has("900")
		h.later(31 * time.Minute)
		want := map[string]string{"missing_there " + s.Bet: "open person"}
		if platform == "betao" {
			want["missing_there "+s.Win] = "open person"
		}
		same(t, found(h.list(platform)), want)
		g.has("900")
		// It comes late after all: the break closes.
		casinosim.Enter(g.sim, g.Player, s, h.Now(), false)
		if report := h.list(platform); len(report.Breaks) != 0 || report.Closed != len(want) {
			t.Errorf("%s: %v, %d closed", platform, found(report), report.Closed)
		}
	}
}

// What is absent for good heals in its own time: not at first sight, not before the list shows what is
// later, not while the round is open. A win that comes all the same is paid, and shows.
func TestAnAbsentBetHeals(t *testing.T) {
	t.Parallel()
	h := openHouse(t)
	g := h.guest("betao", "eva", "100")
	lost := spin("betao", "lost", 100_00, 900_00)
	g.done(g.bet(lost))
	missing := "missing_there " + lost.Bet
	for range 3 { // nothing later shows
		same(t, found(h.list("betao")), map[string]string{missing: "open wait"})
		h.later(31 * time.Minute)
	}
	other := h.guest("betao", "finn", "100")
	later := spin("betao", "later", 1_00, 0)
	other.done(other.bet(later))
	casinosim.Enter(g.sim, other.Player, later, h.Now(), true)
	same(t, found(h.list("betao")), map[string]string{missing: "open wait"})
	h.later(29 * time.Minute)
	same(t, found(h.list("betao")), map[string]string{missing: "open wait"})
	g.has("0")
	h.later(time.Minute)
	same(t, found(h.list("betao")), map[string]string{missing: "resolved rollback"})
	g.has("100")
	if report := h.list("betao"); len(report.Breaks) != 0 {
		t.Errorf("healed: %v", found(report))
	}
	// The platform knew it all the time.
	g.done(g.settle(lost))
	g.has("1000")
	casinosim.Enter(g.sim, g.Player, lost, h.Now(), false)
	same(t, found(h.list("betao")), map[string]string{"status " + lost.Bet: "open person"})
	// Had it taken the bet back itself, the win would be refused as ever.
	again := spin("betao", "again", 50_00, 70_00)
	g.done(g.bet(again))
	h.later(time.Minute)
	casinosim.Enter(g.sim, other.Player, spin("betao", "elsewhere", 0, 0), h.Now(), true)
	other.done(other.bet(spin("betao", "elsewhere", 0, 0)))
	h.list("betao")
	h.later(31 * time.Minute)
	h.list("betao")
	g.has("1000")
	g.done(g.undo(again))
	g.done(g.undo(again))
	if v := g.settle(again); v != casinosim.Gone {
		t.Errorf("a win of a bet that the platform took back: %d", v)
	}
	g.has("1000")
}

// A round that is open is never undone for absence; it becomes a person's.
func TestAnOpenRoundIsNotUndone(t *testing.T) {
	t.Parallel()
	h := openHouse(t)
	g := h.guest("naga", "gil", "100")
	s := spin("naga", "open", 40_00, 90_00)
	g.done(g.bet(s))
	later := spin("naga", "later", 1_00, 0)
	g.done(g.bet(later))
	casinosim.Enter(g.sim, g.Player, later, h.Now(), true)
	for _, want := range []string{"open wait", "open wait", "open wait", "open person"} {
		same(t, found(h.list("naga")), map[string]string{"missing_there " + s.Bet: want})
		if want == "open wait" {
			h.later(11 * time.Hour)
		}
	}
	g.has("59")
	g.done(g.settle(s))
	g.has("149")
}
