package reconcile

import (
	"bytes"
	"math"
	"testing"

	"pgregory.net/rapid"

	"evens/money"
)

func FuzzPolicy(f *testing.F) {
	f.Add("heal_limit: \"5\"\nrules: [{kind: status, action: person}]")
	f.Fuzz(func(t *testing.T, text string) {
		policy, err := ReadPolicy(bytes.NewReader([]byte(text)), []string{BeT, "tg", "naga"})
		if err != nil {
			return
		}
		sum, known := policy.Limit.Or(defaultLimit).In("USD")
		if sum < math.MaxInt64 && policy.allows("tg", StatusDiffers, sum+1, "USD") || (!known || sum == 0) && policy.allows("tg", StatusDiffers, 0, "USD") {
			t.Fatalf("heals without a limit: %+v", policy)
		}
	})
}

// Two sides that agree have no break; sides that differ have one, and what would take money from a
// player is never done by itself.
func TestClassify(t *testing.T) {
	t.Parallel()
	amounts := rapid.Custom(func(t *rapid.T) money.Amount { return money.Amount(rapid.Int64Range(-3, 3).Draw(t, "amount")) })
	rapid.Check(t, func(t *rapid.T) {
		p := transactionPair{id: "x"}
		if rapid.Bool().Draw(t, "theirs") {
			net := amounts.Draw(t, "net")
			p.theirs = &Theirs{
				Net: net, Undone: rapid.Bool().Draw(t, "undone"), Moved: rapid.Bool().Draw(t, "moved"), Duplicate: rapid.IntRange(0, 9).Draw(t, "duplicate") == 0,
				Debit: net < 0, Credit: net > 0, Player: rapid.SampledFrom([]string{"", "ana", "bob"}).Draw(t, "player"),
				Currency: rapid.SampledFrom([]string{"", "USD", "EUR"}).Draw(t, "currency"),
			}
		}
		if p.theirs == nil || rapid.Bool().Draw(t, "ours") {
			p.ours = &Ours{Net: amounts.Draw(t, "our net"), Undone: rapid.Bool().Draw(t, "our undone"), Player: "ana", Currency: "USD"}
		}
		kinds := p.classify()
		done := func(moved, undone bool) bool { return moved && !undone }
		switch {
		case p.ours == nil:
			if want := done(p.theirs.Moved, p.theirs.Undone) || p.theirs.loneReversal(); (len(kinds) > 0) != want {
				t.Fatalf("%+v: %v", p.theirs, kinds)
			}
		case p.theirs == nil:
			if (len(kinds) > 0) == p.ours.Undone {
				t.Fatalf("%+v: %v", p.ours, kinds)
			}
		default:
			same := done(p.theirs.Moved, p.theirs.Undone) == !p.ours.Undone && (!p.theirs.Moved || p.theirs.Net == p.ours.Net) && !p.theirs.Duplicate &&
				p.theirs.Player != "bob" && p.theirs.Currency != "EUR"
			if (len(kinds) == 0) != same {
				t.Fatalf("%+v, %+v: %v", p.theirs, p.ours, kinds)
			}
		}
		for _, kind := range kinds {
			switch p.remedy(kind) {
			case ActPost:
				if p.theirs.Net <= 0 || p.ours != nil {
					t.Fatalf("posts %+v", p.theirs)
				}
			case ActRollback:
				if p.ours.Net >= 0 {
					t.Fatalf("takes %+v from a player", p.ours)
				}
			}
		}
	})
}
