package tg

import (
	"encoding/json"
	"fmt"
	"strings"

	"evens/casino"
	"evens/money"
)

// Actions of their requests.
const (
	actionBalance    = "balance"
	actionBetNSettle = "betNSettle"
	actionRollback   = "rollback"
	actionRetryBet   = "retryBet"
)

// request is every field of every action; each has some. Stage and production differ in small
// ones, so what is not needed is not read.
type request struct {
	Action     string       `json:"action"`
	UID        string       `json:"uid"`
	Currency   string       `json:"currency"`
	Brand      string       `json:"brand"`
	RoundID    string       `json:"roundId"`
	BetID      string       `json:"betId"`
	TransferID string       `json:"transferId"`
	GameCode   string       `json:"gameCode"`
	Bet        money.Number `json:"actualBetAmt"`
	Win        money.Number `json:"winAmt"`
	Jackpot    money.Number `json:"jackpotWin"`
	Valid      money.Number `json:"validBetAmt"` // what of the bet counts as turnover
}

// amounts are the money of a bet, exact.
type amounts struct{ bet, win, jackpot, valid money.Amount }

// read reads a decrypted body and names the field that is wrong.
func read(plain []byte) (request, error) {
	var r request
	if err := json.Unmarshal(plain, &r); err != nil {
		return r, fmt.Errorf("%w: no JSON object of their fields", casino.ErrUnreadable)
	}
	required := map[string]string{"uid": r.UID}
	switch r.Action {
	case actionBalance:
	case actionRollback:
		required["betId"] = r.id()
	case actionBetNSettle, actionRetryBet:
		required["betId"], required["roundId"] = r.id(), r.RoundID
	default:
		return r, fmt.Errorf("%w: action is none of balance, betNSettle, rollback, retryBet", casino.ErrUnreadable)
	}
	for field, value := range required {
		if value == "" {
			return r, fmt.Errorf("%w: %s is missing", casino.ErrUnreadable, field)
		}
	}
	return r, nil
}

// id is the key of a bet: betId, or transferId where an older version sends that alone.
func (r request) id() string {
	if r.BetID != "" {
		return r.BetID
	}
	return r.TransferID
}

// currency is theirs, in capitals; "" where they do not say.
func (r request) currency() money.Currency { return money.Currency(strings.ToUpper(r.Currency)) }

func (r request) amounts() (a amounts, err error) {
	for _, field := range []struct {
		name  string
		value money.Number
		into  *money.Amount
		must  bool
	}{{"actualBetAmt", r.Bet, &a.bet, true}, {"winAmt", r.Win, &a.win, true}, {"jackpotWin", r.Jackpot, &a.jackpot, false}, {"validBetAmt", r.Valid, &a.valid, false}} {
		if field.value == "" && !field.must {
			continue
		}
		amount, err := casino.ReadAmount(field.value)
		if err != nil {
			return amounts{}, fmt.Errorf("%w: %s: %w", casino.ErrUnreadable, field.name, err)
		}
		*field.into = amount
	}
	return a, nil
}

// details are what is kept of a bet besides its money.
func (r request) details(a amounts) casino.Details {
	details := casino.Details{JackpotWin: a.jackpot}
	if r.Valid != "" {
		details.ValidStake = &a.valid
	}
	return details
}
