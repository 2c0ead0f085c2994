package reconcile_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
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
	"evens/player"
	"evens/reconcile"
	"evens/sim/casinosim"
)

// platforms are the four that there are.
var platforms = []casino.Kind{betao.Kind, betron.Kind, tg.Kind, naga.Kind}

// house has all four platforms, their calls and their lists, simulated.
type house struct {
	office
	operator string
	sims     map[string]casinosim.Platform
}

type silent struct{}

// RingNotice implements casino.NoticeBell: nobody works them off here.
func (silent) RingNotice(casino.Notice) {}

func openHouse(t *testing.T) house {
	t.Helper()
	hall := casinotest.Open(t, testbed.Database(t))
	h := house{office: office{Hall: hall, neighbour: openNeighbour(t, hall), t: t}, sims: make(map[string]casinosim.Platform)}
	address := func(handler http.Handler) string {
		server := httptest.NewServer(handler)
		t.Cleanup(server.Close)
		return server.URL
	}
	key := []byte("0123456789abcdef0123456789abcdef")
	simTG, err := casinosim.NewTG("agent", key, "tg secret")
	fatal(t, err)
	simNaga, err := casinosim.NewNaga("gc01", "bc01", "naga key", false)
	fatal(t, err)
	simBetron, simBetao := casinosim.NewBetron("code", "token", "s"), casinosim.NewBetao("betao key", "betao secret")
	nagaKey, err := naga.ParsePublicKey(simNaga.PublicKey())
	fatal(t, err)
	realTG, err := tg.New(tg.Config{URL: address(simTG), AgentID: "agent", Key: key, SecretKey: "tg secret"}, hall.Floor)
	fatal(t, err)
	realNaga, err := naga.New(naga.Config{
		URL: address(simNaga), APIKey: "naga key", GroupCode: "gc01", BrandCode: "bc01", PublicKey: nagaKey,
	}, hall.Floor, hall.Sessions)
	fatal(t, err)
	realBetron, err := betron.New(betron.Config{URL: address(simBetron), AgentCode: "code", AgentToken: "token", SecretKey: "s"}, hall.Floor, hall.Players)
	fatal(t, err)
	notices := casino.NewNotices(hall.DB, silent{}, hall.Now, slog.New(slog.DiscardHandler))
	realBetao, err := betao.New(betao.Config{URL: address(simBetao), APIKey: "betao key", SecretKey: "betao secret"}, hall.Floor, notices)
	fatal(t, err)
	mux := http.NewServeMux()
	for _, platform := range []casino.Platform{realTG, realNaga, realBetron, realBetao} {
		platform.Mount(mux, hall.Desk)
	}
	h.operator = address(mux)
	for _, sim := range []casinosim.Platform{simTG, simNaga, simBetron, simBetao} {
		h.sims[sim.Name()] = sim
	}
	h.config = reconcile.Config{
		DB: hall.DB, Poster: hall.Poster, Players: player.NewDirectory(hall.DB), Floor: hall.Floor, Now: hall.Now, Log: slog.New(slog.DiscardHandler),
		Sources: map[string]reconcile.Source{
			"tg": realTG.List(), "naga": realNaga.List(), "betao": realBetao.List(),
		},
		Platforms: platforms,
	}
	h.Reconciler = reconcile.New(h.config)
	t.Cleanup(h.clean)
	return h
}

// guest is a player at a platform.
type guest struct {
	h   house
	who player.Identity
	sim casinosim.Platform
	casinosim.Player
}

func (h house) guest(platform, name, cash string) guest {
	h.t.Helper()
	who := h.Player(h.t, name, money.MustParse(cash))
	_, token, err := h.Sessions.Open(h.t.Context(), platform, who, "game", false)
	fatal(h.t, err)
	return guest{h, who, h.sims[platform], casinosim.Player{ID: name, Token: token, Currency: "USD"}}
}

// send calls as the platform does, and returns what it was told.
func (g guest) send(call casinosim.Call) casinosim.Verdict {
	g.h.t.Helper()
	header := make(map[string]string)
	for name := range call.Header {
		header[name] = call.Header.Get(name)
	}
	answer := casinotest.Post(g.h.t, g.h.operator+"/casino/"+g.sim.Name()+call.Path, header, call.Body)
	read, err := g.sim.Read(answer.Status, []byte(answer.Body))
	if err != nil {
		g.h.t.Fatalf("%s: HTTP %d %s: %v", call.Path, answer.Status, answer.Body, err)
	}
	return read.Verdict
}

func (g guest) bet(s casinosim.Spin) casinosim.Verdict { return g.send(g.sim.Bet(g.Player, s)) }

func (g guest) settle(s casinosim.Spin) casinosim.Verdict {
	call, _ := g.sim.Settle(g.Player, s)
	return g.send(call)
}

func (g guest) undo(s casinosim.Spin) casinosim.Verdict { return g.send(g.sim.Rollback(g.Player, s)) }

func (g guest) done(v casinosim.Verdict) {
	g.h.t.Helper()
	if v != casinosim.Done && v != casinosim.Repeated {
		g.h.t.Fatalf("%s: verdict %d", g.sim.Name(), v)
	}
}

func (g guest) has(cash string) {
	g.h.t.Helper()
	if have := g.h.Cash(g.h.t, g.who); have != money.MustParse(cash) {
		g.h.t.Errorf("%s at %s has %s, want %s", g.ID, g.sim.Name(), have, cash)
	}
}

// pockets are what a player has in cash and in bonus.
func (g guest) pockets() [2]money.Amount {
	g.h.t.Helper()
	balance, err := g.h.Players.Balance(context.WithoutCancel(g.h.t.Context()), g.who.ID)
	fatal(g.h.t, err)
	return [2]money.Amount{balance.Cash, balance.Bonus}
}

func spin(platform, id string, stake, pay int64) casinosim.Spin {
	s := casinosim.Spin{Bet: "b-" + id, Win: "w-" + id, Round: "r-" + id, Game: "game", Stake: stake, Pay: pay}
	if platform == "naga" {
		s.Round = s.Bet
	}
	return s
}

// list asks a platform for its list of half a day.
func (h house) list(platform string) *reconcile.Report {
	h.t.Helper()
	report, err := h.Run(h.t.Context(), reconcile.Request{Provider: platform, From: time.Now().Add(-12 * time.Hour), To: h.Now().Add(12 * time.Hour)})
	fatal(h.t, err)
	return report
}

func (h house) file(platform, csv string, complete bool) *reconcile.Report {
	h.t.Helper()
	report, err := h.Run(h.t.Context(), reconcile.Request{
		Provider: platform, File: strings.NewReader(header + csv), Complete: complete, From: time.Now().Add(-12 * time.Hour), To: h.Now().Add(12 * time.Hour),
	})
	fatal(h.t, err)
	return report
}

// later moves the clock on.
func (h house) later(by time.Duration) { h.SetClock(h.Now().Add(by)) }
