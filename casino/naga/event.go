package naga

import "evens/casino"

// Dialect is Naga's. An ID is a betId, which is its round's too; Transaction is the transactionId of
// the bet or of the payout. A payout is done under its transactionId: one of which that is not known
// cannot be done.
var Dialect = casino.Dialect{Bet: betOf, Win: payoutOf, Rollback: cancelOf}

// roundOf is the bet's own: later calls name it by betId. A bet that names itself as its parent won
// free spins, and stays open until the last of them.
func roundOf(e casino.Event) casino.Round {
	round := casino.Round{ID: e.ID, Type: e.Type, Transaction: e.Transaction, Once: true}
	if e.Parent != e.ID {
		round.Parent = e.Parent
	}
	return round
}

func betOf(e casino.Event) casino.Bet {
	bet := casino.Bet{Call: e.Call(Provider), Stake: e.Stake}
	bet.Round = roundOf(e)
	return bet
}

func payoutOf(e casino.Event) casino.Win {
	win := casino.Win{Call: e.Call(Provider), Amount: e.Win, Bet: e.ID, Strict: true}
	win.ID, win.Round = e.Transaction, roundOf(e)
	win.Round.Closes = e.Parent != e.ID
	win.Round.ClosesParent = e.LastFree
	return win
}

// cancelOf undoes a bet that has not been paid out: one that has stands.
func cancelOf(e casino.Event) casino.Rollback {
	return casino.Rollback{Call: e.Call(Provider), Stands: true}
}
