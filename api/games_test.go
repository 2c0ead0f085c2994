package api

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	goredis "github.com/redis/go-redis/v9"

	"evens/casino"
	"evens/player"
	"evens/reconcile/statement"
	"evens/wallet"
)

// platform is a game platform that has four games and opens them, until it is told otherwise.
type platform struct {
	mu       sync.Mutex
	err      error
	asked    int
	launches []casino.Launch
}

// Name implements casino.Platform.
func (*platform) Name() string { return "tg" }

// Address implements casino.Platform.
func (*platform) Address() string { return "https://tg.example" }

// Mount implements casino.Platform.
func (*platform) Mount(*http.ServeMux, *casino.Desk) {}

// List implements casino.Platform.
func (*platform) List() statement.Source { return nil }

// Launch implements casino.Platform.
func (p *platform) Launch(_ context.Context, launch casino.Launch) (string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err != nil {
		return "", p.err
	}
	p.launches = append(p.launches, launch)
	return "https://games.example/" + launch.Session.Game, nil
}

// Games implements casino.Platform.
func (p *platform) Games(context.Context) ([]casino.Game, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked++
	if p.err != nil {
		return nil, p.err
	}
	var games []casino.Game
	for i := range 4 {
		games = append(games, casino.Game{Provider: "tg", Code: fmt.Sprint("g", i), Name: fmt.Sprint("Game ", i), Demo: i > 0})
	}
	return games, nil
}

func (p *platform) fails(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.err = err
}

func games(t *testing.T, b bundle, client goredis.UniversalClient, rules *wallet.Rulebook, now func() time.Time, quiet *slog.Logger) *casino.Lounge {
	t.Helper()
	platforms := []casino.Platform{b.platform}
	return &casino.Lounge{
		Catalogues: casino.NewCatalogues(client, platforms, now, quiet), Sessions: casino.NewSessions(b.db, now),
		Players: player.New(b.db, now), Rules: rules, Platforms: platforms,
	}
}

func TestGames(t *testing.T) {
	t.Parallel()
	b := setup(t)
	type page struct {
		Items      []gameView
		NextCursor *string `json:"next_cursor"`
	}
	var first, rest, all page
	b.call(t, "GET", "/v1/games?limit=3", nil).into(t, &first)
	if len(first.Items) != 3 || first.NextCursor == nil || first.Items[0].Code != "g0" || first.Items[0].Demo {
		t.Fatalf("first page = %+v", first)
	}
	b.call(t, "GET", "/v1/games?limit=3&provider=tg&cursor="+strings.ReplaceAll(*first.NextCursor, " ", "%20"), nil).into(t, &rest)
	if len(rest.Items) != 1 || rest.NextCursor != nil || rest.Items[0].Code != "g3" {
		t.Errorf("second page = %+v", rest)
	}
	b.platform.fails(casino.ErrUnavailable)
	b.call(t, "GET", "/v1/games", nil).into(t, &all)
	if len(all.Items) != 4 || b.platform.asked != 1 {
		t.Errorf("%d games after %d questions", len(all.Items), b.platform.asked)
	}
	b.call(t, "GET", "/v1/games?provider=naga", nil).check(t, http.StatusServiceUnavailable, CodeProviderNotConfigured)
}

func TestAPlatformThatDoesNotAnswer(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.platform.fails(casino.ErrUnavailable)
	got := b.call(t, "GET", "/v1/games?provider=tg", nil)
	got.check(t, http.StatusServiceUnavailable, CodeProviderUnavailable)
	if got.header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	if got := b.call(t, "GET", "/v1/games", nil); got.status != 200 || !strings.Contains(got.body, `"items":[]`) {
		t.Errorf("all games: %d %s", got.status, got.body)
	}
}

