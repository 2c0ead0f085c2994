package betao

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"evens/casino"
	"evens/internal/jsonin"
	"evens/money"
)

// Paths of their API. Their article names the launch; the others, and their fields, are our choice
// and a place to correct.
const (
	pathLaunch       = "/api/v2/game/launch"
	pathGames        = "/api/v2/game/list"
	pathBalance      = "/api/v2/player/balance"
	pathTransactions = "/api/v2/transactions"
)

type client struct {
	cfg    Config
	remote *casino.Remote
}

func newClient(cfg Config) client {
	return client{cfg: cfg, remote: casino.NewRemote(cfg.URL, cfg.Timeout)}
}

// post asks with a signed body.
func (c client) post(ctx context.Context, path, accept string, ask any) ([]byte, error) {
	text, err := json.Marshal(ask)
	if err != nil {
		return nil, err
	}
	header := http.Header{
		"X-Api-Key": {c.cfg.APIKey}, headerSignature: {signature(c.cfg.SecretKey, text)}, "Accept": {accept},
	}
	answer, err := c.remote.Do(ctx, casino.Ask{Method: http.MethodPost, Path: path, Header: header, Body: text})
	if err != nil {
		return nil, err
	}
	switch answer.Status {
	case http.StatusOK:
		return answer.Body, nil
	case http.StatusNotFound:
		return nil, fmt.Errorf("%w: betao %s", casino.ErrUnknownGame, path)
	default:
		return nil, fmt.Errorf("%w: betao %s: HTTP %d", casino.ErrUnavailable, path, answer.Status)
	}
}

const acceptJSON = "application/json"

func (c client) call(ctx context.Context, path string, ask, into any) error {
	text, err := c.post(ctx, path, acceptJSON, ask)
	if err != nil {
		return err
	}
	if err := jsonin.Unmarshal(text, into); err != nil {
		return fmt.Errorf("%w: betao %s: the answer cannot be read", casino.ErrUnavailable, path)
	}
	return nil
}

// Launch implements casino.Platform. The session's id is the unique session_id they ask for; the
// address they give can be opened once.
func (p *Platform) Launch(ctx context.Context, launch casino.Launch) (string, error) {
	ask := map[string]any{
		"player_id": launch.Player.ExternalID, "game_code": launch.Session.Game, "currency": string(launch.Player.Currency),
		"session_id": launch.Session.ID.String(), "lang": launch.Lang, "return_url": launch.Return, "demo": launch.Session.Demo,
	}
	var answer struct {
		URL     string `json:"url"`
		GameURL string `json:"game_url"`
	}
	if err := p.client.call(ctx, pathLaunch, ask, &answer); err != nil {
		return "", err
	}
	if answer.URL == "" {
		answer.URL = answer.GameURL
	}
	if answer.URL == "" {
		return "", fmt.Errorf("%w: betao opened a game without an address", casino.ErrUnavailable)
	}
	return answer.URL, nil
}

// gameRow is one game of their list.
type gameRow struct {
	Code     string `json:"game_code"`
	Name     string `json:"name"`
	Provider string `json:"provider"`
	Category string `json:"category"`
	Image    string `json:"image"`
	Demo     bool   `json:"demo"`
}

// Games implements casino.Platform. A row that cannot be read is left out.
func (p *Platform) Games(ctx context.Context) ([]casino.Game, error) {
	var answer struct {
		Games []jsonin.Raw `json:"games"`
	}
	if err := p.client.call(ctx, pathGames, struct{}{}, &answer); err != nil {
		return nil, err
	}
	rows, _ := jsonin.Rows[gameRow](answer.Games)
	games := make([]casino.Game, 0, len(rows))
	for _, row := range rows {
		if row.Code != "" {
			games = append(games, casino.Game{
				Provider: Provider, Code: row.Code, Name: row.Name, Studio: row.Provider, Category: row.Category, Image: row.Image, Demo: row.Demo,
			})
		}
	}
	return games, nil
}

// GetBalance asks what they think a player has.
func (p *Platform) GetBalance(ctx context.Context, externalID string, currency money.Currency) (money.Amount, error) {
	var answer struct {
		Balance money.Number `json:"balance"`
	}
	err := p.client.call(ctx, pathBalance, map[string]string{"player_id": externalID, "currency": string(currency)}, &answer)
	if err != nil {
		return 0, err
	}
	return answer.Balance.Amount()
}

// Transaction is one line of their list. Type is debit, credit or rollback.
type Transaction struct {
	TransactionID jsonin.Word  `json:"transaction_id"`
	Type          string       `json:"type"`
	Timestamp     time.Time    `json:"timestamp"`
	PlayerID      jsonin.Word  `json:"player_id"`
	GameID        jsonin.Word  `json:"game_id"`
	RoundID       jsonin.Word  `json:"round_id"`
	Amount        money.Number `json:"amount"`
	Currency      string       `json:"currency"`
	Balance       money.Number `json:"balance"`
	Status        string       `json:"status"`
}

