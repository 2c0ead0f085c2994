package tg

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"evens/casino"
	"evens/internal/jsonin"
	"evens/money"
)

// Paths of their API. Their documents have no list of games: pathGames is our choice, and a place
// to correct.
const (
	pathAuth     = "/v2/auth"
	pathOpenGame = "/v2/opengame"
	pathGames    = "/v2/games"
	pathBetLogs  = "/v2/betlogs/offset"
)

// tokenTTL is how long their access tokens live.
const tokenTTL = 24 * time.Hour

type client struct {
	cfg    Config
	box    box
	remote *casino.Remote
	bearer *casino.Bearer
	now    func() time.Time
}

func newClient(cfg Config, box box, now func() time.Time) client {
	c := client{cfg: cfg, box: box, remote: casino.NewRemote(cfg.URL, cfg.Timeout), now: now}
	c.bearer = &casino.Bearer{Fetch: c.auth}
	return c
}

// envelope is the form of their answers.
type envelope struct {
	Code    int        `json:"code"`
	Message string     `json:"message"`
	Data    jsonin.Raw `json:"data"`
	LogUUID string     `json:"logUUID"`
}

// Codes of their answers that mean something to us; any other is a refusal.
const (
	codeOK             = 0
	codeGameMissing    = 5
	codeGameRestricted = 86
)

// signed seals a body and makes the headers that prove it is ours: a plain hash, as their
// documents have it. What authenticates the call is that only we can encrypt it.
func (c client) signed(body any, now time.Time) (http.Header, []byte, error) {
	plain, err := json.Marshal(body)
	if err != nil {
		return nil, nil, err
	}
	s := sealed{CipherText: c.box.cipherText(plain)}
	text, err := json.Marshal(s)
	if err != nil {
		return nil, nil, err
	}
	nonce := rand.Text()
	for len(nonce) < nonceLength {
		nonce += rand.Text()
	}
	nonce = nonce[:nonceLength]
	stamp := strconv.FormatInt(now.UnixMilli(), 10)
	signed := c.cfg.AgentID + "|" + stamp + "|" + nonce + "|" + s.CipherText
	if c.cfg.OldSignature {
		signed = c.cfg.AgentID + stamp + nonce + string(plain)
	}
	sum := sha256.Sum256([]byte(signed))
	header := make(http.Header)
	header.Set("x-agentid", c.cfg.AgentID)
	header.Set("x-timestamp", stamp)
	header.Set("x-nonce", nonce)
	header.Set("x-signature", hex.EncodeToString(sum[:]))
	return header, text, nil
}

const nonceLength = 32

func (c client) auth(ctx context.Context) (string, time.Duration, error) {
	header, body, err := c.signed(map[string]string{"agentId": c.cfg.AgentID, "secretKey": c.cfg.SecretKey}, c.now())
	if err != nil {
		return "", 0, err
	}
	answer, err := c.remote.Do(ctx, casino.Ask{Method: http.MethodPost, Path: pathAuth, Header: header, Body: body})
	if err != nil {
		return "", 0, err
	}
	var data struct {
		AccessToken string `json:"accessToken"`
	}
	if err := c.read(answer, &data); err != nil {
		return "", 0, fmt.Errorf("tg auth: %w", err)
	}
	if data.AccessToken == "" {
		return "", 0, fmt.Errorf("%w: tg auth: an answer without accessToken", casino.ErrUnavailable)
	}
	return data.AccessToken, tokenTTL, nil
}

// call asks with a signed body and reads the data of the answer.
func (c client) call(ctx context.Context, path string, body, data any) error {
	header, text, err := c.signed(body, c.now())
	if err != nil {
		return err
	}
	answer, err := c.remote.WithBearer(ctx, c.bearer, time.Now(), casino.Ask{Method: http.MethodPost, Path: path, Header: header, Body: text})
	if err != nil {
		return err
	}
	if err := c.read(answer, data); err != nil {
		return fmt.Errorf("tg %s: %w", path, err)
	}
	return nil
}

