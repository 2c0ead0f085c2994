// Package wallet drives every movement of a player's money: it knows what deciding about it
// takes (whether the player may stake, whether there is enough, whether the request was answered
// before) and leaves the writing to package ledger.
//
// One mechanism serves a lonely deposit and a batch of five hundred settlements: load, decide,
// write. [Books.Run] is one such batch in one database transaction. [Poster] gathers what many
// callers want at the same moment into shared batches, and answers each when its commit is durable.
package wallet
