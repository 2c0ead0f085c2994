package betao

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"evens/money"
)

// Whatever the order of one set of messages, however often each comes, the books end the same, unless a
// message was refused or a person was left a break.
func TestAnyOrderEndsInTheSameBooks(t *testing.T) {
	t.Parallel()
	p := open(t)
	run := 0
	rapid.Check(t, func(rt *rapid.T) {
		run++
		var set []message
		for r := range rapid.IntRange(1, 2).Draw(rt, "rounds") {
			round := fmt.Sprint("r", r)
			debits := rapid.IntRange(0, 2).Draw(rt, "debits")
			for d := range debits {
				id := fmt.Sprint("d", r, d)
				set = append(set, move("debit", id, round, fmt.Sprint(rapid.IntRange(0, 20).Draw(rt, "stake"))))
				if rapid.Bool().Draw(rt, "undone") {
					set = append(set, back(id))
				}
			}
			for c := range rapid.IntRange(0, 2).Draw(rt, "credits") {
				id := fmt.Sprint("c", r, c)
				set = append(set, move("credit", id, round, fmt.Sprint(rapid.IntRange(0, 90).Draw(rt, "win"))))
				if rapid.IntRange(0, 3).Draw(rt, "undone") == 0 {
					set = append(set, back(id))
				}
			}
		}
		if len(set) == 0 {
			return
		}
		var repeated []message
		for _, m := range set {
			for range rapid.IntRange(1, 2).Draw(rt, "times") {
				repeated = append(repeated, m)
			}
		}
		shuffled := rapid.Permutation(repeated).Draw(rt, "order")
		first, clean := p.play(fmt.Sprintf("a%d", run), set)
		second, alsoClean := p.play(fmt.Sprintf("b%d", run), shuffled)
		if first != second && clean && alsoClean {
			rt.Fatalf("%s in order, %s shuffled, and nobody was told\n%v\n%v", first, second, set, shuffled)
		}
	})
}

// play plays messages as one player's, all ids its own, and returns the cash they end with. clean is
// false where a person sees something: a refusal that is not of what was undone, a mark, or a break.
func (p partner) play(who string, messages []message) (cash money.Amount, clean bool) {
	p.t.Helper()
	player := p.hall.Player(p.t, who, money.MustParse("1000"))
	clean = true
	own := strings.NewReplacer(`"ana"`, `"`+who+`"`, `"transaction_id":"`, `"transaction_id":"`+who, `"round_id":"`, `"round_id":"`+who)
	for _, m := range messages {
		answer := p.say(message{m.route, strings.ReplaceAll(own.Replace(m.body), `original_transaction_id":"`+who+who, `original_transaction_id":"`+who)})
		if answer.Status != 200 && !undone(messages, m) {
			clean = false
		}
	}
	marked := `SELECT EXISTS (SELECT FROM transactions WHERE player_id = $1 AND comment = 'no bet known')`
	var unmatched bool
	if err := p.hall.DB.Pool.QueryRow(p.t.Context(), marked, player.ID).Scan(&unmatched); err != nil {
		p.t.Fatal(err)
	}
	broken := slices.ContainsFunc(p.hall.OpenBreaks(p.t, Provider), func(one string) bool { return strings.Contains(one, " "+who) })
	return p.hall.Cash(p.t, player), clean && !broken && !unmatched
}

// undone reports whether a message is of what the set takes back: itself, or every debit of its round.
func undone(set []message, m message) bool {
	field := func(m message, name string) string {
		_, rest, _ := strings.Cut(m.body, `"`+name+`":"`)
		value, _, _ := strings.Cut(rest, `"`)
		return value
	}
	if slices.Contains(set, back(field(m, "transaction_id"))) {
		return true
	}
	return m.route == "credit" && !slices.ContainsFunc(set, func(other message) bool {
		return other.route == "debit" && field(other, "round_id") == field(m, "round_id") && !slices.Contains(set, back(field(other, "transaction_id")))
	})
}