// TransactionPage is a page of their list; the last has Next 0.
type TransactionPage struct {
	Items []Transaction `json:"items"`
	Next  int           `json:"next_page"`
}

const transactionPage = 2000

func listing(from, to time.Time, page int) map[string]any {
	return map[string]any{
		"from": from.UTC().Format(time.RFC3339Nano), "to": to.UTC().Format(time.RFC3339Nano), "page": page, "page_size": transactionPage,
	}
}

// GetTransactions returns a page of their list of a window; pages count from 1.
func (p *Platform) GetTransactions(ctx context.Context, from, to time.Time, page int) (TransactionPage, error) {
	texts, next, err := p.GetTransactionRows(ctx, from, to, page)
	if err != nil {
		return TransactionPage{}, err
	}
	answer := TransactionPage{Items: make([]Transaction, len(texts)), Next: next}
	for i, text := range texts {
		if err := jsonin.Unmarshal(text, &answer.Items[i]); err != nil {
			return TransactionPage{}, fmt.Errorf("%w: betao: row %d of their list: %w", casino.ErrUnreadable, i+1, err)
		}
	}
	return answer, nil
}

// GetTransactionRows is GetTransactions with each row as it came: one that cannot be read is no reason
// to lose the others. next is the page that follows, 0 for none.
func (p *Platform) GetTransactionRows(ctx context.Context, from, to time.Time, page int) (rows []jsonin.Raw, next int, err error) {
	var answer struct {
		Items []jsonin.Raw `json:"items"`
		Next  int          `json:"next_page"`
	}
	err = p.client.call(ctx, pathTransactions, listing(from, to, page), &answer)
	return answer.Items, answer.Next, err
}

// GetTransactionsCSV returns a page of their list as they export it, and the page that follows, 0
// for none: a page that is full may have one.
func (p *Platform) GetTransactionsCSV(ctx context.Context, from, to time.Time, page int) (rows []Transaction, next int, err error) {
	text, err := p.client.post(ctx, pathTransactions, "text/csv", listing(from, to, page))
	if err != nil {
		return nil, 0, err
	}
	if rows, err = readCSV(bytes.NewReader(text)); err != nil {
		return nil, 0, err
	}
	if len(rows) == transactionPage {
		next = page + 1
	}
	return rows, next, nil
}

// readCSV reads their export: columns by the names of their JSON fields, in any order.
func readCSV(r io.Reader) ([]Transaction, error) {
	reader := csv.NewReader(r)
	header, err := reader.Read()
	if err != nil {
		return nil, fmt.Errorf("%w: betao's CSV has no header", casino.ErrUnreadable)
	}
	columns := make(map[string]int, len(header))
	for i, name := range header {
		columns[strings.TrimPrefix(strings.TrimSpace(name), "\ufeff")] = i
	}
	for _, name := range []string{"transaction_id", "type", "timestamp", "amount"} {
		if _, has := columns[name]; !has {
			return nil, fmt.Errorf("%w: betao's CSV has no column %s", casino.ErrUnreadable, name)
		}
	}
	var rows []Transaction
	for line := 2; ; line++ {
		fields, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return rows, nil
		}
		if err != nil {
			return nil, fmt.Errorf("%w: betao's CSV, line %d: %w", casino.ErrUnreadable, line, err)
		}
		row, err := readRow(columns, fields)
		if err != nil {
			return nil, fmt.Errorf("%w: betao's CSV, line %d: %w", casino.ErrUnreadable, line, err)
		}
		rows = append(rows, row)
	}
}

func readRow(columns map[string]int, fields []string) (Transaction, error) {
	value := func(name string) string {
		if at, has := columns[name]; has && at < len(fields) {
			return fields[at]
		}
		return ""
	}
	row := Transaction{
		TransactionID: jsonin.Word(value("transaction_id")), Type: value("type"), PlayerID: jsonin.Word(value("player_id")),
		GameID: jsonin.Word(value("game_id")), RoundID: jsonin.Word(value("round_id")), Currency: value("currency"), Status: value("status"),
		Amount: money.Number(value("amount")), Balance: money.Number(value("balance")),
	}
	var err error
	if row.Timestamp, err = time.Parse(time.RFC3339, value("timestamp")); err != nil {
		return row, errors.New("timestamp is no RFC 3339 time")
	}
	if _, err := row.Amount.Amount(); err != nil {
		return row, fmt.Errorf("amount: %w", err)
	}
	return row, nil
}
