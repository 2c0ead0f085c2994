// Package ledger is the one door through which money moves: nothing else writes transactions,
// transfers or balances.
//
// A transfer has one debit account, one credit account and one positive amount, so that nothing
// can fail to balance. A player has stored balances (cash and bonus); the house has none: its
// balance is the sum of its transfers, so that no row exists that every bet would fight over.
// Rows are appended, never changed or deleted; the database itself refuses.
//
// Money moves by load, decide, write: [Load] locks the players of a batch and reads what is
// known, [Book.Post] decides in memory, [Book.Queue] writes everything with one statement a table.
// The package knows accounts, transactions and transfers, and nothing of why they happen.
//
// A balance is credits less debits. Crediting a player's cash account makes the player richer.
package ledger
