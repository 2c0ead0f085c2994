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

func (w wireTold) told() Told {
	t := Told{Coef: w.Coef.coef(), CoefOrig: w.CoefOrig.coef(), Stake: w.Bet.amount(), Events: int(w.CountEvents.integer())}
	for _, b := range w.Bets {
		if b.LinesID != "" {
			t.LineIDs = append(t.LineIDs, string(b.LinesID))
		}
	}
	return t
}
