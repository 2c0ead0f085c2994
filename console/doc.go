// Package console serves the operators' listener: the queue dashboard behind an operator's
// login, metrics, and the two health pages.
package console
