// Package casinosim simulates the four game platforms: as clients of a casino operator they bet, win,
// roll back, send things twice, lose answers and come late, each in its own dialect; as servers they
// sign on, list games, open them, and tell what was played.
//
// It knows the platforms' documents and nothing of ours, so that a mistake of ours cannot hide in it.
// Money is counted in cents.
package casinosim
