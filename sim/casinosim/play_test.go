package casinosim_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"evens/casino"
	"evens/casino/betao"
	"evens/casino/betron"
	"evens/casino/casinotest"
	"evens/casino/naga"
	"evens/casino/tg"
	"evens/internal/testbed"
	"evens/money"
	"evens/sim/casinosim"
)

func TestMain(m *testing.M) { testbed.Main(m) }

// hall is an operator with all four platforms, simulated and real wire both ways.
type hall struct {
	*casinotest.Hall
	operator  string
	platforms []casino.Platform
	sims      []casinosim.Platform
	notices   *casino.Notices
}

// bell works notices off at once, as the job does.
type bell struct {
	t       *testing.T
	notices **casino.Notices
	working *sync.WaitGroup
}

func (b bell) RingNotice(n casino.Notice) {
	b.working.Go(func() {
		if err := (*b.notices).Work(context.WithoutCancel(b.t.Context()), n.ID); err != nil {
			b.t.Errorf("notice %d: %v", n.ID, err)
		}
	})
}

func open(t *testing.T) hall {
	t.Helper()
	h := hall{Hall: casinotest.Open(t, testbed.Database(t))}
	var working sync.WaitGroup
	h.notices = casino.NewNotices(h.DB, bell{t, &h.notices, &working}, h.Now, slog.New(slog.DiscardHandler))
	t.Cleanup(working.Wait)
	key := []byte("0123456789abcdef0123456789abcdef")
	simTG, err := casinosim.NewTG("agent", key, "tg secret")
	fatal(t, err)
	simNaga, err := casinosim.NewNaga("gc01", "bc01", "naga key", true)
	fatal(t, err)
	simBetron := casinosim.NewBetron("code", "token", "betron secret")
	simBetao := casinosim.NewBetao("betao key", "betao secret")
	h.sims = []casinosim.Platform{simTG, simNaga, simBetron, simBetao}
	address := func(handler http.Handler) string {
		server := httptest.NewServer(handler)
		t.Cleanup(server.Close)
		return server.URL
	}
	nagaKey, err := naga.ParsePublicKey(simNaga.PublicKey())
	fatal(t, err)
	realTG, err := tg.New(tg.Config{URL: address(simTG), AgentID: "agent", Key: key, SecretKey: "tg secret"}, h.Floor)
	fatal(t, err)
	realNaga, err := naga.New(naga.Config{
		URL: address(simNaga), APIKey: "naga key", GroupCode: "gc01", BrandCode: "bc01", PublicKey: nagaKey, SignedOver: naga.OverDataHash,
	}, h.Floor, h.Sessions)
	fatal(t, err)
	realBetron, err := betron.New(betron.Config{URL: address(simBetron), AgentCode: "code", AgentToken: "token", SecretKey: "betron secret"}, h.Floor, h.Players)
	fatal(t, err)
	realBetao, err := betao.New(betao.Config{URL: address(simBetao), APIKey: "betao key", SecretKey: "betao secret"}, h.Floor, h.notices)
	fatal(t, err)
	h.platforms = []casino.Platform{realTG, realNaga, realBetron, realBetao}
	mux := http.NewServeMux()
	for _, platform := range h.platforms {
		platform.Mount(mux, h.Desk)
	}
	h.operator = address(mux)
	return h
}

