package console

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/google/uuid"

	"evens/internal/download"
	"evens/internal/problem"
	"evens/money"
	"evens/player"
	"evens/wallet"
)

// Support is what the page of a player reads. All fields are required.
type Support struct {
	Players *player.Registry
	History *player.History
	Rules   *wallet.Rulebook
	Debts   func(ctx context.Context, id uuid.NullUUID) ([]player.Debt, error)
	Bonuses func(ctx context.Context, player uuid.UUID, before uuid.NullUUID, limit int) ([]wallet.BonusView, error)
	Log     *slog.Logger

	guard *guard
}

// guarded is the support page behind a login.
func (s *Support) guarded(g *guard) *Support {
	if s == nil {
		return &Support{guard: g}
	}
	own := *s
	own.guard = g
	return &own
}

const (
	pageRows    = 100
	pageTimeout = 10 * time.Second
)

// playerView is what the page shows.
type playerView struct {
	Bar        barView
	Player     player.Player
	Balance    wallet.Balance
	Bonus      *wallet.BonusView
	Debt       *player.Debt
	Limits     []limitView
	Barred     time.Time
	Query      url.Values
	Movements  []player.Movement
	Older, CSV string
}

type limitView struct {
	Name        string
	Used, Limit money.Amount
}

// page answers GET /console/players/{id}: our id or the external one.
func (s *Support) page(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), pageTimeout)
	defer cancel()
	filter, err := filterOf(r.URL.Query())
	if err != nil {
		problem.Write(w, http.StatusUnprocessableEntity, "validation_failed", err.Error())
		return
	}
	view, err := s.view(ctx, r, filter)
	if s.failed(ctx, w, err) {
		return
	}
	view.Bar = s.guard.bar(r)
	s.guard.show(w, r, http.StatusOK, "player.html", view)
}

// failed answers what went wrong, if anything did.
func (s *Support) failed(ctx context.Context, w http.ResponseWriter, err error) bool {
	switch {
	case err == nil:
		return false
	case errors.Is(err, wallet.ErrUnknownPlayer):
		problem.Write(w, http.StatusNotFound, "player_not_found", "there is no such player")
	case errors.Is(err, player.ErrAmbiguous):
		problem.Write(w, http.StatusUnprocessableEntity, "ambiguous_player", "this "+player.ErrAmbiguous.Error())
	default:
		s.Log.ErrorContext(ctx, "a player's page", "error", err)
		problem.Write(w, http.StatusServiceUnavailable, "unavailable", "the player could not be read")
	}
	return true
}

func (s *Support) view(ctx context.Context, r *http.Request, filter player.HistoryFilter) (*playerView, error) {
	who, err := s.Players.Named(ctx, r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	view := &playerView{Player: who, Query: r.URL.Query()}
	if view.Balance, err = s.Players.Balance(ctx, who.ID); err != nil {
		return nil, err
	}
	if err := s.money(ctx, view); err != nil {
		return nil, err
	}
	if view.Movements, err = s.History.Page(ctx, who.ID, filter, pageRows+1); err != nil {
		return nil, err
	}
	if len(view.Movements) > pageRows {
		view.Movements = view.Movements[:pageRows]
		view.Older = "?" + with(view.Query, "before", view.Movements[pageRows-1].ID.String())
	}
	view.CSV = who.ID.String() + "/transactions.csv?" + with(view.Query, "before", "")
	return view, nil
}

// money fills in what the rules know of the player.
func (s *Support) money(ctx context.Context, view *playerView) error {
	debts, err := s.Debts(ctx, uuid.NullUUID{UUID: view.Player.ID, Valid: true})
	if err != nil {
		return err
	}
	if len(debts) > 0 {
		view.Debt = &debts[0]
	}
	bonuses, err := s.Bonuses(ctx, view.Player.ID, uuid.NullUUID{}, 1)
	if err != nil {
		return err
	}
	if len(bonuses) > 0 && bonuses[0].Status == wallet.BonusActive {
		view.Bonus = &bonuses[0]
	}
	rules, err := s.Rules.Read(ctx, view.Player.ID)
	if err != nil {
		return err
	}
	for _, m := range wallet.Measures() {
		for _, p := range wallet.Periods() {
			if limit := rules.Limits[m][p]; limit.Set {
				view.Limits = append(view.Limits, limitView{Name: fmt.Sprintf("%s, %s", m, p), Used: rules.Used[m][p], Limit: limit.Amount})
			}
		}
	}
	view.Barred = rules.BarredUntil
	return nil
}

// with is a query with another value; "" takes it out.
func with(query url.Values, name, value string) string {
	changed := url.Values{}
	for key, values := range query {
		if key != name && len(values) > 0 && values[0] != "" {
			changed[key] = values
		}
	}
	if value != "" {
		changed.Set(name, value)
	}
	return changed.Encode()
}

// filterOf reads the filters of a history, and names the one that is wrong.
func filterOf(query url.Values) (filter player.HistoryFilter, err error) {
	filter.Provider, filter.GameID, filter.RoundID = query.Get("provider"), query.Get("game_id"), query.Get("round_id")
	filter.Types = player.Types(strings.Split(query.Get("type"), ","))
	for name, at := range map[string]*time.Time{"from": &filter.From, "to": &filter.To} {
		if text := query.Get(name); text != "" {
			if *at, err = time.Parse(time.RFC3339, text); err != nil {
				return filter, fmt.Errorf("%s is not a time such as 2026-11-01T00:00:00Z", name)
			}
		}
	}
	for name, id := range map[string]*uuid.NullUUID{"coupon_id": &filter.Coupon, "before": &filter.Before} {
		if text := query.Get(name); text != "" {
			if id.UUID, err = uuid.Parse(text); err != nil {
				return filter, fmt.Errorf("%s is not a UUID", name)
			}
			id.Valid = true
		}
	}
	return filter, nil
}

// csv answers GET /console/players/{id}/transactions.csv with the whole selection, a piece at a time.
func (s *Support) csv(w http.ResponseWriter, r *http.Request) {
	filter, err := filterOf(r.URL.Query())
	if err != nil {
		problem.Write(w, http.StatusUnprocessableEntity, "validation_failed", err.Error())
		return
	}
	who, err := s.Players.Named(r.Context(), r.PathValue("id"))
	if s.failed(r.Context(), w, err) {
		return
	}
	begun, err := download.CSV(w, player.CSVFile, player.CSVHeader(), s.History.Lines(r.Context(), who.ID, filter))
	if begun && err != nil {
		s.Log.ErrorContext(r.Context(), "a player's history", "player", who.ID, "error", err)
		panic(http.ErrAbortHandler) // a part must not pass for the whole
	}
	s.failed(r.Context(), w, err)
}
