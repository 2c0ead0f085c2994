// Package ledger moves money: it alone writes transactions, transfers and balances.
//
// A transfer has one debit account, one credit account and one positive amount, so every transaction
// balances. A player's accounts (cash and bonus) store their balance. House accounts store none, since
// every bet would update it: their balance is the sum of their transfers. Rows are appended; triggers
// of the database refuse changes and deletions.
//
// Money moves by load, decide, write: [Load] locks the players of a batch and reads what is
// known, [Book.Post] decides in memory, [Book.Queue] writes everything with one statement a table.
// The package knows the accounts, the kinds of transactions and the audit's rules of each kind, such as
// which may take a balance below zero. Limits, bonuses and payouts are decided above it.
//
// A balance is credits less debits. Crediting a player's cash account makes the player richer.
package ledger
