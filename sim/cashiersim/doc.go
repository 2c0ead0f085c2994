// Package cashiersim simulates a payment gateway with its signatures and its faults. It tells of a payment late, twice, and in another order than things happened; it takes back
// what it had paid; it speaks of players that nobody knows.
package cashiersim
