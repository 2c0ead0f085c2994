package tg

import "evens/casino"

// Dialect is TG's. An ID is a betId, for the bet and its win together; Other is the transferId, which older
// versions use beside it or instead of it.
var Dialect = casino.Dialect{BetAndSettle: betOf, Rollback: rollbackOf}

func callOf(e casino.Event) casino.Call {
	call := e.Call(Provider)
	call.Round.ID = e.Round
	call.TwoNames, call.Other = true, e.Other
	return call
}

func betOf(e casino.Event) casino.BetAndSettle {
	both := casino.BetAndSettle{Call: callOf(e), Stake: e.Stake, Win: e.Win, Details: e.Details}
	both.Round.Closes = true
	return both
}

func rollbackOf(e casino.Event) casino.Rollback { return casino.Rollback{Call: callOf(e)} }
