// Package naga speaks Naga Games' seamless dialect (docs.nagagames.com, "Payout" and its sister
// pages).
//
// Each call is {"data": …, "dataHash": …} with an x-signature. dataHash is the SHA-256 of the data as
// compact JSON in their order of fields; the signature is RSA (PKCS #1 v1.5, SHA-256) over that text
// or over the hash. Both are checked on the bytes as they came: written anew, an amount of 10.00 or
// a field of null would come out otherwise.
//
// A bet is one round and is named by its betId in every later call. A win of free spins is a chain:
// the spin that won them names itself as parentBetId, the spins name it, and the last says so.
package naga
