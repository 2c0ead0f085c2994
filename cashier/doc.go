// Package cashier takes the payment gateway's callbacks: what players paid in, and what became of
// what they wanted out.
//
// A callback carries X-Signature: t=<unix seconds>,v1=<hex HMAC-SHA256 of "t.body">. The time is part
// of what is signed, so a callback cannot be replayed later than five minutes after it was made; within
// them its transaction_id makes a replay harmless.
package cashier
