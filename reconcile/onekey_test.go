package reconcile_test

import (
	"fmt"
	"testing"
	"time"

	"evens/casino"
	"evens/money"
	"evens/sim/casinosim"
)

// winLine is a platform's win as a file tells of it.
func (h house) winLine(g guest, s casinosim.Spin, round string) string {
	return fmt.Sprintf("%s,credit,%s,%d.%02d,USD,ok,%s,%s\n", s.Win, g.ID, s.Pay/100, s.Pay%100, h.Now().Format(time.RFC3339Nano), round)
}

// A win that a list or a file tells of, and the platform's own call of it, are one event: whichever comes
// first, the other is a repeat, and the books are those of the call alone, pocket by pocket.
func TestAWinIsPaidOnce(t *testing.T) {
	t.Parallel()
	h := openHouse(t)
	played := spin("betron", "same", 10_00, 40_00)
	for _, platform := range []string{"betron", "betao", "naga"} {
		for name, cash := range map[string]string{"cash": "100", "bonus": "0"} {
			var books [3][2]money.Amount
			for i, order := range []string{"call", "file-call", "call-file"} {
				g := h.guest(platform, platform+"-"+name+"-"+order, cash)
				if cash == "0" {
					h.Grant(t, g.who, money.MustParse("30"), 40*money.One, nil)
				}
				s := spin(platform, g.ID, played.Stake, played.Pay)
				g.done(g.bet(s))
				round := s.Round
				if platform == "betron" {
					round = "whatever" // their calls have none
				}
				line := h.winLine(g, s, round)
				if order == "file-call" {
					report := h.file(platform, line, false)
					if got := found(report)["missing_here "+s.Win]; got != "resolved post" {
						t.Fatalf("%s: the file's win: %q", g.ID, got)
					}
				}
				g.done(g.settle(s))
				g.done(g.settle(s))
				if order == "call-file" {
					if got := found(h.file(platform, line, false))["missing_here "+s.Win]; got != "" {
						t.Errorf("%s: a win that was told is missing: %s", g.ID, got)
					}
				}
				books[i] = g.pockets()
			}
			if books[0] != books[1] || books[0] != books[2] {
				t.Errorf("%s, %s: %v by call, %v healed first, %v told first", platform, name, books[0], books[1], books[2])
			}
		}
	}
}

// BetronTech uses an id twice: for a bet and for its win.
func TestAWinUnderItsBetsID(t *testing.T) {
	t.Parallel()
	h := openHouse(t)
	g := h.guest("betron", "kim", "100")
	s := spin("betron", "x", 10_00, 40_00)
	s.Win = "w77"
	report := h.file("betron", h.winLine(g, s, ""), false)
	same(t, found(report), map[string]string{"missing_here w77": "resolved post"})
	g.done(g.settle(s))
	g.has("140")
	kinds := h.Kinds(t, "betron")
	if len(kinds) != 1 || kinds["betron:win w77"] == "" {
		t.Errorf("kept under %v", kinds)
	}
	s.Bet = "w77"
	g.done(g.bet(s))
	g.has("130")
}

// What a list does not tell is not guessed: no key, no round, no game.
func TestWhatAListDoesNotTell(t *testing.T) {
	t.Parallel()
	h := openHouse(t)
	for _, platform := range []string{"betao", "naga", "tg"} {
		g := h.guest(platform, platform+"-lea", "0")
		s := spin(platform, platform+"-lone", 0, 40_00)
		same(t, found(h.file(platform, h.winLine(g, s, ""), false)), map[string]string{"missing_here " + s.Win: "open person"})
		g.has("0")
	}
	// Two games, one staked from the bonus: which of them was won?
	g := h.guest("betron", "mia", "10")
	one, two := spin("betron", "one", 10_00, 20_00), spin("betron", "two", 10_00, 20_00)
	g.done(g.bet(one))
	h.Grant(t, g.who, money.MustParse("30"), 40*money.One, nil)
	two.Game = "another"
	g.done(g.bet(two))
	if got := found(h.file("betron", h.winLine(g, one, ""), false))["missing_here "+one.Win]; got != "open post" {
		t.Errorf("of two games: %q", got)
	}
	g.done(g.settle(one))
	g.has("20")
}

// A call and a list that contradict each other are a conflict still.
func TestAWinOfAnotherSum(t *testing.T) {
	t.Parallel()
	h := openHouse(t)
	g := h.guest("betron", "nic", "10")
	s := spin("betron", "sum", 10_00, 40_00)
	h.file("betron", h.winLine(g, s, ""), false)
	s.Pay++
	if v := g.settle(s); v == casinosim.Done {
		t.Errorf("another sum: verdict %d", v)
	}
	g.has("50")
	b := h.guest("betao", "nic-2", "10")
	s = spin("betao", "sum2", 10_00, 40_00)
	h.file("betao", h.winLine(b, s, s.Round), false)
	s.Round = "r-other"
	if v := b.settle(s); v != casinosim.Failed {
		t.Errorf("another round: verdict %d", v)
	}
	b.has("50")
}

// The platform's call may be on its way while a break of it is healed.
func TestHealingAfterTheCall(t *testing.T) {
	t.Parallel()
	h := openHouse(t)
	g := h.guest("naga", "ole", "100")
	s := spin("naga", "race", 10_00, 40_00)
	g.done(g.bet(s))
	g.done(g.settle(s))
	win := casino.Win{Amount: money.MustParse("40"), Call: casino.Call{Provider: "naga", ID: s.Win, Player: g.who, List: true, At: h.Now()}}
	outcome, err := h.Floor.Win(t.Context(), win)
	if err != nil || !outcome.Repeat {
		t.Errorf("healed after the call: %+v, %v", outcome, err)
	}
	g.has("130")
}
