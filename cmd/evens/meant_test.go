package main

import (
	"strings"
	"testing"
	"time"

	"evens/access"
	"evens/internal/testbed"
	"evens/player"
)

// An external id that reads like another player's id names its own player, at every command.
func TestCommandsMeanThePlayerWhoIsNamed(t *testing.T) {
	t.Parallel()
	i := install(t, testbed.EmptyDatabase(t), testbed.Redis(t))
	players := player.New(i.db, time.Now)
	open := func(externalID string) player.Player {
		p, _, err := players.Create(t.Context(), player.Registration{ExternalID: externalID, Name: "P", Email: "p@example.com", Currency: "USD"})
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	ann := open("ann")
	other := open(strings.ReplaceAll(ann.ID.String(), "-", ""))
	bob := open("bob")
	open(bob.ID.String())
	if _, err := access.NewOperators(i.db, time.Now).Create(t.Context(), "fin@example.com", access.Finance, "a long password"); err != nil {
		t.Fatal(err)
	}
	code, out := i.evens(t, "adjust", "--player", other.ExternalID, "--amount", "5", "--comment", "c", "--operator", "fin@example.com")
	if code != 0 || !strings.Contains(out, other.ID.String()) {
		t.Errorf("adjust: %d %s, want player %s", code, out, other.ID)
	}
	code, out = i.evens(t, "player", "block", other.ExternalID, "--operator", "fin@example.com", "--comment", "c")
	if code != 0 || !strings.Contains(out, other.ID.String()) {
		t.Errorf("block: %d %s, want player %s", code, out, other.ID)
	}
	code, out = i.evens(t, "explain", "player", other.ExternalID)
	if code != 0 || !strings.Contains(out, other.ID.String()) {
		t.Errorf("explain: %d %s, want player %s", code, out, other.ID)
	}
	for _, args := range [][]string{
		{"adjust", "--player", bob.ID.String(), "--amount", "5", "--comment", "c", "--operator", "fin@example.com"},
		{"player", "block", bob.ID.String(), "--operator", "fin@example.com", "--comment", "c"},
		{"player", "limits", bob.ID.String()}, {"bonus", "list", bob.ID.String()}, {"explain", "player", bob.ID.String()},
	} {
		if code, out := i.evens(t, args...); code == 0 {
			t.Errorf("%v: %d %s, want it refused as ambiguous", args, code, out)
		}
	}
	if n := i.count(t, `SELECT count(*) FROM transactions WHERE player_id = '`+ann.ID.String()+`'`); n != 0 {
		t.Errorf("%d transactions of the player who was not meant", n)
	}
}
