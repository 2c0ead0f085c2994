// Package casinotest gives tests a floor to play on: books, players with money, and the audit when
// the test is over. It is for tests only.
package casinotest

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"evens/audit"
	"evens/casino"
	"evens/internal/callbacks"
	"evens/internal/postgres"
	"evens/ledger"
	"evens/money"
	"evens/player"
	"evens/wallet"
)

// TB is what is needed of a testing.TB.
type TB interface {
	Helper()
	Context() context.Context
	Cleanup(func())
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// Hall is everything a dialect is tested with.
type Hall struct {
	DB       *postgres.DB
	Floor    *casino.Floor
	Sessions *casino.Sessions
	Desk     *casino.Desk
	Recorder *callbacks.Recorder
	Players  *player.Registry
	Poster   *wallet.Poster
	Rules    *wallet.Rulebook
	Now      func() time.Time

	clock atomic.Pointer[time.Time]
	next  atomic.Int64
}

// Open returns a hall on the database of url. The books are audited when the test is over.
func Open(t TB, url string) *Hall {
	t.Helper()
	db, err := postgres.Open(t.Context(), postgres.Config{URL: url, MaxConns: 4, HotConns: 4})
	if err != nil {
		t.Fatalf("open the books: %v", err)
	}
	t.Cleanup(db.Close)
	h := &Hall{DB: db}
	t.Cleanup(func() { h.audit(t) })
	h.Now = func() time.Time {
		if at := h.clock.Load(); at != nil {
			return *at
		}
		return time.Now().UTC()
	}
	log := slog.New(slog.DiscardHandler)
	books := wallet.NewBooks(h.DB, nil, log)
	h.Poster = wallet.NewPoster(books, wallet.PosterConfig{})
	h.Rules = wallet.NewRulebook(books, 0, h.Now)
	t.Cleanup(h.Poster.Close)
	h.Floor = casino.NewFloor(h.DB, h.Poster, player.NewDirectory(h.DB), h.Now, log)
	h.Sessions = casino.NewSessions(h.DB, h.Now)
	h.Recorder = callbacks.NewRecorder(h.DB, log)
	t.Cleanup(h.Recorder.Close)
	h.Desk = casino.NewDesk(h.Recorder, h.Now, nil, log)
	h.Players = player.New(h.DB, h.Now)
	return h
}

// audit fails the test where the books break a rule.
func (h *Hall) audit(t TB) {
	t.Helper()
	report, err := audit.At(context.WithoutCancel(t.Context()), h.DB, h.Now())
	if err != nil {
		t.Fatalf("audit: %v", err)
	}
	if !report.Clean {
		var text strings.Builder
		_ = report.Print(&text) // a Builder takes everything
		t.Errorf("the audit found violations:\n%s", &text)
	}
}

// Sealable waits until all that was written can be sealed: nothing that the cluster has under way, in other
// tests' databases too, is older.
func (h *Hall) Sealable(t TB) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		var done bool
		err := h.DB.Pool.QueryRow(t.Context(), `SELECT ledger_horizon() > coalesce(max(position), 0) FROM transactions`).Scan(&done)
		if err != nil {
			t.Fatalf("read the horizon: %v", err)
		}
		if done {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("the horizon stands still")
		}
	}
}

// SetClock stops the hall's clock at a time.
func (h *Hall) SetClock(at time.Time) { h.clock.Store(&at) }

// Player returns a new player with cash.
func (h *Hall) Player(t TB, externalID string, cash money.Amount) player.Identity {
	t.Helper()
	p, _, err := h.Players.Create(t.Context(), player.Registration{ExternalID: externalID, Name: "Ana", Email: "ana@example.com", Currency: "USD"})
	if err != nil {
		t.Fatalf("create player: %v", err)
	}
	if cash > 0 {
		h.Deposit(t, p.ID, cash)
	}
	return player.Identity{ID: p.ID, ExternalID: p.ExternalID, Currency: p.Currency}
}

// Cash is what a player has now.
func (h *Hall) Cash(t TB, who player.Identity) money.Amount {
	t.Helper()
	balance, err := h.Players.Balance(context.WithoutCancel(t.Context()), who.ID)
	if err != nil {
		t.Fatalf("read balance: %v", err)
	}
	return balance.Cash
}

