package betao

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"evens/money"
)

// permutations are all orders of messages.
func permutations(messages []message) (all [][]message) {
	if len(messages) < 2 {
		return [][]message{slices.Clone(messages)}
	}
	for n := range messages {
		rest := slices.Delete(slices.Clone(messages), n, n+1)
		for _, tail := range permutations(rest) {
			all = append(all, append([]message{messages[n]}, tail...))
		}
	}
	return all
}

// A round of two debits, of which the cash pays some and the bonus the rest, and one is rolled back: in every order of
// the same messages the pockets end the same, or a person sees it.
func TestPocketsOfARoundEndTheSameInEveryOrder(t *testing.T) {
	t.Parallel()
	set := []message{move("debit", "d1", "r", "10"), move("debit", "d2", "r", "20"), move("credit", "c", "r", "60"), back("d1")}
	p := open(t)
	ends := make(map[string][]string)
	for n, order := range permutations(set) {
		who := fmt.Sprint("ana", n)
		player := p.hall.Player(t, who, money.MustParse("15"))
		p.hall.Grant(t, player, money.MustParse("50"), 40*money.One, nil)
		own := strings.NewReplacer(`"ana"`, `"`+who+`"`, `_id":"d`, `_id":"`+who+`d`, `_id":"c`, `_id":"`+who+`c`, `_id":"r`, `_id":"`+who+`r`)
		var told []string
		clean := true
		for _, m := range order {
			answer := p.say(message{m.route, own.Replace(m.body)})
			told = append(told, fmt.Sprintf("%s %.60s %d", m.route, own.Replace(m.body), answer.Status))
			clean = clean && (answer.Status == 200 || strings.Contains(m.body, `"d1"`))
		}
		b := p.hall.Bonus(t, player)
		end := fmt.Sprintf("cash %s, bonus %s, wagered %s", p.hall.Cash(t, player), b.Balance, b.Wagered)
		broken := slices.ContainsFunc(p.breaks(), func(one string) bool { return strings.Contains(one, who+"c") || strings.Contains(one, who+"d") })
		if !clean || broken || p.unmatched(player.ID) {
			continue // somebody sees it
		}
		ends[end] = append(ends[end], strings.Join(told, " | "))
	}
	if len(ends) != 1 {
		for end, orders := range ends {
			t.Errorf("%s: %d orders, such as %s", end, len(orders), orders[0])
		}
	}
}

// unmatched reports whether a win of the player's is marked as one without a bet.
func (p partner) unmatched(player uuid.UUID) (marked bool) {
	p.t.Helper()
	query := `SELECT EXISTS (SELECT FROM transactions WHERE player_id = $1 AND comment = 'no bet known')`
	if err := p.hall.DB.Pool.QueryRow(p.t.Context(), query, player).Scan(&marked); err != nil {
		p.t.Fatal(err)
	}
	return marked
}
