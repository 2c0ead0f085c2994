package bet

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"evens/money"
)

// RateMode says what BeT does when a coefficient moved since the player saw it.
type RateMode string

const (
	// RateReject refuses the coupon. It is what the zero RateMode means here.
	RateReject RateMode = "reject"
	// RateAccept takes it at the new coefficient. It is BeT's default, so the mode is always sent.
	RateAccept RateMode = "accept"
)

// Ticket is a coupon to place.
type Ticket struct {
	// Pointers are the selections: one for a single, more for an express. [CheckExpress] is the
	// caller's to ask; what it refuses is sent, and BeT refuses it.
	Pointers []Pointer
	// RealAmount is the stake BeT counts with, above zero. It need not be the player's.
	RealAmount money.Amount
	Currency   money.Currency
	// Lang is the language of the names in the answer ("ru", "en").
	Lang string
	// RemoteHost is the URL that results go to, without /api/bet/result. It may hold a secret.
	RemoteHost string
	RateMode   RateMode
}

// check refuses tickets that cannot be written down.
func (t Ticket) check() error {
	switch {
	case len(t.Pointers) == 0:
		return ErrNoSelections
	case t.RealAmount <= 0:
		return fmt.Errorf("real amount %s, want more than zero", t.RealAmount)
	case t.Currency == "":
		return errors.New("no currency")
	case t.RemoteHost == "":
		return errors.New("no remote host for results")
	case t.RateMode != "" && t.RateMode != RateReject && t.RateMode != RateAccept:
		return fmt.Errorf("rate mode %q, want reject or accept", t.RateMode)
	}
	for i, p := range t.Pointers {
		if p.text == "" {
			return fmt.Errorf("%w: selection %d is empty", ErrPointer, i+1)
		}
	}
	return nil
}

// payload writes the ticket as the seed does.
func (t Ticket) payload() ([]byte, error) {
	if err := t.check(); err != nil {
		return nil, err
	}
	type data struct {
		ListBets   []string `json:"list_bets"`
		RealAmount string   `json:"realAmount"`
		Currency   string   `json:"currency"`
		Lang       string   `json:"lang"`
		RemoteHost string   `json:"remote_host"`
		RateMode   RateMode `json:"rate_mode"`
	}
	pointers := make([]string, len(t.Pointers))
	for i, p := range t.Pointers {
		pointers[i] = p.text
	}
	return json.Marshal(map[string]data{"data": {
		ListBets:   pointers,
		RealAmount: plainAmount(t.RealAmount),
		Currency:   string(t.Currency),
		Lang:       t.Lang,
		RemoteHost: strings.TrimRight(t.RemoteHost, "/"),
		RateMode:   cmp.Or(t.RateMode, RateReject),
	}})
}

// plainAmount writes 150.00 as "150" and 15.50 as "15.5", as the seed's examples do.
func plainAmount(a money.Amount) string {
	return strings.TrimSuffix(strings.TrimRight(a.String(), "0"), ".")
}
