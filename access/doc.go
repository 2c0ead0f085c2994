// Package access decides who may call: API keys of other servers, players' tokens, and the operators
// of the console and the command line, with the one table of what each role may do.
//
// A secret is shown once, to whoever it was made for, and kept as its hash only: SHA-256 for
// tokens and keys, which are long and random, argon2id for passwords, which are not. Whether a
// token, a key or an operator still counts is asked of the database, so that a logout, a revocation
// or a disabled operator holds from the moment it is committed; callers that ask at the same moment
// share one query.
//
// Password hashes are slow by design, so only a few are computed at once, and a wrong password delays
// the next attempt of its account and of its source, in all processes.
package access
