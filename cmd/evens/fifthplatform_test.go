package main

import (
	"context"
	"crypto/hmac"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"time"

	"evens/casino"
	"evens/internal/jsonin"
	"evens/money"
	"evens/reconcile/statement"
)

// This file is a game platform as docs/new-provider.md builds it: everything that its folder would have.

// fifthName is how the platform is called.
const fifthName = "fifth"

// fifthKind is the platform before it is configured.
var fifthKind = casino.Kind{Name: fifthName, Listed: fifthListed}

// fifthSettings are the platform's: options of the command line, and variables.
type fifthSettings struct {
	URL   string   `name:"fifth-url" help:"Fifth's API; off when empty." placeholder:"URL"`
	Key   string   `name:"fifth-key" help:"The key that both sides send."`
	Allow []string `name:"fifth-allow" help:"CIDRs that may call; any when empty." placeholder:"CIDR"`
}

func (s *fifthSettings) Address() *string { return &s.URL }

func (s *fifthSettings) Check(problem casino.Problem) {
	casino.Allow("EVENS_FIFTH_ALLOW", s.Allow, problem)
	if s.URL != "" {
		casino.Need("EVENS_FIFTH_KEY", s.Key, problem)
	}
}

func (s *fifthSettings) Door() *casino.Door { return nil }

func (s *fifthSettings) Open(parts casino.Parts) (casino.Platform, error) {
	return &fifth{
		settings: *s, allow: casino.Allow("", s.Allow, casino.Checked), floor: parts.Floor, remote: casino.NewRemote(s.URL, 0),
	}, nil
}

// fifth is the platform. It is safe for concurrent use.
type fifth struct {
	settings fifthSettings
	allow    []netip.Prefix
	floor    *casino.Floor
	remote   *casino.Remote
}

func (p *fifth) Name() string    { return fifthName }
func (p *fifth) Address() string { return p.settings.URL }

// Mount adds the routes that they call.
func (p *fifth) Mount(mux *http.ServeMux, desk *casino.Desk) {
	endpoint := casino.Endpoint{Provider: fifthName, Allow: p.allow, Unreadable: func(err error) casino.Reply { return fifthReply(casino.Outcome{}, err) }}
	for _, route := range []string{"bet", "win", "rollback"} {
		mux.Handle("POST /casino/fifth/"+route, desk.Serve(endpoint, route, p.answer))
	}
}

// fifthCall is the body of every call of theirs.
type fifthCall struct {
	ID       jsonin.Word  `json:"id"`
	Player   jsonin.Word  `json:"player"`
	Round    jsonin.Word  `json:"round"`
	Game     jsonin.Word  `json:"game"`
	Currency string       `json:"currency"`
	Amount   money.Number `json:"amount"`
}

func (p *fifth) answer(ctx context.Context, r casino.Request) casino.Reply {
	if !hmac.Equal([]byte(r.Header.Get("X-Key")), []byte(p.settings.Key)) { // whose word is it
		return fifthReply(casino.Outcome{}, casino.ErrUnauthentic)
	}
	var call fifthCall
	if err := jsonin.Unmarshal(r.Body, &call); err != nil {
		return fifthReply(casino.Outcome{}, errors.Join(casino.ErrUnreadable, err))
	}
	amount, err := casino.ReadAmount(call.Amount)
	if err != nil {
		return fifthReply(casino.Outcome{}, fmt.Errorf("%w: amount: %w", casino.ErrUnreadable, err))
	}
	who, err := p.floor.Player(ctx, string(call.Player)) // whose money
	if err != nil {
		return fifthReply(casino.Outcome{}, err)
	}
	event := casino.Event{
		ID: string(call.ID), Player: who, Currency: money.Currency(call.Currency), Game: string(call.Game), Round: string(call.Round), At: r.At,
	}
	var outcome casino.Outcome
	switch r.Route { // one verb
	case "bet":
		event.Stake = amount
		outcome, err = p.floor.Bet(ctx, fifthDialect.Bet(event))
	case "win":
		event.Win = amount
		outcome, err = p.floor.Win(ctx, fifthDialect.Win(event))
	default:
		outcome, err = p.floor.Rollback(ctx, fifthDialect.Rollback(event))
	}
	return fifthReply(outcome, err) // their words, and outcome and err for the record
}

