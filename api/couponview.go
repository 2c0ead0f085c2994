package api

import (
	"time"

	"evens/coupon"
)

// couponView is a coupon as /v1 shows it, in answers and events alike. What is not known is null.
type couponView struct {
	ID          string           `json:"id" format:"uuid"`
	PlayerID    string           `json:"player_id" format:"uuid"`
	Status      string           `json:"status" enum:"placing,accepted,rejected,unconfirmed,won,lost,refunded,cancelled"`
	Stake       string           `json:"stake" example:"15.50"`
	Currency    string           `json:"currency" example:"USD"`
	Coef        string           `json:"coef" example:"1.99" doc:"As asked for until accepted, then as the bookmaker took it"`
	PossibleWin string           `json:"possible_win" example:"30.85"`
	Payout      string           `json:"payout" example:"0.00" doc:"What the last applied result says it shall have paid"`
	BetCode     *string          `json:"bet_code" doc:"The bookmaker's name of it; null until accepted"`
	RateMode    string           `json:"rate_mode" enum:"reject,accept"`
	Selections  []selectionView  `json:"selections" nullable:"false"`
	Error       *couponError     `json:"error" doc:"Why it is rejected or unconfirmed, else null"`
	PlacedAt    time.Time        `json:"placed_at"`
	SettledAt   *time.Time       `json:"settled_at"`
	Settlements []settlementView `json:"settlements" nullable:"false" doc:"Every result that was applied, and a cancellation, oldest first"`
}

type selectionView struct {
	Pointer    string     `json:"pointer" example:"live#187183313|17|9|0.5#1.02"`
	MatchID    string     `json:"match_id"`
	Teams      *string    `json:"teams"`
	Tournament *string    `json:"tournament"`
	BetName    *string    `json:"bet_name"`
	Coef       string     `json:"coef" example:"1.02"`
	Live       bool       `json:"live"`
	EventDate  *time.Time `json:"event_date"`
}

type couponError struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

type settlementView struct {
	At           time.Time   `json:"at"`
	Outcome      string      `json:"outcome" enum:"won,lost,refunded,cancelled"`
	PayoutBefore string      `json:"payout_before" example:"0.00"`
	PayoutAfter  string      `json:"payout_after" example:"30.85"`
	Result       *resultView `json:"result" doc:"null where an operator cancelled the coupon"`
}

type resultView struct {
	Status    int       `json:"status"`
	ExtStatus int       `json:"ext_status"`
	AmountOut *string   `json:"amount_out"`
	DecidedAt time.Time `json:"decided_at"`
}

func viewCoupon(c *coupon.Coupon) couponView {
	view := couponView{
		ID: c.ID.String(), PlayerID: c.Player.String(), Status: string(c.Status),
		Stake: c.Stake.String(), Currency: string(c.Currency), Coef: c.Coef.String(),
		PossibleWin: c.PossibleWin.String(), Payout: c.Payout.String(),
		BetCode: orNull(c.BetCode), RateMode: c.RateMode, PlacedAt: c.PlacedAt, SettledAt: timeOrNull(c.SettledAt),
		Selections: make([]selectionView, len(c.Selections)), Settlements: make([]settlementView, len(c.Settlements)),
	}
	if c.ErrorCode != "" {
		view.Error = &couponError{Code: c.ErrorCode, Message: c.ErrorMessage}
	}
	for i := range c.Selections {
		s := &c.Selections[i]
		view.Selections[i] = selectionView{
			Pointer: s.Pointer, MatchID: s.MatchID, Teams: orNull(s.Teams), Tournament: orNull(s.Tournament),
			BetName: orNull(s.BetName), Coef: s.Coef.String(), Live: s.Live, EventDate: timeOrNull(s.EventDate),
		}
	}
	for i, s := range c.Settlements {
		view.Settlements[i] = settlementView{
			At: s.At, Outcome: s.Outcome, PayoutBefore: s.PayoutBefore.String(), PayoutAfter: s.PayoutAfter.String(),
		}
		if s.Outcome == string(coupon.Cancelled) {
			continue
		}
		view.Settlements[i].Result = &resultView{Status: s.Result.Status, ExtStatus: s.Result.ExtStatus, DecidedAt: s.Result.DecidedAt}
		if s.Result.HasAmount {
			view.Settlements[i].Result.AmountOut = new(s.Result.AmountOut.String())
		}
	}
	return view
}

func timeOrNull(at time.Time) *time.Time {
	if at.IsZero() {
		return nil
	}
	return &at
}
