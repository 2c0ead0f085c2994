package bet

import "evens/money"

// Told are the terms that a head repeats of its coupon, by the names they have in the answer to a placement. No
// document says that /loadbars/ has them: whatever is missing is the zero value.
type Told struct {
	// Coef is the whole coupon's coefficient as accepted, CoefOrig the one before a change.
	Coef, CoefOrig money.Coef
	// Stake is the realAmount BeT counts with.
	Stake money.Amount
	// Events is how many selections there are, LineIDs their matches.
	Events  int
	LineIDs []string
}

// wireTold is Told on the wire: part of a head, or of a BetHeadDetail in it.
type wireTold struct {
	Coef        figure `json:"Coef"`
	CoefOrig    figure `json:"CoefOrig"`
	Bet         figure `json:"Bet"`
	CountEvents figure `json:"CountEvents"`
	Bets        []struct {
		LinesID text `json:"LinesId"`
	} `json:"BetsContentDataList"`
}

// terms adds what makes no sense to missing.
func (w wireTold) terms(missing *unread) Told {
	t := Told{Coef: missing.coef("Coef", w.Coef), CoefOrig: missing.coef("CoefOrig", w.CoefOrig), Events: int(w.CountEvents.integer())}
	t.Stake, _ = missing.amount("Bet", w.Bet)
	for _, b := range w.Bets {
		if b.LinesID != "" {
			t.LineIDs = append(t.LineIDs, string(b.LinesID))
		}
	}
	return t
}