// fifthReply answers in their words: a code of theirs for each of ours, and the balance.
func fifthReply(outcome casino.Outcome, err error) casino.Reply {
	status := http.StatusOK
	switch code := casino.Code(err); {
	case code == "unavailable" || code == "internal":
		status = http.StatusServiceUnavailable // they try again
	case errors.Is(err, casino.ErrUnauthentic):
		status = http.StatusForbidden
	case err != nil:
		status = http.StatusConflict // for good
	}
	body, encodeErr := json.Marshal(map[string]string{"code": casino.Code(err), "balance": casino.TwoDecimals(outcome.Playable)})
	return casino.Reply{Status: status, Body: body, Err: errors.Join(err, encodeErr), Outcome: outcome}
}

// fifthDialect says under which key, and in which round, each event of theirs is done.
var fifthDialect = casino.Dialect{
	Bet:      func(e casino.Event) casino.Bet { return casino.Bet{Call: fifthCallOf(e), Stake: e.Stake} },
	Win:      func(e casino.Event) casino.Win { return casino.Win{Call: fifthCallOf(e), Amount: e.Win} },
	Rollback: func(e casino.Event) casino.Rollback { return casino.Rollback{Call: fifthCallOf(e)} },
}

func fifthCallOf(e casino.Event) casino.Call {
	call := e.Call(fifthName)
	call.Round.ID = e.Round
	return call
}

// fifthListed is a win as their list tells of it.
func fifthListed(id, round string) (casino.Win, bool) {
	win := fifthDialect.Win(casino.Event{ID: id, Round: round})
	win.List = true
	return win, id != "" && round != ""
}

// ask asks their API.
func (p *fifth) ask(ctx context.Context, path string, query url.Values, into any) error {
	answer, err := p.remote.Do(ctx, casino.Ask{Method: http.MethodGet, Path: path, Query: query, Header: http.Header{"X-Key": {p.settings.Key}}})
	if err != nil {
		return err
	}
	if answer.Status != http.StatusOK || jsonin.Unmarshal(answer.Body, into) != nil {
		return fmt.Errorf("%w: fifth %s: HTTP %d", casino.ErrUnavailable, path, answer.Status)
	}
	return nil
}

// Launch asks for the address of a game.
func (p *fifth) Launch(ctx context.Context, launch casino.Launch) (string, error) {
	var opened struct {
		URL string `json:"url"`
	}
	err := p.ask(ctx, "/open", url.Values{"game": {launch.Session.Game}, "player": {launch.Player.ExternalID}}, &opened)
	return opened.URL, err
}

// Games asks for their catalogue.
func (p *fifth) Games(ctx context.Context) (games []casino.Game, err error) {
	var rows []struct {
		Code string `json:"code"`
		Name string `json:"name"`
	}
	err = p.ask(ctx, "/games", nil, &rows)
	for _, row := range rows {
		games = append(games, casino.Game{Provider: fifthName, Code: row.Code, Name: row.Name})
	}
	return games, err
}

// List is their list of transactions.
func (p *fifth) List() statement.Source { return fifthList{p} }

type fifthList struct{ platform *fifth }

// ByRound implements statement.Source.
func (fifthList) ByRound() bool { return false }

// Page implements statement.Source: their list has one page.
func (l fifthList) Page(ctx context.Context, from, to time.Time, _ string) (statement.Page, error) {
	var rows []jsonin.Raw
	if err := l.platform.ask(ctx, "/list", url.Values{"from": {from.Format(time.RFC3339)}, "to": {to.Format(time.RFC3339)}}, &rows); err != nil {
		return statement.Page{}, err
	}
	return statement.PageOf(rows, fifthLines), nil
}

// fifthStatuses is what their words prove; any other proves nothing.
var fifthStatuses = map[string]statement.Status{"done": statement.OK, "failed": statement.Failed}

func fifthLines(text []byte) ([]statement.Line, error) {
	var row struct {
		fifthCall
		Type   string    `json:"type"`
		Status string    `json:"status"`
		At     time.Time `json:"at"`
	}
	err := jsonin.Unmarshal(text, &row)
	line := statement.Line{
		TransactionID: string(row.ID), Player: string(row.Player), Currency: row.Currency, At: row.At, Round: string(row.Round), Word: row.Status,
	}
	if err != nil {
		line.TransactionID = statement.IDIn(text, "id")
		return []statement.Line{line}, err
	}
	var known bool
	if line.Type, known = map[string]statement.Type{"bet": statement.Debit, "win": statement.Credit}[row.Type]; !known {
		return []statement.Line{line}, fmt.Errorf("type %q", row.Type)
	}
	if line.Status, known = fifthStatuses[row.Status]; !known {
		line.Status = statement.Pending
	}
	line.Amount, err = casino.ReadAmount(row.Amount)
	return []statement.Line{line}, err
}
