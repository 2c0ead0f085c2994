package naga

import "evens/casino"

// Kind is Naga Games.
var Kind = casino.Kind{Name: Provider, Listed: Win, Closes: true}

// Win is a payout as a file of theirs tells of it; ok is false where it does not tell the bet, which
// is the round. Their list of bets has no transactionId: what is paid by it cannot be known.
func Win(transactionID, betID string) (win casino.Win, ok bool) {
	win = Dialect.Win(casino.Event{ID: betID, Transaction: transactionID})
	win.List = true
	return win, transactionID != "" && betID != "" && transactionID != betID
}
