// Package player knows who has money here and who may ask about it: players, their tokens, the
// API keys of other servers, and the operators of the console.
//
// A secret is shown once, to whoever it was made for, and kept as its hash only: SHA-256 for
// tokens and keys, which are long and random, bcrypt for passwords, which are not. Whether a
// token or key still counts is asked of the database every time, so that a logout or a
// revocation holds from the moment it is committed; callers that ask at the same moment share
// one query.
//
// A player's money is not decided on here: [Registry.Balance] and [History] only read what
// package ledger wrote.
package player
