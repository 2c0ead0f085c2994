// Package bet places coupons with BeT over its session API and reads them back.
//
// The wire is the one of BeT's own document (seed 003): log in, keep the cookies, post bet
// pointers to /bet/place/. A [Pointer] is one selection in BeT's spelling, a [Ticket] is what
// is asked for, an [Answer] is what BeT took.
//
// # What it promises
//
// A placement carries no key that would make a second one harmless, so [Client.Place] sends a
// coupon once. The single exception is a placement that BeT provably refused because the
// session had ended: then, after one new login, it is sent once more.
//
// Every placement ends in exactly one of three ways:
//
//   - accepted: an [Answer] and no error;
//   - rejected: a [*Rejection], the coupon is provably not placed and its stake may go back;
//   - unknown: an error that is [ErrUnknownOutcome], the coupon may stand and its stake must
//     stay where it is until somebody finds out.
//
// When in doubt the outcome is unknown: a stake returned for a coupon that stands is lost money,
// a stake held for a coupon that does not stand is a delay.
//
// # What it never does
//
// It never writes a password, a cookie, a body or a remote host (whose path may be a secret) to
// the log, and never follows a redirect.
package bet
