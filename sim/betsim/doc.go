// Package betsim is a simulated BeT, faults included: the demo, the tests and the benchmarks
// run against it.
//
// [Server] is an http.Handler that answers logins, placements and reads as BeT does, down to
// the stray commas of its document's example (seed 003). It keeps every coupon it took, makes up
// results for them ([Server.Results]) and pushes those to the bookmaker as BeT would
// ([Server.Push], [Pusher]): at least once, now and then twice, out of order, reversed.
//
// The package speaks wire formats only and imports nothing of this module, so that a mistake of
// ours cannot hide in a simulation that makes the same one. Its arithmetic is its own: exact,
// in integers.
//
// All chance comes from Config.Seed and the number of the request, so that the same calls in the
// same order get the same answers.
package betsim
