package tg

import (
	"fmt"
	"strings"

	"evens/casino"
	"evens/internal/jsonin"
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
	UID        jsonin.Word  `json:"uid"`
	Currency   string       `json:"currency"`
	RoundID    jsonin.Word  `json:"roundId"`
	BetID      jsonin.Word  `json:"betId"`
	TransferID jsonin.Word  `json:"transferId"`
	GameCode   jsonin.Word  `json:"gameCode"`
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
	if err := jsonin.Unmarshal(plain, &r); err != nil {
		return request{}, fmt.Errorf("%w: %w", casino.ErrUnreadable, err)
	}
	needsBet, needsRound := false, false
	switch r.Action {
	case actionBalance:
	case actionRollback:
		needsBet = true
	case actionBetNSettle, actionRetryBet:
		needsBet, needsRound = true, true
	default:
		return r, fmt.Errorf("%w: action is none of balance, betNSettle, rollback, retryBet", casino.ErrUnreadable)
	}
	for _, id := range [...]struct {
		field, value string
		must         bool
	}{
		{"uid", string(r.UID), true}, {"betId", string(r.BetID), needsBet && r.TransferID == ""}, {"transferId", string(r.TransferID), false},
		{"roundId", string(r.RoundID), needsRound}, {"gameCode", string(r.GameCode), false},
	} {
		if id.value == "" && !id.must {
			continue
		}
		if err := jsonin.ID(id.value, casino.MaxID); err != nil {
			return r, fmt.Errorf("%w: %s %w", casino.ErrUnreadable, id.field, err)
		}
	}
	return r, nil
}

// id is the key of a bet: betId, or transferId where an older version sends that alone.
func (r request) id() string {
	if r.BetID != "" {
		return string(r.BetID)
	}
	return string(r.TransferID)
}

// other is what else the bet is called: its transferId, unless that says the same.
func (r request) other() string {
	if r.TransferID == r.BetID {
		return ""
	}
	return string(r.TransferID)
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
