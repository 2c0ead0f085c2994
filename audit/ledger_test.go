package audit_test

// Rows that corruptions speak of.
const (
	ofBet     = `external_id = 'bo-1' AND source = 'betao'`
	ofWin     = `external_id = 'bo-2' AND source = 'betao'`
	ofDeposit = `id = (SELECT id FROM transactions WHERE kind = 'deposit' ORDER BY id LIMIT 1)`
	idOfBet   = `SELECT id::text FROM transactions WHERE ` + ofBet
	idOfWin   = `SELECT id::text FROM transactions WHERE ` + ofWin
	anaCash   = `(SELECT a.id FROM accounts a JOIN players p ON p.id = a.player_id WHERE p.external_id = 'ana' AND a.kind = 'cash')`
	benCash   = `(SELECT a.id FROM accounts a JOIN players p ON p.id = a.player_id WHERE p.external_id = 'ben' AND a.kind = 'cash')`
	ana       = `(SELECT id FROM players WHERE external_id = 'ana')`
	ben       = `(SELECT id FROM players WHERE external_id = 'ben')`
	cleo      = `(SELECT id FROM players WHERE external_id = 'cleo')`
	aBonus    = `(SELECT id FROM bonuses WHERE status = 'completed' AND reopened = 0)`
	aStake    = `SELECT id::text FROM transactions WHERE kind = 'stake' ORDER BY id LIMIT 1`

	isSealed = "every sealed range of the ledger"
)

func house1(kind string) string {
	return `(SELECT id FROM accounts WHERE player_id IS NULL AND currency = 'USD' AND kind = '` + kind + `')`
}

