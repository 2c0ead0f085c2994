package api

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"evens/money"
	"evens/wallet"
)

// capsView is the limits of one measure. Null: there is none.
type capsView struct {
	Daily   *string `json:"daily" example:"100.00"`
	Weekly  *string `json:"weekly"`
	Monthly *string `json:"monthly"`
}

// limitsView is a player's rules as /v1 shows them.
type limitsView struct {
	Deposit capsView `json:"deposit" doc:"Deposits, gross"`
	Loss    capsView `json:"loss" doc:"Stakes less winnings, in cash"`
	Wager   capsView `json:"wager" doc:"Stakes, in cash and bonus money"`
	Used    struct {
		Deposit usedView `json:"deposit"`
		Loss    usedView `json:"loss" doc:"Below zero where more was won than lost"`
		Wager   usedView `json:"wager"`
	} `json:"used" doc:"What has been used in the current day, week and month"`
	Pending         []pendingView `json:"pending" nullable:"false" doc:"Limits that are to be higher, or gone, and from when"`
	TimeZone        string        `json:"time_zone" example:"Europe/Lisbon" doc:"Where the player's days begin"`
	Window          string        `json:"window" enum:"calendar,rolling" doc:"The calendar's day, week and month; or the last 24 hours, 7 and 30 days"`
	ExcludedUntil   *time.Time    `json:"excluded_until" doc:"Self-exclusion: no stakes and deposits before"`
	CoolingOffUntil *time.Time    `json:"cooling_off_until"`
}

type usedView struct {
	Daily   string `json:"daily" example:"20.00"`
	Weekly  string `json:"weekly"`
	Monthly string `json:"monthly"`
}

type pendingView struct {
	Limit  string    `json:"limit" enum:"deposit,loss,wager,window"`
	Period string    `json:"period" example:"daily"`
	Amount *string   `json:"amount" doc:"null: no limit any more"`
	From   time.Time `json:"from"`
}

const (
	windowCalendar = "calendar"
	windowRolling  = "rolling"
)

func windowName(rolling bool) string {
	if rolling {
		return windowRolling
	}
	return windowCalendar
}

func viewCap(c wallet.Cap) *string {
	if !c.Set {
		return nil
	}
	return orNull(c.Amount.String())
}

func viewLimits(r wallet.RulesView) limitsView {
	view := limitsView{Pending: []pendingView{}, TimeZone: r.Calendar.Zone, Window: windowName(r.Calendar.Rolling)}
	used := []*usedView{&view.Used.Deposit, &view.Used.Loss, &view.Used.Wager}
	for i, caps := range []*capsView{&view.Deposit, &view.Loss, &view.Wager} {
		limits := r.Limits[i]
		*caps = capsView{viewCap(limits[wallet.Daily]), viewCap(limits[wallet.Weekly]), viewCap(limits[wallet.Monthly])}
		sums := r.Used[i]
		*used[i] = usedView{sums[wallet.Daily].String(), sums[wallet.Weekly].String(), sums[wallet.Monthly].String()}
	}
	for _, raise := range r.Raises {
		view.Pending = append(view.Pending, pendingView{
			Limit: raise.Measure.String(), Period: raise.Period.String(), Amount: viewCap(raise.To), From: raise.From.UTC(),
		})
	}
	if !r.NextFrom.IsZero() {
		view.Pending = append(view.Pending, pendingView{Limit: "window", Period: windowName(r.Next.Rolling) + " " + r.Next.Zone, From: r.NextFrom.UTC()})
	}
	view.ExcludedUntil, view.CoolingOffUntil = orNull(r.ExcludedUntil), orNull(r.CoolingUntil)
	return view
}

type limitsOutput struct{ Body limitsView }

var getLimits = huma.Operation{
	OperationID: "get-limits", Method: http.MethodGet, Path: "/v1/players/{id}/limits", Tags: []string{"Limits"},
	Summary: "Read a player's limits and what has been used of them", Errors: []int{http.StatusNotFound},
}

func (s *server) getLimits(ctx context.Context, who *caller, in *playerInput) (*limitsOutput, error) {
	id, err := who.owner(in.ID)
	if err != nil {
		return nil, err
	}
	if _, err := s.cfg.Players.Balance(ctx, id); err != nil { // an unknown player is not one without limits
		return nil, err
	}
	rules, err := s.cfg.Rules.Read(ctx, id)
	if err != nil {
		return nil, err
	}
	return &limitsOutput{Body: viewLimits(rules)}, nil
}

