package audit_test

const (
	completed  = `SELECT ` + aBonus + `::text`
	active     = `(SELECT id FROM bonuses WHERE status = 'active')`
	cleosID    = `SELECT ` + cleo + `::text`
	bensID     = `SELECT ` + ben + `::text`
	adjustment = `(SELECT id FROM adjustments WHERE reference = 'a-big')`
	adjusted   = `SELECT ` + adjustment + `::text`
	ofPaid     = `external_id = 'paid-1' AND source = 'cashier:paid'`
	idOfPaid   = `SELECT id::text FROM transactions WHERE ` + ofPaid
)

var walletCorruptions = []corruption{
	{"accounts", "less staked than was", `UPDATE accounts SET tally_staked = tally_staked - 1 WHERE kind = 'cash' AND player_id = ` + cleo, cleosID, "what has been used of limits"},
	{"accounts", "more lost than was", `UPDATE accounts SET tally_lost = tally_lost + 1 WHERE kind = 'cash' AND player_id = ` + cleo, cleosID, "what has been used of limits"},
	{"accounts", "less deposited than was", `UPDATE accounts SET tally_deposited = tally_deposited - 1 WHERE kind = 'cash' AND player_id = ` + cleo, cleosID, "what has been used of limits"},
	{"accounts", "counted in another quarter", `UPDATE accounts SET tally_quarter = tally_quarter + interval '15 minutes' WHERE kind = 'cash' AND player_id = ` + cleo, cleosID, "what has been used of limits"},
	{"accounts", "more wagered than was", `UPDATE accounts SET tally_wagered = tally_wagered + 1 WHERE kind = 'cash' AND player_id = ` + ben, `SELECT ` + active + `::text`, "a bonus is wagered by"},
	{"accounts", "not counted any more", `UPDATE accounts SET tally_revision = NULL WHERE kind = 'cash' AND player_id = ` + cleo, cleosID, "a player is counted who"},
	{"accounts", "counted without an allowance", `UPDATE accounts SET tally_revision = 1, tally_quarter = now(), tally_deposited = 0, tally_lost = 0, tally_staked = 0, tally_wagered = 0 WHERE id = ` + anaCash,
		`SELECT ` + ana + `::text`, "a player is counted who"},

	{"bonuses", "completed, made forfeited", `UPDATE bonuses SET status = 'forfeited' WHERE id = ` + aBonus, completed, "every bonus was given once"},
	{"bonuses", "expired, made active", `UPDATE bonuses SET status = 'expired', ended_at = now() WHERE status = 'active'; UPDATE bonuses SET status = 'active', ended_at = NULL WHERE id = (SELECT id FROM bonuses WHERE status = 'expired' ORDER BY id LIMIT 1)`,
		bensID, "an allowance names the active bonus"},
	{"bonuses", "active, made expired", `UPDATE bonuses SET status = 'expired', ended_at = now() WHERE status = 'active'`, bensID, "a bonus pocket without an active bonus"},
	{"bonuses", "granted more", `UPDATE bonuses SET granted = granted + 1 WHERE id = ` + aBonus, completed, "every bonus was given once"},
	{"bonuses", "wagered more", `UPDATE bonuses SET wagered = wagered + 1 WHERE id = ` + aBonus, completed, "a bonus is wagered by"},
	{"bonuses", "released less", `UPDATE bonuses SET released = released - 1 WHERE id = ` + aBonus, completed, "what a completed bonus released"},
	{"bonuses", "an expired one released", `UPDATE bonuses SET released = 1 WHERE status = 'expired'`, `SELECT id::text FROM bonuses WHERE status = 'expired'`, "every bonus was given once"},
	{"bonuses", "converted more", `UPDATE bonuses SET converted = converted + 1 WHERE id = ` + aBonus, completed, "a completed bonus was wagered"},
	{"bonuses", "another ceiling", `UPDATE bonuses SET terms = terms || '{"max_conversion": 1}' WHERE id = ` + aBonus, completed, "a completed bonus was wagered"},
	{"bonuses", "wagered already, and active", `UPDATE bonuses SET required = 1 WHERE status = 'active'`, `SELECT ` + active + `::text`, "no active bonus has been wagered"},
	{"bonuses", "active for days after its time", `UPDATE bonuses SET granted_at = granted_at - interval '9 days', expires_at = granted_at - interval '8 days' WHERE status = 'active'`,
		`SELECT ` + active + `::text`, "no bonus is active long after"},
	{"bonuses", "another player's", `UPDATE bonuses SET player_id = ` + cleo + ` WHERE id = ` + aBonus, completed, "every bonus was given once"},
	{"bonuses", "another currency", `UPDATE bonuses SET currency = 'EUR' WHERE id = ` + aBonus, completed, "every bonus was given once"},
	{"bonuses", "granted at another time", `UPDATE bonuses SET granted_at = granted_at - interval '1 hour' WHERE id = ` + aBonus, completed, "every bonus was given once"},
	{"bonuses", "ended at another time", `UPDATE bonuses SET ended_at = ended_at + interval '1 hour' WHERE id = ` + aBonus, completed, "every bonus was given once"},
	{"bonuses", "expired before its time", `UPDATE bonuses SET expires_at = ended_at + interval '1 hour' WHERE status = 'expired'`, `SELECT id::text FROM bonuses WHERE status = 'expired'`, "every bonus was given once"},
	{"bonuses", "one is gone", `DELETE FROM bonuses WHERE id = ` + aBonus, `SELECT id::text FROM transactions WHERE kind = 'bonus' AND bonus_id = ` + aBonus, "every bonus was given once"},
	{"bonuses", "one that nobody gave", `INSERT INTO bonuses SELECT '00000000-0000-7000-8000-00000000000a', player_id, campaign, status, currency, granted, required, 0, 0, 0, terms, operator, granted_at, expires_at, ended_at FROM bonuses WHERE status = 'expired'`,
		`SELECT '00000000-0000-7000-8000-00000000000a'`, "every bonus was given once"},

	{"allowances", "the active bonus is forgotten", `UPDATE allowances SET bonus_id = NULL WHERE player_id = ` + ben, bensID, "an allowance names the active bonus"},
	{"allowances", "less of a window", `UPDATE allowances SET earlier[3] = earlier[3] - 1 WHERE player_id = ` + cleo, cleosID, "what an allowance has of its windows"},
	{"allowances", "more of the month's deposits", `UPDATE allowances SET earlier[7] = earlier[7] + 1 WHERE player_id = ` + cleo, cleosID, "what an allowance has of its windows"},
	{"allowances", "a limit below zero", `UPDATE allowances SET limits[7] = -1 WHERE player_id = ` + cleo, cleosID, "an allowance is a player's"},
	{"allowances", "another shape", `UPDATE allowances SET limits = '{1}' WHERE player_id = ` + cleo, cleosID, "an allowance is a player's"},
	{"allowances", "a time zone that there is not", `UPDATE allowances SET zone = 'Mars/Base' WHERE player_id = ` + cleo, cleosID, "an allowance is a player's"},
	{"allowances", "counted from tomorrow", `UPDATE allowances SET since = since + interval '300 days' WHERE player_id = ` + cleo, cleosID, "an allowance is a player's"},
	{"allowances", "one is gone", `DELETE FROM allowances WHERE player_id = ` + cleo, cleosID, "a player is counted who"},
	{"allowances", "one of nobody", `INSERT INTO allowances SELECT '00000000-0000-7000-8000-00000000000a', NULL, limits, waiting, zone, rolling, excluded_until, cooling_until, earlier, since FROM allowances WHERE player_id = ` + cleo,
		`SELECT '00000000-0000-7000-8000-00000000000a'`, "an allowance is a player's"},

	{"usage_quarters", "less staked", `UPDATE usage_quarters SET staked = staked - 1 WHERE player_id = ` + cleo, cleosID, "what has been used of limits"},
	{"usage_quarters", "more lost", `UPDATE usage_quarters SET lost = lost + 1 WHERE player_id = ` + cleo, cleosID, "what has been used of limits"},
	{"usage_quarters", "less deposited", `UPDATE usage_quarters SET deposited = deposited - 1 WHERE player_id = ` + cleo, cleosID, "what has been used of limits"},
	{"usage_quarters", "in another quarter", `UPDATE usage_quarters SET quarter = quarter - interval '1 day' WHERE player_id = ` + cleo, cleosID, "what has been used of limits"},
	{"usage_quarters", "between two quarters", `UPDATE usage_quarters SET quarter = quarter + interval '1 minute' WHERE player_id = ` + cleo, cleosID, "usage is kept of players"},
	{"usage_quarters", "one is gone", `DELETE FROM usage_quarters WHERE player_id = ` + cleo, cleosID, "what has been used of limits"},
	{"usage_quarters", "one of somebody without limits", `INSERT INTO usage_quarters VALUES (` + ana + `, date_bin('15 minutes', now(), 'epoch'), 0, 0, 0)`, `SELECT ` + ana + `::text`, "usage is kept of players"},

	{"transactions", "a withdrawal ended by another player", `UPDATE transactions SET player_id = ` + ben + ` WHERE ` + ofPaid, idOfPaid, "every end of a withdrawal"},
	{"transactions", "a withdrawal that never was is paid", `UPDATE transactions SET external_id = 'never' WHERE ` + ofPaid, idOfPaid, "every end of a withdrawal"},
	{"transactions", "a withdrawal paid that was not held", `UPDATE transactions SET external_id = 'direct-1' WHERE ` + ofPaid, idOfPaid, "every end of a withdrawal"},
	{"transactions", "a withdrawal paid in part", `UPDATE transfers SET amount = amount - 1 WHERE transaction_id::text = (` + idOfPaid + `)`, idOfPaid, "every end of a withdrawal"},
	{"transactions", "a withdrawal paid and returned", `UPDATE transactions SET external_id = 'returned-1' WHERE ` + ofPaid, idOfPaid, "every end of a withdrawal"},
	{"transactions", "a held withdrawal is gone", `DELETE FROM transactions WHERE external_id = 'held-1' AND kind = 'withdrawal'`, `SELECT 'USD'`, "held withdrawals are those"},

	{"requests", "of a coupon that is not there", `UPDATE requests SET coupon_id = '00000000-0000-7000-8000-00000000000a' WHERE key = (SELECT min(key) FROM requests WHERE coupon_id IS NOT NULL)`, "", "every request was answered"},
	{"requests", "never answered", `UPDATE requests SET status = NULL, answer = NULL WHERE key = 'held-1'`, `SELECT scope || ' ' || key FROM requests WHERE key = 'held-1'`, "every request was answered"},

	{"adjustments", "another amount", `UPDATE adjustments SET amount = amount + 1 WHERE id = ` + adjustment, adjusted, "every posted adjustment moved"},
	{"adjustments", "posted, made pending", `UPDATE adjustments SET status = 'pending' WHERE id = ` + adjustment, adjusted, "every posted adjustment moved"},
	{"adjustments", "pending, made posted", `UPDATE adjustments SET status = 'posted', decided_at = now() WHERE reference = 'a-waits'`, `SELECT id::text FROM adjustments WHERE reference = 'a-waits'`, "every posted adjustment moved"},
	{"adjustments", "pending, made refused by nobody", `UPDATE adjustments SET status = 'refused', decided_at = now() WHERE reference = 'a-waits'`, `SELECT id::text FROM adjustments WHERE reference = 'a-waits'`, "an adjustment has who made it"},
	{"adjustments", "another player's", `UPDATE adjustments SET player_id = ` + ben + ` WHERE id = ` + adjustment, adjusted, "every posted adjustment moved"},
	{"adjustments", "another reference", `UPDATE adjustments SET reference = 'x' WHERE id = ` + adjustment, adjusted, "every posted adjustment moved"},
	{"adjustments", "made by somebody else", `UPDATE adjustments SET operator = 'x' WHERE id = ` + adjustment, adjusted, "an adjustment has who made it"},
	{"adjustments", "for another reason", `UPDATE adjustments SET comment = 'x' WHERE id = ` + adjustment, adjusted, "an adjustment has who made it"},
	{"adjustments", "without its second person", `UPDATE adjustments SET decided_by = NULL WHERE id = ` + adjustment, adjusted, "what was decided on an adjustment"},
	{"adjustments", "decided at no time", `UPDATE adjustments SET decided_at = NULL WHERE id = ` + adjustment, adjusted, "an adjustment has who made it"},
	{"adjustments", "one is gone", `DELETE FROM adjustments WHERE id = ` + adjustment, `SELECT 'a-big'`, "every posted adjustment moved"},
	{"adjustments", "one that moved nothing", `INSERT INTO adjustments SELECT '00000000-0000-7000-8000-00000000000a', 'new', player_id, amount, comment, operator, status, decided_by, decision, created_at, decided_at FROM adjustments WHERE id = ` + adjustment,
		`SELECT '00000000-0000-7000-8000-00000000000a'`, "every posted adjustment moved"},
}