var ledgerCorruptions = []corruption{
	{"players", "one is gone", `DELETE FROM players WHERE external_id = 'cleo'`, `SELECT ` + cleo + `::text`, "every player has a pocket"},
	{"players", "another currency", `UPDATE players SET currency = 'EUR' WHERE external_id = 'cleo'`, `SELECT ` + cleo + `::text`, "every player has a pocket"},
	{"players", "one without pockets", `INSERT INTO players (id, external_id, name, email, currency, created_at) VALUES ('00000000-0000-7000-8000-00000000000a', 'x', '', '', 'USD', now())`,
		`SELECT '00000000-0000-7000-8000-00000000000a'`, "every player has a pocket"},

	{"accounts", "money from nowhere", `UPDATE accounts SET balance = balance + 1 WHERE id = ` + anaCash, `SELECT ` + anaCash + `::text`, "a player's balance is the sum"},
	{"accounts", "another version", `UPDATE accounts SET version = version + 1 WHERE id = ` + anaCash, `SELECT ` + anaCash + `::text`, "each account stands where"},
	{"accounts", "a pocket is gone", `DELETE FROM accounts WHERE kind = 'bonus' AND player_id = ` + cleo, `SELECT ` + cleo + `::text`, "every player has a pocket"},
	{"accounts", "a pocket of nobody", `INSERT INTO accounts (player_id, currency, kind, balance) VALUES ('00000000-0000-7000-8000-00000000000a', 'USD', 'cash', 0)`,
		`SELECT '00000000-0000-7000-8000-00000000000a'`, "every player has a pocket"},
	{"accounts", "a pocket in another currency", `UPDATE accounts SET currency = 'EUR' WHERE kind = 'bonus' AND player_id = ` + cleo, `SELECT ` + cleo + `::text`, "every player has a pocket"},
	{"accounts", "an account of the house is gone", `DELETE FROM accounts WHERE id = ` + house1("adjustments"),
		`SELECT id::text FROM transactions WHERE kind = 'adjustment' ORDER BY id LIMIT 1`, "both accounts of a transfer"},
	{"accounts", "a currency without the house's accounts", `INSERT INTO accounts (currency, kind) VALUES ('EUR', 'casino')`, `SELECT 'EUR sportsbook'`, "the house has its accounts"},

	{"transactions", "another amount", `UPDATE transactions SET amount = amount + 1 WHERE ` + ofWin, idOfWin, "a transaction's amount is what"},
	{"transactions", "another balance of cash", `UPDATE transactions SET cash_after = cash_after + 1 WHERE ` + ofWin, idOfWin, "a transaction's balances are those"},
	{"transactions", "another balance of the bonus", `UPDATE transactions SET bonus_after = bonus_after + 1 WHERE kind = 'bonus_conversion'`,
		`SELECT id::text FROM transactions WHERE kind = 'bonus_conversion'`, "a transaction's balances are those"},
	{"transactions", "another balance of the pocket that it did not touch", `UPDATE transactions SET bonus_after = 1 WHERE ` + ofWin, "", isSealed},
	{"transactions", "another part of the bonus", `UPDATE transactions SET bonus_amount = 1 WHERE ` + ofWin, idOfWin, "a transaction's bonus part"},
	{"transactions", "a bet that has staked less", `UPDATE transactions SET staked = staked - 1 WHERE ` + ofBet, idOfBet, "what a movement has staked"},
	{"transactions", "a bet that has staked nothing", `UPDATE transactions SET staked = NULL WHERE ` + ofBet, idOfBet, "what a movement has staked"},
	{"transactions", "a bet with its win that has staked more", `UPDATE transactions SET staked = staked + 1 WHERE external_id = 'tg-1' AND kind = 'bet_win'`,
		`SELECT id::text FROM transactions WHERE external_id = 'tg-1'`, "what a movement has staked"},
	{"transactions", "a coupon's stake that has staked less", `UPDATE transactions SET staked = staked - 1 WHERE id::text = (` + aStake + `)`, aStake, "what a movement has staked"},
	{"transactions", "a refund that gave no stake back", `UPDATE transactions SET staked = NULL WHERE id = (SELECT id FROM transactions WHERE kind = 'refund' ORDER BY id LIMIT 1)`,
		`SELECT id::text FROM transactions WHERE kind = 'refund' ORDER BY id LIMIT 1`, "what a movement has staked"},
	{"transactions", "a deposit that has staked", `UPDATE transactions SET staked = 1 WHERE ` + ofDeposit, "", "what a movement has staked"},
	{"transactions", "a rollback that left the stake counted", `UPDATE transactions SET staked = NULL WHERE external_id = 'bo-3' AND kind = 'rollback'`,
		`SELECT id::text FROM transactions WHERE external_id = 'bo-3' AND kind = 'rollback'`, "a rollback takes back what"},
	{"transactions", "a stake that counts at no time", `UPDATE transactions SET effective_at = NULL WHERE ` + ofBet, idOfBet, "what a movement has staked"},
	{"transactions", "a stake that counts at another time", `UPDATE transactions SET effective_at = effective_at - interval '1 hour' WHERE ` + ofBet, idOfBet, "what a movement has staked"},
	{"transactions", "a result that counts at its own time", `UPDATE transactions SET effective_at = effective_at + interval '1 hour' WHERE id = (SELECT id FROM transactions WHERE kind = 'payout' ORDER BY id LIMIT 1)`,
		`SELECT id::text FROM transactions WHERE kind = 'payout' ORDER BY id LIMIT 1`, "what a movement has staked"},
	{"transactions", "a bet that contributes more than its stake", `UPDATE transactions SET contribution = staked + 1 WHERE external_id = 'bb-1'`,
		`SELECT id::text FROM transactions WHERE external_id = 'bb-1'`, "a movement counts towards a bonus of its own"},
	{"transactions", "a contribution that is not counted", `UPDATE transactions SET contribution = contribution - 1 WHERE external_id = 'bb-1'`,
		`SELECT ` + aBonus + `::text`, "a bonus is wagered by"},
	{"transactions", "a bonus that is forgotten", `UPDATE transactions SET bonus_id = NULL WHERE external_id = 'bb-1'`,
		`SELECT id::text FROM transactions WHERE external_id = 'bb-1'`, "a movement counts towards a bonus of its own"},
	{"transactions", "a stranger's bonus", `UPDATE transactions SET bonus_id = ` + aBonus + ` WHERE ` + ofBet, idOfBet, "a movement counts towards a bonus of its own"},
	{"transactions", "another kind", `UPDATE transactions SET kind = 'win' WHERE ` + ofBet, idOfBet, "each kind of transaction moves"},
	{"transactions", "an unknown kind", `UPDATE transactions SET kind = 'gift' WHERE ` + ofWin, idOfWin, "each kind of transaction moves"},
	{"transactions", "another source", `UPDATE transactions SET source = 'tg' WHERE ` + ofBet, idOfBet, "a movement of a game has the key"},
	{"transactions", "a deposit under another source", `UPDATE transactions SET source = 'till' WHERE ` + ofDeposit, "", "every other movement has the key"},
	{"transactions", "another id of theirs, so that it can be paid again", `UPDATE transactions SET external_id = 'bo-2-x' WHERE ` + ofWin, "", isSealed},
	{"transactions", "another id of a stake", `UPDATE transactions SET external_id = external_id || 'x' WHERE id::text = (` + aStake + `)`, aStake, "every other movement has the key"},
	{"transactions", "a rollback of something else", `UPDATE transactions SET external_id = 'bo-1' WHERE external_id = 'bo-3' AND kind = 'rollback'`,
		`SELECT id::text FROM transactions WHERE external_id = 'bo-3' AND kind = 'rollback'`, "a rollback gives back"},
	{"transactions", "another player's", `UPDATE transactions SET player_id = ` + ben + ` WHERE ` + ofWin, idOfWin, "a transaction's amount is what"},
	{"transactions", "a game's without a provider", `UPDATE transactions SET provider = NULL WHERE ` + ofBet, idOfBet, "a movement of a game has the key"},
	{"transactions", "of another game", `UPDATE transactions SET game_id = 'other' WHERE ` + ofBet, `SELECT 'betao bo-r1'`, "a round is of the game"},
	{"transactions", "of another round", `UPDATE transactions SET round_id = 'bo-r5' WHERE ` + ofBet, `SELECT 'betao bo-r1'`, "every round counts"},
	{"transactions", "a stake without its coupon", `UPDATE transactions SET coupon_id = NULL WHERE id::text = (` + aStake + `)`, aStake, "every other movement has the key"},
	{"transactions", "a stranger's coupon", `UPDATE transactions SET coupon_id = (SELECT id FROM coupons WHERE player_id = ` + ben + ` LIMIT 1) WHERE id::text = (` + aStake + `)`, aStake, "no transaction is about a coupon"},
	{"transactions", "another content under the same id", `UPDATE transactions SET payload_hash = '\x00' WHERE ` + ofBet, "", isSealed},
	{"transactions", "an adjustment by somebody else", `UPDATE transactions SET operator = 'x' WHERE external_id = 'a-small'`,
		`SELECT id::text FROM adjustments WHERE reference = 'a-small'`, "an adjustment has who made it"},
	{"transactions", "another comment", `UPDATE transactions SET comment = 'x' WHERE ` + ofDeposit, "", isSealed},
	{"transactions", "another time", `UPDATE transactions SET at = at + interval '1 minute' WHERE ` + ofBet, idOfBet, "the transfers of a transaction are numbered"},
	{"transactions", "another place in the order", `UPDATE transactions SET position = position + 1000000000 WHERE ` + ofBet, idOfBet, "every transaction stands where"},
	{"transactions", "no place in the order", `UPDATE transactions SET position = NULL WHERE ` + ofBet, idOfBet, "every transaction stands where"},
	{"transactions", "one is gone", `DELETE FROM transactions WHERE ` + ofWin, idOfWin, "every transfer has its transaction"},
	{"transactions", "one is gone with its transfers", `DELETE FROM transfers WHERE transaction_id = (SELECT id FROM transactions WHERE ` + ofWin + `); DELETE FROM transactions WHERE ` + ofWin,
		`SELECT ` + anaCash + `::text`, "a player's balance is the sum"},
	{"transactions", "one that moved nothing is gone", `DELETE FROM transactions WHERE kind = 'tombstone'`, "", isSealed},
	{"transactions", "a refusal that moved", `UPDATE transactions SET kind = 'refused' WHERE ` + ofBet, idOfBet, "what was refused, and what was"},
	{"transactions", "a tombstone is lifted", `UPDATE transactions SET kind = 'bet' WHERE kind = 'tombstone'`, "", isSealed},
	{"transactions", "one without transfers slipped in", `
		INSERT INTO transactions (id, source, external_id, kind, player_id, amount, cash_after, bonus_after, provider, payload_hash, at)
		SELECT '00000000-0000-7000-8000-00000000000a', source, 'new', kind, player_id, amount, cash_after, bonus_after, provider, payload_hash, at FROM transactions WHERE ` + ofWin,
		`SELECT '00000000-0000-7000-8000-00000000000a'`, "every transaction has its transfers"},
	{"transactions", "a win is paid again, and every balance mended", `
		INSERT INTO transactions (id, source, external_id, kind, player_id, amount, cash_after, bonus_after, provider, game_id, round_id, payload_hash, at, effective_at)
		SELECT '00000000-0000-7000-8000-00000000000a', 'betao:win', external_id, x.kind, x.player_id, amount, a.balance + amount, 0, provider, game_id, round_id, payload_hash, at, effective_at
		  FROM transactions x, accounts a WHERE ` + ofWin + ` AND a.id = ` + anaCash + `;
		INSERT INTO transfers (transaction_id, leg, debit_account, credit_account, amount, balance_after, account_version, at)
		SELECT x.id, 1, ` + house1("casino") + `, a.id, x.amount, a.balance + x.amount, a.version + 1, x.at FROM transactions x, accounts a WHERE x.source = 'betao:win' AND a.id = ` + anaCash + `;
		UPDATE accounts SET balance = balance + (SELECT amount FROM transactions WHERE ` + ofWin + `), version = version + 1 WHERE id = ` + anaCash,
		`SELECT 'betao bo-r1'`, "every round counts"},

	{"transfers", "another amount", `UPDATE transfers SET amount = amount + 1 WHERE transaction_id::text = (` + idOfWin + `)`, idOfWin, "a transaction's amount is what"},
	{"transfers", "from another account of the house", `UPDATE transfers SET debit_account = ` + house1("sportsbook") + ` WHERE transaction_id::text = (` + idOfWin + `)`, idOfWin, "each kind of transaction moves"},
	{"transfers", "to another player", `UPDATE transfers SET credit_account = ` + benCash + ` WHERE transaction_id::text = (` + idOfWin + `)`, idOfWin, "a transaction's amount is what"},
	{"transfers", "the other way", `UPDATE transfers SET debit_account = credit_account, credit_account = debit_account WHERE transaction_id::text = (` + idOfWin + `)`, idOfWin, "each kind of transaction moves"},
	{"transfers", "to an account that is not there", `UPDATE transfers SET debit_account = -1 WHERE transaction_id::text = (` + idOfWin + `)`, idOfWin, "both accounts of a transfer"},
	{"transfers", "another balance", `UPDATE transfers SET balance_after = balance_after + 1 WHERE transaction_id::text = (` + idOfWin + `)`, `SELECT ` + anaCash + `::text`, "each account's transfers follow"},
	{"transfers", "another version", `UPDATE transfers SET account_version = account_version + 100 WHERE transaction_id::text = (` + idOfWin + `)`, `SELECT ` + anaCash + `::text`, "each account's transfers follow"},
	{"transfers", "no balance", `UPDATE transfers SET balance_after = NULL WHERE transaction_id::text = (` + idOfWin + `)`, idOfWin, "a transfer tells a balance"},
	{"transfers", "a balance of the house", `UPDATE transfers SET balance_after = 1 WHERE transaction_id = (SELECT id FROM transactions WHERE kind = 'loss' LIMIT 1)`, "", "a transfer tells a balance"},
	{"transfers", "another time", `UPDATE transfers SET at = at + interval '1 minute' WHERE transaction_id::text = (` + idOfWin + `)`, idOfWin, "the transfers of a transaction are numbered"},
	{"transfers", "another number", `UPDATE transfers SET leg = 7 WHERE transaction_id::text = (` + idOfWin + `)`, idOfWin, "the transfers of a transaction are numbered"},
	{"transfers", "one is gone", `DELETE FROM transfers WHERE transaction_id::text = (` + idOfWin + `)`, idOfWin, "every transaction has its transfers"},
	{"transfers", "a leg of the house's is gone", `DELETE FROM transfers WHERE leg = 1 AND transaction_id = (SELECT id FROM transactions WHERE kind = 'payout' ORDER BY id LIMIT 1)`,
		`SELECT id::text FROM transactions WHERE kind = 'payout' ORDER BY id LIMIT 1`, "the transfers of a transaction are numbered"},
	{"transfers", "one is doubled", `INSERT INTO transfers SELECT transaction_id, leg + 1, debit_account, credit_account, amount, balance_after, account_version, at FROM transfers WHERE transaction_id::text = (` + idOfWin + `)`,
		idOfWin, "a transaction's amount is what"},
	{"transfers", "one of no transaction", `INSERT INTO transfers VALUES ('00000000-0000-7000-8000-00000000000a', 1, ` + house1("casino") + `, ` + house1("sportsbook") + `, 1, NULL, NULL, now())`,
		`SELECT '00000000-0000-7000-8000-00000000000a'`, "every transfer has its transaction"},
	{"transfers", "a balance below zero by a bet", `UPDATE transfers SET balance_after = -1 WHERE transaction_id::text = (` + idOfBet + `)`, idOfBet, "only a correction, or what has happened outside"},
}
