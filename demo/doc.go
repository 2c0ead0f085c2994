// Package demo plays a day at a small sportsbook against the running system, over HTTP alone,
// and prints what it does: players and deposits, singles and expresses against a BeT
// that refuses, changes coefficients and loses answers, results in disorder and twice, a wrong
// score taken back, and in the end the audit.
package demo
