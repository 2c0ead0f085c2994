// Package statement is what a provider's own list of transactions is made of: lines, pages, and a source that is asked
// for them. It lies below the game platforms, each of which reads its own list into it, and below package reconcile,
// which holds our books against it.
package statement
