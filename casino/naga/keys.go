package naga

import "evens/casino"

// betKey and payoutKey are the one place that says under which key an event of theirs is kept: a bet
// under betId, a payout under its own transactionId.
func betKey(betID string) casino.Call { return casino.Call{Provider: Provider, ID: betID} }

func payoutKey(transactionID string) casino.Call {
	return casino.Call{Provider: Provider, ID: transactionID}
}

// Win is a payout as a file of theirs tells of it; ok is false where it does not tell the bet, which
// is the round. Their list of bets has no transactionId: what is paid by it cannot be known.
func Win(transactionID, betID string) (win casino.Win, ok bool) {
	call := payoutKey(transactionID)
	call.List = true
	call.Round = data{BetID: betID, TransactionID: transactionID}.round()
	call.Round.Closes = true
	return casino.Win{Call: call, Bet: betID, Strict: true}, transactionID != "" && betID != "" && transactionID != betID
}