func (c client) read(answer casino.Answer, data any) error {
	var e envelope
	if err := jsonin.Unmarshal(answer.Body, &e); err != nil || answer.Status != http.StatusOK {
		return fmt.Errorf("%w: HTTP %d", casino.ErrUnavailable, answer.Status)
	}
	switch e.Code {
	case codeOK:
	case codeGameMissing, codeGameRestricted:
		return fmt.Errorf("%w: their code %d", casino.ErrUnknownGame, e.Code)
	default:
		return fmt.Errorf("%w: their code %d", casino.ErrUnavailable, e.Code)
	}
	if err := jsonin.Unmarshal(e.Data, data); err != nil {
		return fmt.Errorf("%w: their data cannot be read", casino.ErrUnavailable)
	}
	return nil
}

// Values of their opengame call.
const (
	launchDemo   = 1
	launchReal   = 2
	devicePC     = 0
	deviceMobile = 1
)

// Launch implements casino.Platform.
func (p *Platform) Launch(ctx context.Context, launch casino.Launch) (string, error) {
	body := map[string]any{
		"username": launch.Player.ExternalID, "gameCode": launch.Session.Game, "lang": launch.Lang,
		"deviceType": devicePC, "launchType": launchReal, "ipaddress": launch.Address,
	}
	if launch.Mobile {
		body["deviceType"] = deviceMobile
	}
	if launch.Session.Demo {
		body["launchType"] = launchDemo
	}
	if launch.Return != "" {
		body["lobbyUrl"] = launch.Return
	}
	var data struct {
		URL string `json:"gameLaunchUrl"`
	}
	if err := p.client.call(ctx, pathOpenGame, body, &data); err != nil {
		return "", err
	}
	if data.URL == "" {
		return "", fmt.Errorf("%w: tg opened a game without an address", casino.ErrUnavailable)
	}
	return data.URL, nil
}

// gameRow is one game of their list.
type gameRow struct {
	Code  string `json:"gameCode"`
	Name  string `json:"gameName"`
	Type  string `json:"gameType"`
	Image string `json:"image"`
	Demo  *bool  `json:"demo"`
}

// Games implements casino.Platform. A row that cannot be read is left out.
func (p *Platform) Games(ctx context.Context) ([]casino.Game, error) {
	var raw []jsonin.Raw
	if err := p.client.call(ctx, pathGames, map[string]string{}, &raw); err != nil {
		return nil, err
	}
	rows, _ := jsonin.Rows[gameRow](raw)
	games := make([]casino.Game, 0, len(rows))
	for _, row := range rows {
		if row.Code != "" {
			games = append(games, casino.Game{
				Provider: Provider, Code: row.Code, Name: row.Name, Category: row.Type, Image: row.Image, Demo: row.Demo == nil || *row.Demo,
			})
		}
	}
	return games, nil
}

// BetLog is one settled bet in their own list.
type BetLog struct {
	BetID    jsonin.Word  `json:"betId"`
	RoundID  jsonin.Word  `json:"roundId"`
	Username jsonin.Word  `json:"username"`
	Currency string       `json:"currency"`
	GameCode jsonin.Word  `json:"gameCode"`
	TxTime   string       `json:"txTime"`
	Status   jsonin.Word  `json:"betStatus"`
	Bet      money.Number `json:"actualBetAmt"`
	Win      money.Number `json:"winAmt"`
}

// BetLogs returns one page of their list of a window, from an offset on. Pages have up to 5,000
// rows; a shorter one is the last.
func (p *Platform) BetLogs(ctx context.Context, from, to time.Time, offset int) ([]BetLog, error) {
	texts, err := p.BetLogRows(ctx, from, to, offset)
	if err != nil {
		return nil, err
	}
	rows := make([]BetLog, len(texts))
	for i, text := range texts {
		if err := jsonin.Unmarshal(text, &rows[i]); err != nil {
			return nil, fmt.Errorf("%w: tg: row %d of their list: %w", casino.ErrUnreadable, i+1, err)
		}
	}
	return rows, nil
}

// BetLogRows is BetLogs with each row as it came: one that cannot be read is no reason to lose the
// others.
func (p *Platform) BetLogRows(ctx context.Context, from, to time.Time, offset int) ([]jsonin.Raw, error) {
	if offset < 0 || !from.Before(to) {
		return nil, errors.New("tg: a window ends after it begins, and offsets count from 0")
	}
	var rows []jsonin.Raw
	err := p.client.call(ctx, pathBetLogs, map[string]any{
		"startDate": from.UTC().Format(timeLayout), "endDate": to.UTC().Format(timeLayout), "offset": offset,
	}, &rows)
	return rows, err
}
