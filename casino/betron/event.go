package betron

import "evens/casino"

// Dialect is BetronTech's. An ID is a transaction_id; a win may have its bet's, so the ids of wins are
// kept apart. A refund has its bet's. There are no rounds.
var Dialect = casino.Dialect{Bet: betOf, Win: winOf, Rollback: refundOf}

// spaceWins keeps the ids of wins apart from those of bets.
const spaceWins = "win"

func betOf(e casino.Event) casino.Bet {
	return casino.Bet{Call: e.Call(Provider), Stake: e.Stake}
}

func winOf(e casino.Event) casino.Win {
	win := casino.Win{Call: e.Call(Provider), Amount: e.Win}
	win.Space = spaceWins
	return win
}

// refundOf undoes the bet of the event's ID. A win of the same id may be of that bet or not.
func refundOf(e casino.Event) casino.Rollback {
	return casino.Rollback{Call: e.Call(Provider), WinSpace: spaceWins}
}
