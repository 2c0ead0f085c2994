// Package wallet decides every movement of a player's money: whether the player may stake, whether there
// is enough, what limits and bonuses say, whether the request was answered before. Package ledger writes it.
//
// A batch loads, decides and writes in one database transaction ([Books.Run]), be it one deposit or five
// hundred settlements. [Poster] puts what concurrent callers want into shared batches, and answers each
// caller when the commit is durable.
package wallet
