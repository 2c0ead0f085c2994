// Package player keeps the players, reads their balances, history and debts, and adjusts balances by hand.
//
// Who may ask about a player is decided by package access. [Registry.Balance] and [History] read what
// package ledger wrote.
package player
