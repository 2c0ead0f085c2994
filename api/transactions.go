package api

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/negotiation"
	"github.com/google/uuid"

	"evens/player"
)

// transactionView is a movement of a player's money as /v1 shows it. What does not apply is null.
type transactionView struct {
	ID            string    `json:"id" format:"uuid"`
	At            time.Time `json:"at"`
	Type          string    `json:"type" example:"deposit" doc:"deposit, deposit_return, withdrawal, withdrawal_return, stake, refund, payout, resettlement, bet, win, bet_win, rollback, adjustment, bonus, bonus_conversion, bonus_expiry, bonus_forfeiture, bonus_correction"`
	Amount        string    `json:"amount" example:"-15.50" doc:"Signed: what it did to the wallet"`
	Balance       string    `json:"balance" example:"134.50" doc:"Cash afterwards"`
	BonusBalance  string    `json:"bonus_balance" example:"0.00"`
	Currency      string    `json:"currency" example:"USD"`
	Provider      *string   `json:"provider" example:"bet"`
	TransactionID string    `json:"transaction_id" doc:"The outside's own id"`
	GameID        *string   `json:"game_id"`
	RoundID       *string   `json:"round_id"`
	CouponID      *string   `json:"coupon_id" format:"uuid"`
	Comment       *string   `json:"comment"`
	ValidStake    string    `json:"valid_stake,omitempty" example:"8.00" doc:"What of a bet's stake counts as turnover at its platform, where that is not all of it"`
	JackpotWin    string    `json:"jackpot_win,omitempty" example:"500.00" doc:"What of a bet's win a jackpot paid, where one did"`
}

func viewTransaction(m player.Movement) transactionView {
	view := transactionView{
		ID: m.ID.String(), At: m.At, Type: string(m.Type), Amount: m.Amount.String(), Balance: m.Balance.String(),
		BonusBalance: m.BonusBalance.String(), Currency: string(m.Currency), Provider: orNull(m.Provider),
		TransactionID: m.TransactionID, GameID: orNull(m.GameID), RoundID: orNull(m.RoundID), Comment: orNull(m.Comment),
	}
	if m.Coupon.Valid {
		view.CouponID = orNull(m.Coupon.UUID.String())
	}
	if m.ValidStake != nil {
		view.ValidStake = m.ValidStake.String()
	}
	if m.JackpotWin != nil && *m.JackpotWin != 0 {
		view.JackpotWin = m.JackpotWin.String()
	}
	return view
}

// orNull is null for nothing: an empty text, a time that is not.
func orNull[T comparable](value T) *T {
	var nothing T
	if value == nothing {
		return nil
	}
	return &value
}

type transactionPage struct {
	Items      []transactionView `json:"items" nullable:"false"`
	NextCursor *string           `json:"next_cursor" doc:"null on the last page"`
}

// transactionsOperation describes the list, which has two representations.
func (s *server) transactionsOperation() huma.Operation {
	return huma.Operation{
		OperationID: "list-transactions", Method: http.MethodGet, Path: "/v1/players/{id}/transactions", Tags: []string{"Wallet"},
		Summary: "List what moved a player's money, newest first",
		Description: "With `Accept: text/csv` the whole selection is streamed as CSV, whatever cursor and limit say. " +
			"A stream that is cut off was not complete.",
		Errors:   []int{http.StatusNotFound},
		Metadata: map[string]any{streams: true},
		Responses: map[string]*huma.Response{"200": {Description: "OK", Content: map[string]*huma.MediaType{
			"application/json": {Schema: schemaOf[transactionPage](s, "TransactionPage")},
			"text/csv":         {Schema: &huma.Schema{Type: huma.TypeString, Description: "A header line, then a line a transaction; empty where JSON has null"}},
		}}},
	}
}

type transactionsInput struct {
	ID       string    `path:"id" doc:"The player's id"`
	Accept   string    `header:"Accept" hidden:"true"`
	From     time.Time `query:"from" doc:"At this time or later"`
	To       time.Time `query:"to" doc:"Before this time"`
	Type     []string  `query:"type,explode" nullable:"false" doc:"Types, repeated or separated by commas; bet and win include bet_win"`
	Provider string    `query:"provider" doc:"One of GET /v1/providers"`
	GameID   string    `query:"game_id"`
	RoundID  string    `query:"round_id"`
	CouponID string    `query:"coupon_id"`
	Paging
}

const (
	mediaJSON    = "application/json"
	mediaProblem = "application/problem+json"
	mediaCSV     = "text/csv"
)

const longestFilter = 200

func (s *server) listTransactions(ctx context.Context, who *caller, in *transactionsInput) (*huma.StreamResponse, error) {
	id, err := who.owner(in.ID)
	if err != nil {
		return nil, err
	}
	var c checks
	filter := player.HistoryFilter{
		From: in.From, To: in.To, Types: types(&c, in.Type),
		Provider: c.provider("query.provider", in.Provider, s.cfg.Providers),
		GameID:   c.text("query.game_id", in.GameID, longestFilter),
		RoundID:  c.text("query.round_id", in.RoundID, longestFilter),
		Before:   listingTransactions.before(&c, in.Cursor),
	}
	if in.CouponID != "" {
		filter.Coupon = uuid.NullUUID{UUID: c.id("query.coupon_id", in.CouponID), Valid: true}
	}
	if err := c.err(); err != nil {
		return nil, err
	}
	limited, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	if _, err := s.cfg.Players.Balance(limited, id); err != nil { // an unknown player is no empty list
		return nil, err
	}
	if negotiation.SelectQValue(in.Accept, []string{mediaJSON, mediaCSV}) == mediaCSV {
		return s.transactionsCSV(ctx, id, filter), nil
	}
	page, err := s.transactionPage(limited, id, filter, in.Limit)
	if err != nil {
		return nil, err
	}
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		hc.SetHeader("Content-Type", mediaJSON)
		hc.SetStatus(http.StatusOK)
		_ = jsonFormat.Marshal(hc.BodyWriter(), page) // strings and times: nothing to refuse
	}}, nil
}

// transactionPage reads one page and where the next begins.
func (s *server) transactionPage(ctx context.Context, id uuid.UUID, filter player.HistoryFilter, limit int) (transactionPage, error) {
	movements, err := s.cfg.History.Page(ctx, id, filter, limit+1)
	if err != nil {
		return transactionPage{}, err
	}
	page := transactionPage{}
	if len(movements) > limit {
		movements = movements[:limit]
		page.NextCursor = listingTransactions.cursor(movements[limit-1].ID)
	}
	page.Items = make([]transactionView, len(movements))
	for i, m := range movements {
		page.Items[i] = viewTransaction(m)
	}
	return page, nil
}

// provider checks a filter by who a movement is of.
func (c *checks) provider(location, name string, providers []Provider) string {
	names := make([]string, len(providers))
	for i, p := range providers {
		names[i] = p.Name
	}
	if name != "" && !slices.Contains(names, name) {
		c.fault(CodeValidationFailed, location, "is none of "+strings.Join(names, ", "))
	}
	return name
}

// types checks what came repeated, separated by commas, or both.
func types(c *checks, given []string) []string {
	var names []string
	for _, list := range given {
		names = append(names, strings.Split(list, ",")...)
	}
	if _, unknown := player.UnknownType(names); unknown {
		c.fault(CodeValidationFailed, "query.type", "names a type that there is not")
	}
	return player.Types(names)
}
