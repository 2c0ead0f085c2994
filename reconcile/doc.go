// Package reconcile compares our books with those of the providers: it takes a provider's own list of
// transactions as a statement, finds where the two differ, heals by policy what can be healed, and
// keeps the rest as breaks for a person.
//
// Matching is one statement in the database, whatever the number of lines: only differences come
// back. A break is never deleted. It has a state (open, healing, resolved, ignored) and a history, and
// closes by itself when a later run agrees.
package reconcile