// Kinds lists the kinds of a provider's transactions in the order of their keys' ids.
func (h *Hall) Kinds(t TB, provider string) map[string]ledger.Kind {
	t.Helper()
	rows, err := h.DB.Pool.Query(t.Context(), `SELECT source || ' ' || external_id, kind FROM transactions WHERE provider = $1`, provider)
	if err != nil {
		t.Fatalf("read transactions: %v", err)
	}
	kinds := make(map[string]ledger.Kind)
	for rows.Next() {
		var key string
		var kind ledger.Kind
		if err := rows.Scan(&key, &kind); err != nil {
			t.Fatalf("read transactions: %v", err)
		}
		kinds[key] = kind
	}
	if err := rows.Err(); err != nil {
		t.Fatalf("read transactions: %v", err)
	}
	return kinds
}

// Serve serves a platform's routes until the test is over.
func (h *Hall) Serve(t TB, platform casino.Platform) string {
	t.Helper()
	mux := http.NewServeMux()
	platform.Mount(mux, h.Desk)
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL
}

func (h *Hall) id(what string) string { return fmt.Sprintf("%s-%d", what, h.next.Add(1)) }

// Limit caps what a player may wager in a day.
func (h *Hall) Limit(t TB, who player.Identity, daily money.Amount) {
	t.Helper()
	var wish wallet.Wish
	wish.Caps[wallet.Wagers][wallet.Daily] = &wallet.Cap{Amount: daily, Set: true}
	if _, err := h.Rules.Change(t.Context(), who.ID, wish, "test", ""); err != nil {
		t.Fatalf("limit: %v", err)
	}
}

// LimitEvents counts the attempts over a limit that the activity log has of a player.
func (h *Hall) LimitEvents(t TB, who player.Identity) (n int) {
	t.Helper()
	err := h.DB.Pool.QueryRow(t.Context(), `SELECT count(*) FROM activity_log WHERE player_id = $1 AND event = $2`, who.ID, wallet.EventLimitExceeded).Scan(&n)
	if err != nil {
		t.Fatalf("read the activity log: %v", err)
	}
	return n
}

// Grant gives a player a bonus that asks for so many times itself, on open terms where terms is nil.
func (h *Hall) Grant(t TB, who player.Identity, amount money.Amount, wagering money.Coef, terms *wallet.Terms) {
	t.Helper()
	if terms == nil {
		terms = wallet.OpenTerms()
	}
	_, err := wallet.GiveBonus(t.Context(), h.Poster, wallet.Grant{
		Player: who.ID, Currency: who.Currency, Amount: amount, Wagering: wagering, Terms: terms, At: h.Now(),
	}, wallet.Request{})
	if err != nil {
		t.Fatalf("grant: %v", err)
	}
}

// Bonus is a player's newest bonus.
func (h *Hall) Bonus(t TB, who player.Identity) wallet.BonusView {
	t.Helper()
	bonuses, err := wallet.Bonuses(t.Context(), h.DB, who.ID, uuid.NullUUID{}, 1)
	if err != nil || len(bonuses) != 1 {
		t.Fatalf("bonuses: %v, %v", bonuses, err)
	}
	return bonuses[0]
}

// Catalogue writes down what kinds of games there are.
func (h *Hall) Catalogue(t TB, provider string, categories map[string]string) {
	t.Helper()
	var games []casino.Game
	for code, category := range categories {
		games = append(games, casino.Game{Provider: provider, Code: code, Category: category})
	}
	if err := h.Floor.Categories().Keep(t.Context(), games); err != nil {
		t.Fatalf("catalogue: %v", err)
	}
}

// Deposit brings a player money.
func (h *Hall) Deposit(t TB, id uuid.UUID, cash money.Amount) {
	t.Helper()
	_, err := wallet.Deposit(t.Context(), h.Poster, wallet.Cash{
		Player: id, Amount: cash, Currency: "USD", Method: "test", TransactionID: h.id("deposit"), At: h.Now(),
	})
	if err != nil {
		t.Fatalf("deposit: %v", err)
	}
}

// OpenBreaks lists a provider's open breaks, as kind and id, in that order.
func (h *Hall) OpenBreaks(t TB, provider string) []string {
	t.Helper()
	rows, err := h.DB.Pool.Query(t.Context(), `
		SELECT kind || ' ' || transaction_id FROM breaks WHERE provider = $1 AND state = 'open' ORDER BY 1`, provider)
	if err != nil {
		t.Fatalf("read breaks: %v", err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatalf("read breaks: %v", err)
	}
	return found
}