var putLimits = huma.Operation{
	OperationID: "put-limits", Method: http.MethodPut, Path: "/v1/players/{id}/limits", Tags: []string{"Limits"},
	Summary: "Set a player's limits",
	Description: "What is not named stays as it is; null takes a limit away. A limit that is lower holds at once, one that is higher or " +
		"gone after a waiting time (24 hours unless configured otherwise): see `pending`. An exclusion can be made longer, never shorter. A player's token sets its own player's, by the same rules.",
	Errors: []int{http.StatusBadRequest, http.StatusNotFound, http.StatusConflict, http.StatusRequestEntityTooLarge},
}

// capInput is a limit in a request: not named, null, or an amount. A limit that a PUT does not name stays, though PUT
// replaces by the book: a limit protects its player and must not be lost by an omission.
type capInput struct {
	named bool
	text  *string
}

// UnmarshalJSON implements json.Unmarshaler; a field that is not there is not unmarshalled.
func (c *capInput) UnmarshalJSON(data []byte) error {
	c.named = true
	if bytes.Equal(data, []byte("null")) {
		return nil
	}
	return json.Unmarshal(data, &c.text)
}

// Schema implements huma.SchemaProvider.
func (capInput) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Nullable: true, Description: "Not below zero, with at most the decimals of the wallet's currency; null: no limit", Examples: []any{"100.00"}}
}

type capsInput struct {
	Daily   capInput `json:"daily,omitempty"`
	Weekly  capInput `json:"weekly,omitempty"`
	Monthly capInput `json:"monthly,omitempty"`
}

type putLimitsInput struct {
	ID   string `path:"id" doc:"The player's id"`
	Body struct {
		Deposit         capsInput  `json:"deposit,omitempty"`
		Loss            capsInput  `json:"loss,omitempty"`
		Wager           capsInput  `json:"wager,omitempty"`
		TimeZone        *string    `json:"time_zone,omitempty" doc:"IANA, such as Europe/Lisbon; UTC at first" maxLength:"64"`
		Window          *string    `json:"window,omitempty" enum:"calendar,rolling"`
		ExcludedUntil   *time.Time `json:"excluded_until,omitempty" doc:"Self-exclusion"`
		CoolingOffUntil *time.Time `json:"cooling_off_until,omitempty"`
	} `nameHint:"Limits"`
}

func (s *server) putLimits(ctx context.Context, who *caller, in *putLimitsInput) (*limitsOutput, error) {
	id, err := who.owner(in.ID)
	if err != nil {
		return nil, err
	}
	balance, err := s.cfg.Players.Balance(ctx, id) // limits are in the wallet's currency
	if err != nil {
		return nil, err
	}
	var c checks
	wish := wallet.Wish{Zone: in.Body.TimeZone, ExcludedUntil: in.Body.ExcludedUntil, CoolingUntil: in.Body.CoolingOffUntil}
	if in.Body.Window != nil {
		rolling := *in.Body.Window == windowRolling
		wish.Rolling = &rolling
	}
	for i, given := range []struct {
		name string
		caps capsInput
	}{{"deposit", in.Body.Deposit}, {"loss", in.Body.Loss}, {"wager", in.Body.Wager}} {
		for j, one := range []capInput{given.caps.Daily, given.caps.Weekly, given.caps.Monthly} {
			wish.Caps[i][j] = c.cap("body."+given.name+"."+wallet.Period(j).String(), one, balance.Currency)
		}
	}
	now := s.cfg.Now()
	for _, until := range []struct {
		location string
		at       *time.Time
	}{{"body.excluded_until", wish.ExcludedUntil}, {"body.cooling_off_until", wish.CoolingUntil}} {
		if until.at != nil && (until.at.Before(now) || until.at.Year() > farthestYear) {
			c.fault(CodeValidationFailed, until.location, "must lie in the future")
		}
	}
	if err := c.err(); err != nil {
		return nil, err
	}
	rules, err := s.cfg.Rules.Change(ctx, id, wish, who.name(), "")
	if err != nil {
		return nil, err
	}
	return &limitsOutput{Body: viewLimits(rules)}, nil
}

// farthestYear bounds exclusions: beyond it times have no four digits.
const farthestYear = 9000

// cap reads a limit: nil where it is not named.
func (c *checks) cap(location string, in capInput, currency money.Currency) *wallet.Cap {
	switch {
	case !in.named:
		return nil
	case in.text == nil:
		return &wallet.Cap{}
	}
	if amount, err := money.Parse(*in.text); err == nil && amount == 0 {
		return &wallet.Cap{Set: true} // nothing may be staked or deposited
	}
	return &wallet.Cap{Amount: c.amountIn(location, *in.text, currency), Set: true}
}
