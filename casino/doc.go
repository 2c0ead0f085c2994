// Package casino lets game platforms move players' money: balance, bet, win, bet and settle in
// one, rollback, retry. It knows no platform. Each has a package of its own below this one, which
// translates its calls into these verbs and the outcomes into its answers.
//
// Every verb is one work in the wallet's group commit. A platform's id for an instruction is its
// key: the same id again moves nothing and is answered with today's balance, the same id for
// something else is refused, and a rollback that comes before its bet keeps the bet's id from
// ever being used.
package casino