func fatal(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// Each platform plays on a bad day: every answer and every balance is the one it has to be.
func TestPlatformsOnABadDay(t *testing.T) {
	t.Parallel()
	h := open(t)
	for _, sim := range h.sims {
		var seats []casinosim.Player
		for _, name := range []string{"ana", "bob", "eva"} {
			who := h.Player(t, sim.Name()+"-"+name, money.MustParse("200"))
			_, token, err := h.Sessions.Open(t.Context(), sim.Name(), who, "game", false)
			fatal(t, err)
			seats = append(seats, casinosim.Player{ID: who.ExternalID, Token: token, Currency: "USD"})
		}
		report, err := casinosim.Play(t.Context(), sim, casinosim.Plan{Operator: h.operator, Players: seats, Rounds: 60, Seed: 7}.Rough())
		if err != nil {
			t.Error(err)
		}
		if report.Rounds != 180 || report.Lost == 0 || report.Repeats == 0 || report.Rollbacks == 0 || report.Tombstones == 0 || report.Refused == 0 || report.FreeSpins == 0 {
			t.Errorf("%s played too well: %+v", sim.Name(), report)
		}
	}
}

// Our side of each platform's API: sign on, list, open, and sign on again when the token is gone.
func TestLaunchAndCatalogue(t *testing.T) {
	t.Parallel()
	h := open(t)
	who := h.Player(t, "ana", 0)
	p, err := h.Players.Get(t.Context(), who.ID)
	fatal(t, err)
	for i, platform := range h.platforms {
		var arrived []casinosim.Player
		h.sims[i].Arrivals(func(p casinosim.Player) { arrived = append(arrived, p) })
		games, err := platform.Games(t.Context())
		if err != nil || len(games) != 3 {
			t.Errorf("%s: games %+v, %v", platform.Name(), games, err)
			continue
		}
		if forgetful, does := h.sims[i].(interface{ Forget() }); does {
			forgetful.Forget()
		}
		launch := func(code string, demo bool) (string, error) {
			session, token, err := h.Sessions.Open(t.Context(), platform.Name(), who, code, demo)
			fatal(t, err)
			return platform.Launch(t.Context(), casino.Launch{Session: session, Token: token, Player: p, Lang: "pt", Mobile: true, Address: "192.0.2.1", Return: "https://site.example/"})
		}
		for _, demo := range []bool{true, false} {
			address, err := launch(games[0].Code, demo)
			if err != nil {
				t.Errorf("%s: launch: %v", platform.Name(), err)
				continue
			}
			response, err := http.Get(address)
			fatal(t, err)
			page, _ := io.ReadAll(response.Body)
			_ = response.Body.Close()
			if response.StatusCode != 200 || !strings.Contains(string(page), "playing") {
				t.Errorf("%s: %s: %d %s", platform.Name(), address, response.StatusCode, page)
			}
		}
		if len(arrived) != 1 {
			t.Errorf("%s: %d players came for money, want 1", platform.Name(), len(arrived))
		}
		if _, err := launch("no such game", false); !errors.Is(err, casino.ErrUnknownGame) {
			t.Errorf("%s: a game that is not there: %v", platform.Name(), err)
		}
	}
}

// What they list is what was played.
func TestTheirLists(t *testing.T) {
	t.Parallel()
	h := open(t)
	from := time.Now().Add(-time.Minute).UTC()
	for _, sim := range h.sims {
		who := h.Player(t, sim.Name()+"-ana", money.MustParse("500"))
		_, token, err := h.Sessions.Open(t.Context(), sim.Name(), who, "game", false)
		fatal(t, err)
		seat := casinosim.Player{ID: who.ExternalID, Token: token, Currency: "USD"}
		if _, err := casinosim.Play(t.Context(), sim, casinosim.Plan{Operator: h.operator, Players: []casinosim.Player{seat}, Rounds: 120, Seed: 3, Rollback: 100}); err != nil {
			t.Fatal(err)
		}
	}
	to := time.Now().Add(time.Minute).UTC()
	ctx := t.Context()
	realTG, realNaga, realBetao := h.platforms[0].(*tg.Platform), h.platforms[1].(*naga.Platform), h.platforms[3].(*betao.Platform)

	logs, err := realTG.BetLogs(ctx, from, to, 0)
	if err != nil || len(logs) != 120 || logs[0].BetID == "" || logs[0].Username != "tg-ana" {
		t.Errorf("TG lists %d bets, %v", len(logs), err)
	}
	if rest, err := realTG.BetLogs(ctx, from, to, 100); err != nil || len(rest) != 20 || rest[0].BetID != logs[100].BetID {
		t.Errorf("TG lists %d bets from the hundredth on, %v", len(rest), err)
	}
	first, err := realNaga.BetHistories(ctx, from, to, 0)
	fatal(t, err)
	second, err := realNaga.BetHistories(ctx, from, to, naga.HistoryPage)
	if err != nil || len(first) != 100 || len(second) != 20 {
		t.Errorf("Naga lists %d and %d bets, %v", len(first), len(second), err)
	}
	if one, err := realNaga.Bet(ctx, string(first[3].ID)); err != nil || one != first[3] {
		t.Errorf("Naga's one bet: %+v, want %+v, %v", one, first[3], err)
	}
	if _, err := realNaga.BetHistories(ctx, from, from.Add(25*time.Hour), 0); err == nil {
		t.Error("a window of more than a day was asked for")
	}
	page, err := realBetao.GetTransactions(ctx, from, to, 1)
	fatal(t, err)
	rows, next, err := realBetao.GetTransactionsCSV(ctx, from, to, 1)
	fatal(t, err)
	if len(page.Items) == 0 || page.Next != 0 || next != 0 || len(rows) != len(page.Items) || rows[5].TransactionID != page.Items[5].TransactionID || rows[5].Amount != page.Items[5].Amount {
		t.Errorf("Betao lists %d transactions, %d in CSV, next %d and %d", len(page.Items), len(rows), page.Next, next)
	}
	if balance, err := realBetao.GetBalance(ctx, "betao-ana", "USD"); err != nil || balance != 0 {
		t.Errorf("Betao's balance: %s, %v", balance, err)
	}
}

// Secrets of a query stay out of errors.
func TestErrorsShowNoSecrets(t *testing.T) {
	t.Parallel()
	h := open(t)
	platform, err := betron.New(betron.Config{URL: "http://127.0.0.1:1", AgentCode: "code", AgentToken: "token", SecretKey: "betron secret"}, h.Floor, h.Players)
	fatal(t, err)
	_, err = platform.Games(t.Context())
	if !errors.Is(err, casino.ErrUnavailable) || strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), url.QueryEscape("betron secret")) {
		t.Errorf("error = %v", err)
	}
	wrong := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _ = json.NewEncoder(w).Encode("nonsense") }))
	defer wrong.Close()
	for _, platform := range []func() (casino.Platform, error){
		func() (casino.Platform, error) {
			return betron.New(betron.Config{URL: wrong.URL, AgentCode: "c", AgentToken: "t", SecretKey: "s"}, h.Floor, h.Players)
		},
		func() (casino.Platform, error) {
			return betao.New(betao.Config{URL: wrong.URL, APIKey: "k", SecretKey: "s"}, h.Floor, h.notices)
		},
		func() (casino.Platform, error) {
			return tg.New(tg.Config{URL: wrong.URL, AgentID: "a", Key: make([]byte, 32)}, h.Floor)
		},
	} {
		p, err := platform()
		fatal(t, err)
		if games, err := p.Games(t.Context()); !errors.Is(err, casino.ErrUnavailable) {
			t.Errorf("%s reads nonsense as %v, %v", p.Name(), games, err)
		}
	}
}
