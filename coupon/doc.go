// Package coupon is what a player stakes on: one selection (a single) or several (an express),
// its states, and its way to BeT.
//
// Placing reserves the stake first, asks BeT with no database lock held, and then records what
// BeT said. An answer that does not tell leaves the coupon unconfirmed with its stake reserved:
// it is never sent again, for BeT's placement has no key that would make a second one harmless.
// What a crash leaves between two steps, [Desk.Confirm] brings to an end.
package coupon
