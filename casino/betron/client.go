package betron

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"evens/casino"
	"evens/internal/jsonin"
)

// Paths of their API.
const (
	pathAuth      = "/auth/authentication"
	pathLaunch    = "/games/game_launch"
	pathProviders = "/games/provider"
	pathGames     = "/games/all"
)

type client struct {
	cfg    Config
	remote *casino.Remote
	bearer *casino.Bearer
}

func newClient(cfg Config) client {
	c := client{cfg: cfg, remote: casino.NewRemote(cfg.URL, cfg.Timeout)}
	c.bearer = &casino.Bearer{Fetch: c.auth}
	return c
}

// authorization is what asks for a token: a bearer of both secrets, as their document has it.
func authorization(agentToken, secretKey string) string {
	return "Bearer " + base64.StdEncoding.EncodeToString([]byte(agentToken+":"+secretKey))
}

func (c client) auth(ctx context.Context) (string, time.Duration, error) {
	header := http.Header{"Authorization": {authorization(c.cfg.AgentToken, c.cfg.SecretKey)}}
	answer, err := c.remote.Do(ctx, casino.Ask{Method: http.MethodPost, Path: pathAuth, Header: header})
	if err != nil {
		return "", 0, err
	}
	var token struct {
		Access  string `json:"access_token"`
		Expires int64  `json:"expires_in"` // seconds
	}
	if err := jsonin.Unmarshal(answer.Body, &token); err != nil || answer.Status != http.StatusOK || token.Access == "" {
		return "", 0, fmt.Errorf("%w: betron gave no token: HTTP %d", casino.ErrUnavailable, answer.Status)
	}
	return token.Access, time.Duration(min(max(token.Expires, 0), 86_400)) * time.Second, nil
}

func (c client) get(ctx context.Context, path string, query url.Values, into any) error {
	answer, err := c.remote.WithBearer(ctx, c.bearer, time.Now(), casino.Ask{Method: http.MethodGet, Path: path, Query: query})
	if err != nil {
		return err
	}
	if answer.Status == http.StatusNotFound && path == pathLaunch {
		return casino.ErrUnknownGame
	}
	if err := jsonin.Unmarshal(answer.Body, into); err != nil || answer.Status != http.StatusOK {
		return fmt.Errorf("%w: betron %s: HTTP %d", casino.ErrUnavailable, path, answer.Status)
	}
	return nil
}

// Launch implements casino.Platform. Their agent_token parameter is the secret key, so the query
// must stay out of logs.
func (p *Platform) Launch(ctx context.Context, launch casino.Launch) (string, error) {
	query := url.Values{
		"agent_code": {p.cfg.AgentCode}, "agent_token": {p.cfg.SecretKey}, "game_id": {launch.Session.Game},
		"type": {"CHARGED"}, "user_id": {launch.Player.ExternalID}, "user_name": {launch.Player.Name},
	}
	if launch.Session.Demo {
		query.Set("type", "DEMO")
	}
	if lang := locale(launch.Lang); lang != "" {
		query.Set("lang", lang)
	}
	var answer struct {
		Status bool   `json:"status"`
		URL    string `json:"game_url"`
	}
	if err := p.client.get(ctx, pathLaunch, query, &answer); err != nil {
		return "", err
	}
	if !answer.Status || answer.URL == "" {
		return "", fmt.Errorf("%w: betron did not open the game", casino.ErrUnknownGame)
	}
	return answer.URL, nil
}

// locales are their words for languages; they know two.
var locales = map[string]string{"tr": "tr_TR", "pt": "pt_BR"}

// locale is their word for a language, with or without a country; "" where they do not speak it.
func locale(lang string) string {
	language, _, _ := strings.Cut(strings.ReplaceAll(lang, "_", "-"), "-")
	return locales[strings.ToLower(language)]
}

// Games implements casino.Platform.
func (p *Platform) Games(ctx context.Context) ([]casino.Game, error) {
	studios, err := p.studios(ctx)
	if err != nil {
		return nil, err
	}
	var answer struct {
		Data []struct {
			ID       jsonin.Word `json:"id"`
			Name     string      `json:"name"`
			Provider string      `json:"provider"`
		} `json:"data"`
	}
	if err := p.client.get(ctx, pathGames, nil, &answer); err != nil {
		return nil, err
	}
	games := make([]casino.Game, 0, len(answer.Data))
	for _, row := range answer.Data {
		studio := studios[row.Provider]
		if studio == "" {
			studio = row.Provider
		}
		if row.ID != "" {
			games = append(games, casino.Game{Provider: Provider, Code: string(row.ID), Name: row.Name, Studio: studio, Demo: true})
		}
	}
	return games, nil
}

// studios are the names of their providers by slug.
func (p *Platform) studios(ctx context.Context) (map[string]string, error) {
	var answer struct {
		Data []struct {
			Name string `json:"name"`
			Slug string `json:"slug"`
		} `json:"data"`
	}
	if err := p.client.get(ctx, pathProviders, nil, &answer); err != nil {
		return nil, err
	}
	names := make(map[string]string, len(answer.Data))
	for _, row := range answer.Data {
		names[row.Slug] = row.Name
	}
	return names, nil
}
