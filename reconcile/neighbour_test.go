package reconcile_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"evens/casino"
	"evens/casino/casinotest"
	"evens/internal/postgres"
	"evens/money"
	"evens/player"
	"evens/reconcile"
)

// elsewhere is a platform that no test is about.
const elsewhere = "elsewhere"

// everythingOf is what a provider has moved, listed and left open, and what a player has, as text.
const everythingOf = `
	SELECT string_agg(line, E'\n' ORDER BY line) FROM (
	    SELECT 'moved ' || concat_ws(' ', kind, external_id, amount) AS line FROM transactions WHERE provider = $1
	    UNION ALL SELECT 'has ' || concat_ws(' ', a.kind, a.balance) FROM accounts a JOIN players p ON p.id = a.player_id
	     WHERE p.external_id = $2
	    UNION ALL SELECT 'list ' || s::text FROM statements s WHERE provider = $1
	    UNION ALL SELECT 'line ' || l::text FROM statement_lines l WHERE statement_id IN (SELECT id FROM statements WHERE provider = $1)
	    UNION ALL SELECT 'aside ' || u::text FROM unreadable_lines u WHERE statement_id IN (SELECT id FROM statements WHERE provider = $1)
	    UNION ALL SELECT 'break ' || b::text FROM breaks b WHERE provider = $1
	    UNION ALL SELECT 'event ' || e::text FROM break_events e WHERE break_id IN (SELECT id FROM breaks WHERE provider = $1)
	    UNION ALL SELECT 'mark ' || w::text FROM watermarks w WHERE provider = $1
	) x`

// neighbour is a player whom a test is not about, with bets, a list and breaks of her own under ids that tests use
// too. Nothing of hers changes, whatever the test does.
type neighbour struct {
	db  *postgres.DB
	had string
}

func openNeighbour(t *testing.T, h *casinotest.Hall) *neighbour {
	t.Helper()
	nora := h.Player(t, "nora", 0)
	call := func(id string) casino.Call {
		return casino.Call{Provider: elsewhere, ID: id, Player: nora, Round: casino.Round{ID: "r-" + id}, At: h.Now()}
	}
	_, err := h.Floor.Win(t.Context(), casino.Win{Call: call("w0"), Amount: money.MustParse("70")})
	fatal(t, err)
	_, err = h.Floor.Bet(t.Context(), casino.Bet{Call: call("b0"), Stake: money.MustParse("3")})
	fatal(t, err)
	r := reconcile.New(reconcile.Config{DB: h.DB, Poster: h.Poster, Players: player.NewDirectory(h.DB), Floor: h.Floor, Now: h.Now})
	same(t, listed(t, r, h.Now()), map[string]string{
		"amount b0": "open person", "missing_here b1": "open person", "missing_there w0": "open person",
	})
	n := &neighbour{db: h.DB}
	n.look(t)
	t.Cleanup(func() { n.unchanged(t) })
	return n
}

// listed holds the neighbour's list against the books.
func listed(t *testing.T, r *reconcile.Reconciler, now time.Time) map[string]string {
	t.Helper()
	line := func(id, amount, status string, at time.Time) string {
		return fmt.Sprintf("%s,debit,nora,%s,USD,%s,%s,r-%s\n", id, amount, status, at.Format(time.RFC3339Nano), id)
	}
	report, err := r.Run(t.Context(), reconcile.Request{
		Provider: elsewhere, From: now.Add(-time.Hour), To: now.Add(time.Hour),
		File: strings.NewReader(header + line("b0", "3.50", "ok", now) + line("b1", "4", "ok", now) + line("b2", "5", "failed", now.Add(time.Minute))),
	})
	fatal(t, err)
	return found(report)
}

// look says that what she has now is right, where a test is about everybody's.
func (n *neighbour) look(t *testing.T) {
	t.Helper()
	n.had = n.everything(t)
}

func (n *neighbour) unchanged(t *testing.T) {
	t.Helper()
	if has := n.everything(t); has != n.had {
		t.Errorf("somebody else's:\n%s\nwas:\n%s", has, n.had)
	}
}

func (n *neighbour) everything(t *testing.T) (text string) {
	t.Helper()
	fatal(t, n.db.Pool.QueryRow(context.WithoutCancel(t.Context()), everythingOf, elsewhere, "nora").Scan(&text))
	return text
}
