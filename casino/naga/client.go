package naga

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"evens/casino"
	"evens/internal/jsonin"
	"evens/money"
)

// Paths of their API.
const (
	pathGames     = "/client/game"
	pathHistories = "/client/player/bet-histories"
	pathBet       = "/operator/bet/history"
)

type client struct {
	cfg    Config
	remote *casino.Remote
}

func newClient(cfg Config) client {
	return client{cfg: cfg, remote: casino.NewRemote(cfg.URL, cfg.Timeout)}
}

// get reads the data of an answer: bare, or in their envelope.
func (c client) get(ctx context.Context, path string, query url.Values, into any) error {
	answer, err := c.remote.Do(ctx, casino.Ask{Method: http.MethodGet, Path: path, Query: query})
	if err != nil {
		return err
	}
	if answer.Status != http.StatusOK {
		return fmt.Errorf("%w: naga %s: HTTP %d", casino.ErrUnavailable, path, answer.Status)
	}
	var e struct {
		Data jsonin.Raw `json:"data"`
	}
	text := answer.Body
	if err := jsonin.Unmarshal(text, &e); err == nil && len(e.Data) > 0 {
		text = e.Data
	}
	if err := jsonin.Unmarshal(text, into); err != nil {
		return fmt.Errorf("%w: naga %s: the answer cannot be read", casino.ErrUnavailable, path)
	}
	return nil
}

func (c client) operator() url.Values {
	return url.Values{"groupCode": {c.cfg.GroupCode}, "brandCode": {c.cfg.BrandCode}}
}

// gameRow is one game of their list.
type gameRow struct {
	Code    string `json:"code"`
	Name    string `json:"name"`
	Type    string `json:"type"`
	Image   string `json:"image"`
	PlayURL string `json:"playUrl"`
}

// Games implements casino.Platform. A row that cannot be read is left out.
func (p *Platform) Games(ctx context.Context) ([]casino.Game, error) {
	var raw []jsonin.Raw
	if err := p.client.get(ctx, pathGames, p.client.operator(), &raw); err != nil {
		return nil, err
	}
	rows, _ := jsonin.Rows[gameRow](raw)
	games := make([]casino.Game, 0, len(rows))
	for _, row := range rows {
		if row.Code != "" && row.PlayURL != "" {
			games = append(games, casino.Game{
				Provider: Provider, Code: row.Code, Name: row.Name, Category: row.Type, Image: row.Image, URL: row.PlayURL, Demo: true,
			})
		}
	}
	return games, nil
}

// languages are those their games speak.
var languages = map[string]bool{"en": true, "zh": true, "th": true, "id": true, "ko": true, "ja": true}

// Launch implements casino.Platform: the player's browser opens the game's own address with the
// token. Their redirectUrl stands at the end and is not encoded, as their page asks for.
func (p *Platform) Launch(ctx context.Context, launch casino.Launch) (string, error) {
	if launch.Game.URL != "" {
		return p.playURL(launch.Game.URL, launch)
	}
	games, err := p.Games(ctx)
	if err != nil {
		return "", err
	}
	for _, game := range games {
		if game.Code == launch.Session.Game {
			return p.playURL(game.URL, launch)
		}
	}
	return "", casino.ErrUnknownGame
}

func (p *Platform) playURL(base string, launch casino.Launch) (string, error) {
	if address, err := url.Parse(base); err != nil || address.Host == "" {
		return "", fmt.Errorf("%w: naga's address of the game cannot be read", casino.ErrUnavailable)
	}
	query := p.client.operator()
	query.Set("playerToken", launch.Token)
	query.Set("isFun", strconv.FormatBool(launch.Session.Demo))
	query.Set("language", "en")
	if languages[launch.Lang] {
		query.Set("language", launch.Lang)
	}
	separator := "?"
	if strings.Contains(base, "?") {
		separator = "&"
	}
	address := base + separator + query.Encode()
	if launch.Return != "" {
		address += "&redirectUrl=" + launch.Return
	}
	return address, nil
}

// BetHistory is one bet in their own list.
type BetHistory struct {
	ID       jsonin.Word  `json:"id"`
	Created  time.Time    `json:"created"`
	Updated  time.Time    `json:"updated"`
	PlayerID jsonin.Word  `json:"playerId"`
	GameCode jsonin.Word  `json:"gameCode"`
	Amount   money.Number `json:"amount"`
	Earn     money.Number `json:"earn"`
	ParentID jsonin.Word  `json:"parentBetId"`
	Status   string       `json:"betStatus"`
}

// Limits of their list.
const (
	HistoryPage   = 100
	HistoryWindow = 24 * time.Hour
)

// BetHistories returns one page of their list of a window, which is closed: rows must not move
// while pages are counted.
func (p *Platform) BetHistories(ctx context.Context, from, to time.Time, skip int) ([]BetHistory, error) {
	texts, err := p.BetHistoryRows(ctx, from, to, skip)
	if err != nil {
		return nil, err
	}
	rows := make([]BetHistory, len(texts))
	for i, text := range texts {
		if err := jsonin.Unmarshal(text, &rows[i]); err != nil {
			return nil, fmt.Errorf("%w: naga: row %d of their list: %w", casino.ErrUnreadable, i+1, err)
		}
	}
	return rows, nil
}

// BetHistoryRows is BetHistories with each row as it came: one that cannot be read is no reason to
// lose the others.
func (p *Platform) BetHistoryRows(ctx context.Context, from, to time.Time, skip int) ([]jsonin.Raw, error) {
	if skip < 0 || !from.Before(to) || to.Sub(from) > HistoryWindow {
		return nil, errors.New("naga: a window of their list is at most 24 hours, and pages count from 0")
	}
	query := url.Values{
		"apiKey": {p.cfg.APIKey}, "startDate": {from.UTC().Format(time.RFC3339)}, "endDate": {to.UTC().Format(time.RFC3339)},
		"skip": {strconv.Itoa(skip)}, "limit": {strconv.Itoa(HistoryPage)},
	}
	var rows []jsonin.Raw
	return rows, p.client.get(ctx, pathHistories, query, &rows)
}

// Bet returns one bet of their list.
func (p *Platform) Bet(ctx context.Context, betID string) (BetHistory, error) {
	query := p.client.operator()
	query.Set("betId", betID)
	var row BetHistory
	return row, p.client.get(ctx, pathBet, query, &row)
}
