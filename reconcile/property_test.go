package reconcile_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"evens/money"
	"evens/reconcile"
	"evens/sim/casinosim"
)

// end is what became of a spin at the platform.
type end string

const (
	lost   end = "lost"
	won    end = "won"
	undone end = "undone"
)

// story is what happened at a platform: each spin has one end, and so the player one balance.
type story struct {
	guest
	spins []casinosim.Spin
	ends  []end
	shown map[int]bool
}

// truth is the cash that the platform's own books come to.
func (s *story) truth() money.Amount {
	cash := money.MustParse("1000")
	for i, spin := range s.spins {
		if s.ends[i] == undone {
			continue
		}
		cash += money.Amount(spin.Pay-spin.Stake) * money.MustParse("0.01")
	}
	return cash
}

// messages are the calls that the platform makes of it.
func (s *story) messages() (calls []casinosim.Call) {
	for i, spin := range s.spins {
		calls = append(calls, s.sim.Bet(s.Player, spin))
		settle, apart := s.sim.Settle(s.Player, spin)
		switch {
		case s.ends[i] == undone:
			calls = append(calls, s.sim.Rollback(s.Player, spin))
		case apart:
			calls = append(calls, settle)
		}
	}
	return calls
}

// show has the platform list a spin, as it ended.
func (s *story) show(i int) {
	if s.shown[i] {
		return
	}
	s.shown[i] = true
	casinosim.Enter(s.sim, s.Player, s.spins[i], s.h.Now(), s.ends[i] == undone)
	if s.ends[i] == undone {
		casinosim.Mark(s.sim, s.spins[i].Bet, map[string]string{"betao": "rolled back", "naga": "CANCELED", "tg": "3"}[s.sim.Name()])
	}
}

// compare holds the books against the platform's list, or a file of it where it has none.
func (s *story) compare() {
	if s.sim.Name() != "betron" {
		_, err := s.h.Run(s.h.t.Context(), reconcile.Request{Provider: s.sim.Name(), From: time.Now().Add(-12 * time.Hour), To: s.h.Now().Add(12 * time.Hour)})
		if err != nil && !errors.Is(err, reconcile.ErrCut) {
			s.h.t.Fatal(err)
		}
		return
	}
	var csv strings.Builder
	for i, spin := range s.spins {
		if !s.shown[i] {
			continue
		}
		line := func(id, kind string, cents int64) {
			fmt.Fprintf(&csv, "%s,%s,%s,%d.%02d,USD,ok,%s,\n", id, kind, s.ID, cents/100, cents%100, s.h.Now().Format(time.RFC3339Nano))
		}
		line(spin.Bet, "debit", spin.Stake)
		if s.ends[i] == undone {
			line(spin.Bet, "rollback", spin.Stake)
		} else {
			line(spin.Win, "credit", spin.Pay)
		}
	}
	if csv.Len() > 0 { // a file without a line is none
		s.h.file("betron", csv.String(), false)
	}
}

// Any shuffling, repeating and dropping of the same messages, with the lists late and held against the
// books in between, ends in the platform's own books, or in a break that a person sees.
func TestSameMessagesSameBooks(t *testing.T) {
	t.Parallel()
	h := openHouse(t)
	h.SetClock(time.Now().UTC())
	n := 0
	rapid.Check(t, func(r *rapid.T) {
		n++
		platform := rapid.SampledFrom([]string{"betao", "betron", "naga", "tg"}).Draw(r, "platform")
		s := &story{guest: h.guest(platform, fmt.Sprintf("%s-p%d", platform, n), "1000"), shown: make(map[int]bool)}
		for i := range rapid.IntRange(1, 4).Draw(r, "spins") {
			spin := spin(platform, fmt.Sprintf("%s.%d", s.ID, i), rapid.Int64Range(1, 50_00).Draw(r, "stake"), 0)
			how := rapid.SampledFrom([]end{lost, won, undone}).Draw(r, "end")
			if how == won {
				spin.Pay = rapid.Int64Range(1, 90_00).Draw(r, "pay")
			}
			s.spins, s.ends = append(s.spins, spin), append(s.ends, how)
		}
		calls := s.messages()
		order := rapid.Permutation(calls).Draw(r, "order")
		for _, call := range order {
			for range rapid.SampledFrom([]int{0, 1, 1, 1, 2}).Draw(r, "times") {
				s.send(call)
			}
			switch rapid.IntRange(0, 3).Draw(r, "meanwhile") {
			case 0:
				s.show(rapid.IntRange(0, len(s.spins)-1).Draw(r, "listed"))
			case 1:
				s.compare()
			case 2:
				h.later(time.Duration(rapid.IntRange(1, 40).Draw(r, "minutes")) * time.Minute)
			}
		}
		for i := range s.spins {
			s.show(i)
		}
		for range 4 { // a list that looks cut off is believed in the end
			s.compare()
		}
		s.once(r)
		if have := h.Cash(t, s.who); have != s.truth() && !s.visible(r) {
			r.Fatalf("%s has %s, the platform's books say %s, and nobody is told", s.ID, have, s.truth())
		}
	})
}

// once fails where one event has moved money twice, under whatever keys.
func (s *story) once(r *rapid.T) {
	var twice string
	err := s.h.DB.Pool.QueryRow(s.h.t.Context(), `
		SELECT coalesce(string_agg(kind || ' ' || external_id, ', '), '')
		  FROM (SELECT kind, external_id FROM transactions
		         WHERE player_id = $1 AND amount <> 0 AND kind IN ('bet', 'win', 'bet_win', 'rollback')
		         GROUP BY kind, external_id HAVING count(*) > 1) x`, s.who.ID).Scan(&twice)
	if err != nil {
		r.Fatal(err)
	}
	if twice != "" {
		r.Fatalf("%s: moved twice: %s", s.ID, twice)
	}
}

// visible reports whether a break of the story is open.
func (s *story) visible(r *rapid.T) bool {
	breaks, err := s.h.Breaks(s.h.t.Context(), reconcile.Filter{Provider: s.sim.Name(), States: []reconcile.State{reconcile.StateOpen}, Limit: 10_000})
	if err != nil {
		r.Fatal(err)
	}
	for _, b := range breaks {
		if b.Player == s.ID || strings.Contains(b.TransactionID, s.ID+".") {
			return true
		}
	}
	return false
}
