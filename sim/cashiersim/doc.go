// Package cashiersim plays a payment gateway: it signs callbacks as one does, and it misbehaves as one
// does. It tells of a payment late, twice, and in another order than things happened; it takes back
// what it had paid; it speaks of players that nobody knows.
package cashiersim
