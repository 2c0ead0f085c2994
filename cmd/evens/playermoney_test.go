package main

import (
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"evens/access"
	"evens/internal/testbed"
	"evens/money"
	"evens/player"
	"evens/wallet"
)

// Adjustments with one person and with two, bonuses, limits, debts: as finance and support do it.
func TestPlayerMoneyByHand(t *testing.T) {
	t.Parallel()
	i := install(t, testbed.EmptyDatabase(t), testbed.Redis(t))
	who, _, err := player.New(i.db, time.Now).Create(t.Context(), player.Registration{ExternalID: "ana", Name: "Ana", Email: "a@example.com", Currency: "USD"})
	if err != nil {
		t.Fatal(err)
	}
	operators := access.NewOperators(i.db, time.Now)
	for email, role := range map[string]access.Role{"fin@example.com": access.Finance, "two@example.com": access.Admin, "sup@example.com": access.Supporter} {
		if _, err := operators.Create(t.Context(), email, role, operatorPassword); err != nil {
			t.Fatal(err)
		}
	}
	fails := func(args ...string) {
		t.Helper()
		if code, out := i.evens(t, args...); code == 0 {
			t.Errorf("%v: done: %s", args, out)
		}
	}
	does := func(part string, args ...string) string {
		t.Helper()
		code, out := i.evens(t, args...)
		if code != 0 || !strings.Contains(out, part) {
			t.Errorf("%v: %d %s, want %q", args, code, out, part)
		}
		return out
	}
	fails("adjust", "--player", "ana", "--amount", "5", "--operator", "fin@example.com")
	fails("adjust", "--player", "ana", "--amount", "5", "--comment", "c", "--operator", "sup@example.com")
	fails("adjust", "--player", "ana", "--amount", "five", "--comment", "c", "--operator", "fin@example.com")
	fails("adjust", "--player", "bob", "--amount", "5", "--comment", "c", "--operator", "fin@example.com")
	for range 2 {
		does("posted", "adjust", "--player", "ana", "--amount", "12.50", "--comment", "goodwill", "--operator", "fin@example.com", "--reference", "t-1")
	}
	does("posted", "adjust", "--player", who.ID.String(), "--amount", "-2.50", "--comment", "twice", "--operator", "fin@example.com")
	large := does("pending", "adjust", "--player", "ana", "--amount", "900", "--comment", "jackpot", "--operator", "fin@example.com")
	id := regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f-]{27}`).FindString(large)
	does(id, "adjust", "list")
	fails("adjust", "approve", id, "--operator", "fin@example.com")
	fails("adjust", "approve", "x", "--operator", "two@example.com")
	does("posted", "adjust", "approve", id, "--operator", "two@example.com", "--comment", "seen")
	fails("adjust", "refuse", id, "--operator", "two@example.com", "--comment", "too late")
	if n := i.count(t, `SELECT balance FROM accounts WHERE kind = 'cash'`); n != 9_100_000 {
		t.Errorf("cash = %d, want 910.0000", n)
	}

	books := wallet.NewBooks(i.db, nil, slog.New(slog.DiscardHandler))
	poster := wallet.NewPoster(books, wallet.PosterConfig{})
	t.Cleanup(poster.Close)
	bonus, err := wallet.GiveBonus(t.Context(), poster, wallet.Grant{
		Player: who.ID, Currency: "USD", Amount: money.MustParse("30"), Wagering: 40 * money.One, Terms: wallet.OpenTerms(), At: time.Now(),
	}, wallet.Request{})
	if err != nil {
		t.Fatal(err)
	}
	does("1200.00", "bonus", "list", "ana")
	fails("bonus", "forfeit", "ana", "x", "--operator", "fin@example.com", "--comment", "c")
	fails("bonus", "forfeit", "ana", bonus.ID.String(), "--operator", "sup@example.com", "--comment", "asked to")
	does("forfeited", "bonus", "forfeit", "ana", bonus.ID.String(), "--operator", "fin@example.com", "--comment", "asked to")
	fails("bonus", "forfeit", "ana", bonus.ID.String(), "--operator", "fin@example.com", "--comment", "again")
	var wish wallet.Wish
	wish.Caps[wallet.Losses][wallet.Weekly] = &wallet.Cap{Amount: money.MustParse("75"), Set: true}
	if _, err := wallet.NewRulebook(books, 0, time.Now).Change(t.Context(), who.ID, wish, "test", ""); err != nil {
		t.Fatal(err)
	}
	does("75.00", "player", "limits", "ana")
	does("PLAYER", "debts")
	does("limits_changed by test", "explain", "player", "ana")

	now := time.Now().UTC()
	for _, id := range []string{"s-1", "s-2"} {
		cash := wallet.Cash{Amount: money.MustParse("4.50"), Currency: "USD", Method: "pix", TransactionID: id, At: now}
		if err := wallet.Suspend(t.Context(), i.db, cash, wallet.DepositSucceeded, "nobody", wallet.UnknownPlayer); err != nil {
			t.Fatal(err)
		}
	}
	does("unknown_player", "suspense")
	waiting, err := wallet.Suspense(t.Context(), i.db)
	if err != nil || len(waiting) != 2 {
		t.Fatalf("%d rows wait, %v", len(waiting), err)
	}
	one, two := waiting[0].ID.String(), waiting[1].ID.String()
	does(one, "suspense", "list", "--json")
	fails("suspense", "assign", one, "--player", "ana", "--operator", "sup@example.com", "--comment", "hers")
	fails("suspense", "assign", one, "--player", "ana", "--operator", "fin@example.com", "--comment", " ")
	does("assigned: s-1 of 4.50 USD", "suspense", "assign", one, "--player", "ana", "--operator", "fin@example.com", "--comment", "hers")
	fails("suspense", "close", one, "--as", "returned", "--operator", "fin@example.com", "--comment", "again")
	does("closed: s-2 of 4.50 USD", "suspense", "close", two, "--as", "returned", "--operator", "fin@example.com", "--comment", "refunded")
	does("suspense_assigned", "explain", "player", "ana")

	campaigns := filepath.Join(t.TempDir(), "campaigns.yml")
	text := `campaigns: [{name: welcome, jurisdiction: GB, currency: USD, wagering: "40", contributions: {slots: "100"}}]`
	if err := os.WriteFile(campaigns, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	fails("--campaigns", campaigns, "bonus", "campaigns")
	does("forfeited", "--campaigns", campaigns, "bonus", "list", "ana") // which reads no campaign
	does("welcome", "--campaigns", "../../docs/campaigns.example.yml", "bonus", "campaigns")
	does("the books are even", "audit")
}
