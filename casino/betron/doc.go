// Package betron speaks BetronTech's dialect ("BetronTech API Referansı").
//
// BetronTech calls one webhook that tells its methods apart by the field method: account_details,
// user_balance, transaction_bet, transaction_win, refund. Amounts and balances are strings. A
// refund names the bet's own transaction_id; bets and wins may share ids too, so wins are kept apart.
//
// Nothing is signed. What protects the webhook is a list of addresses and a path that cannot be
// guessed: both belong into every production.
package betron
