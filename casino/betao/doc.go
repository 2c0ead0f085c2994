// Package betao speaks the dialect of Betao's platform ("Integrating Your First Game Provider with
// the Betao PG API").
//
// Every call, theirs and ours, carries X-Signature: the hex HMAC-SHA256 of the body's bytes under the
// secret key. Wallet calls are answered when the money has moved: 402 where there is too little of
// it, 403 for a bad signature. Callbacks are stored and answered with 200 and an empty body at once,
// and worked off by a job; a transaction_id that was told of before is 200 again.
//
// Their article names few fields. What it leaves open is decided in docs/decisions and in the
// constants of this package.
package betao
