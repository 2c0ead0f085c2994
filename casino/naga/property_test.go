package naga

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"evens/money"
)

// Whatever the order of one set of calls, however often each comes: where none was refused but as a
// repeat of what is undone, the books end the same.
func TestAnyOrderEndsInTheSameBooks(t *testing.T) {
	t.Parallel()
	p := open(t, "1000")
	run := 0
	rapid.Check(t, func(rt *rapid.T) {
		run++
		type said struct{ route, data string }
		var set []said
		for b := range rapid.IntRange(1, 2).Draw(rt, "bets") {
			id := fmt.Sprint("B-", b)
			set = append(set, said{"place-bet", p.bet(id, "T"+id, fmt.Sprint(rapid.IntRange(0, 20).Draw(rt, "stake")), "")})
			if rapid.Bool().Draw(rt, "paid") {
				set = append(set, said{"payout", p.bet(id, "P"+id, fmt.Sprint(rapid.IntRange(0, 90).Draw(rt, "win")), "")})
			}
			if rapid.Bool().Draw(rt, "canceled") {
				set = append(set, said{"cancel-bet", fmt.Sprintf(`{"betId":%q}`, id)})
			}
		}
		play := func(who string, calls []said) (cash money.Amount, refusals int) {
			ana := p.hall.Player(t, who, money.MustParse("1000"))
			_, token, err := p.hall.Sessions.Open(t.Context(), Provider, ana, "fortune-naga", false)
			if err != nil {
				rt.Fatal(err)
			}
			own := strings.NewReplacer(p.token, token, "B-", who+"-")
			for _, c := range calls {
				answer := p.call(c.route, own.Replace(c.data))
				if answer.Status != 200 {
					refusals++
				}
			}
			return p.hall.Cash(t, ana), refusals
		}
		times := append([]said{}, set...)
		times = append(times, rapid.SliceOfN(rapid.SampledFrom(set), 0, 3).Draw(rt, "again")...)
		first, refused := play(fmt.Sprintf("a%d", run), set)
		second, alsoRefused := play(fmt.Sprintf("b%d", run), rapid.Permutation(times).Draw(rt, "order"))
		if first != second && refused == 0 && alsoRefused == 0 {
			rt.Fatalf("%s in order, %s shuffled, and nobody was told", first, second)
		}
	})
}
