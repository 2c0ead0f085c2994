package betao

import "evens/casino"

// Dialect is Betao's. An ID is a transaction_id: debits and credits share their space.
var Dialect = casino.Dialect{Bet: debitOf, Win: creditOf, Rollback: rollbackOf}

func callOf(e casino.Event) casino.Call {
	call := e.Call(Provider)
	call.Round.ID = e.Round
	return call
}

func debitOf(e casino.Event) casino.Bet { return casino.Bet{Call: callOf(e), Stake: e.Stake} }

func creditOf(e casino.Event) casino.Win { return casino.Win{Call: callOf(e), Amount: e.Win} }

// rollbackOf undoes the debit or the credit of the event's ID. What a round has won goes with the last
// of its debits.
func rollbackOf(e casino.Event) casino.Rollback {
	return casino.Rollback{Call: callOf(e), TakesWins: true}
}
