// Package player knows who has money here. Who may ask about it is package access's to say.
//
// A player's money is not decided on here: [Registry.Balance] and [History] only read what
// package ledger wrote.
package player