func TestLaunch(t *testing.T) {
	t.Parallel()
	b := setup(t)
	p := b.player(t, "10")
	ask := func(more string) string {
		return `{"player_id":"` + p.ID + `","provider":"tg","game_code":"g1"` + more + `}`
	}
	var got struct {
		URL       string
		SessionID string `json:"session_id"`
	}
	b.call(t, "POST", "/v1/games/launch", ask(`,"lang":"pt","mode":"demo","device":"mobile","ip":"192.0.2.7","return_url":"https://site.example/"`)).into(t, &got)
	if got.URL != "https://games.example/g1" || got.SessionID == "" {
		t.Fatalf("launch = %+v", got)
	}
	launch := b.platform.launches[0]
	if launch.Lang != "pt" || !launch.Mobile || !launch.Session.Demo || launch.Address != "192.0.2.7" || launch.Return != "https://site.example/" ||
		launch.Player.ID.String() != p.ID || len(launch.Token) != 32 || launch.Game.Name != "Game 1" {
		t.Errorf("launch = %+v", launch)
	}
	for _, test := range []struct {
		body, code, field string
		status            int
	}{
		{ask(`,"lang":"english"`), CodeValidationFailed, "body.lang", 422},
		{ask(`,"mode":"fun"`), CodeValidationFailed, "body.mode", 422},
		{ask(`,"device":"tv"`), CodeValidationFailed, "body.device", 422},
		{ask(`,"ip":"1.2.3"`), CodeValidationFailed, "body.ip", 422},
		{ask(`,"return_url":"javascript:alert(1)"`), CodeValidationFailed, "body.return_url", 422},
		{strings.Replace(ask(""), `"tg"`, `""`, 1), CodeValidationFailed, "body.provider", 422},
		{strings.Replace(ask(""), `"g1"`, `""`, 1), CodeValidationFailed, "body.game_code", 422},
		{strings.Replace(ask(""), p.ID, "x", 1), CodeValidationFailed, "body.player_id", 422},
		{strings.Replace(ask(""), `"tg"`, `"naga"`, 1), CodeProviderNotConfigured, "", 503},
		{strings.Replace(ask(""), `"g1"`, `"g9"`, 1), CodeGameNotFound, "", 404},
		{strings.Replace(ask(`,"mode":"demo"`), `"g1"`, `"g0"`, 1), CodeModeUnsupported, "body.mode", 422},
	} {
		problem := b.call(t, "POST", "/v1/games/launch", test.body).check(t, test.status, test.code)
		if test.field != "" && (len(problem.Errors) != 1 || problem.Errors[0].Location != test.field) {
			t.Errorf("%s: errors %+v, want %s", test.body, problem.Errors, test.field)
		}
	}
	b.platform.fails(casino.ErrUnavailable)
	b.call(t, "POST", "/v1/games/launch", ask("")).check(t, 503, CodeProviderUnavailable)
	b.platform.fails(nil)
	if err := b.config.Players.SetStatus(t.Context(), launch.Player.ID, wallet.Blocked, "test", "test"); err != nil {
		t.Fatal(err)
	}
	b.call(t, "POST", "/v1/games/launch", ask("")).check(t, 403, CodePlayerBlocked)
	var open int
	if err := b.db.Pool.QueryRow(t.Context(), `SELECT count(*) FROM game_sessions WHERE ended_at IS NULL`).Scan(&open); err != nil || open != 1 {
		t.Errorf("%d sessions are open, want the one that was launched; %v", open, err)
	}
}

// Who is self-excluded hears so when a game for money is opened; one to try opens, and a neighbour's does.
func TestLaunchWhileExcluded(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ana, bob := b.player(t, "10"), b.player(t, "10")
	launch := func(player, mode string) answer {
		return b.call(t, "POST", "/v1/games/launch", `{"player_id":"`+player+`","provider":"tg","game_code":"g1","mode":"`+mode+`"}`)
	}
	wish := wallet.Wish{ExcludedUntil: new(b.config.Now().Add(time.Hour))}
	if _, err := b.config.Rules.Change(t.Context(), uuid.MustParse(ana.ID), wish, "ana", ""); err != nil {
		t.Fatal(err)
	}
	launch(ana.ID, "real").check(t, http.StatusForbidden, CodePlayerBlocked)
	for name, got := range map[string]answer{"a demo": launch(ana.ID, "demo"), "a neighbour": launch(bob.ID, "real")} {
		if got.status/100 != 2 {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	}
	if n := len(b.platform.launches); n != 2 {
		t.Errorf("the platform was asked for %d games, want 2", n)
	}
}

// A player's token opens that player's games, and the logout ends them.
func TestGamesEndWithTheLogout(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ana, bob := b.player(t, "10"), b.player(t, "10")
	var token struct{ Token string }
	b.call(t, "POST", "/v1/players/"+ana.ID+"/tokens", nil).into(t, &token)
	b.call(t, "POST", "/v1/games/launch", `{"player_id":"`+bob.ID+`","provider":"tg","game_code":"g1"}`, bearing(token.Token)).check(t, 403, CodeForbidden)
	var ids []string
	for _, bearer := range []option{bearing(token.Token), bearing(token.Token), bearing(b.key)} {
		body := `{"provider":"tg","game_code":"g1"}`
		if len(ids) == 2 {
			body = `{"player_id":"` + bob.ID + `","provider":"tg","game_code":"g1"}`
		}
		var got struct {
			SessionID string `json:"session_id"`
		}
		b.call(t, "POST", "/v1/games/launch", body, bearer).into(t, &got)
		ids = append(ids, got.SessionID)
	}
	b.call(t, "DELETE", "/v1/games/sessions/"+ids[2], nil, bearing(token.Token)).check(t, 404, CodeSessionNotFound)
	if got := b.call(t, "DELETE", "/v1/games/sessions/"+ids[0], nil, bearing(token.Token)); got.status != 204 {
		t.Errorf("end a session: %d %s", got.status, got.body)
	}
	b.call(t, "DELETE", "/v1/games/sessions/"+ids[0], nil, bearing(token.Token)).check(t, 404, CodeSessionNotFound)
	b.call(t, "DELETE", "/v1/games/sessions/x", nil).check(t, 404, CodeSessionNotFound)
	if got := b.call(t, "DELETE", "/v1/tokens/current", nil, bearing(token.Token)); got.status != 204 {
		t.Fatalf("log out: %d %s", got.status, got.body)
	}
	var open []string
	if err := b.db.Pool.QueryRow(t.Context(), `SELECT array_agg(id::text) FROM game_sessions WHERE ended_at IS NULL`).Scan(&open); err != nil {
		t.Fatal(err)
	}
	if len(open) != 1 || open[0] != ids[2] {
		t.Errorf("open sessions = %v, want bob's %s", open, ids[2])
	}
}
