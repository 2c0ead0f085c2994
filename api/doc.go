// Package api is /v1: what the web frontend and other servers call, described by itself at
// /v1/openapi.json and, for people, at /v1/docs.
//
// # Who may what
//
// A call carries `Authorization: Bearer` with one of two secrets. An API key (evk_…) opens the
// scopes it was made with, for every player. A player's token (evp_…) opens that player's own
// coupons, wallet, transactions and events and the list of providers, and nothing else. Both are
// asked of the database on each call, streams included, so that a revocation or a logout holds at
// once.
//
// A player's token that names another player, in the path or the body, is refused with 403
// forbidden; another player's coupon answers 404 coupon_not_found like one that never was, so
// that ids tell nothing.
//
// # Errors
//
// Every error is an RFC 9457 problem with a stable code; codes.go is the list. Handlers return
// domain errors, [problemOf] alone turns them into answers.
//
// # Money
//
// Amounts and coefficients are strings in plain decimals. What moves money takes an
// Idempotency-Key, kept per caller and kind of call.
package api
