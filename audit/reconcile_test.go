package audit_test

const (
	apiList   = `(SELECT id FROM statements WHERE source = 'api' AND provider = 'betao' ORDER BY started_at LIMIT 1)`
	itsList   = `SELECT ` + apiList + `::text`
	openBreak = `(SELECT id FROM breaks WHERE state = 'open' ORDER BY id LIMIT 1)`
	itsBreak  = `SELECT ` + openBreak + `::text`
	healed    = `(SELECT id FROM breaks WHERE healed_by IS NOT NULL ORDER BY id LIMIT 1)`
	itsHealed = `SELECT ` + healed + `::text`
	ofCash    = `item = 'cash'`
	cashLine  = `SELECT format('%s %s %s', day, currency, item) FROM closings WHERE item = 'cash'`
)

var reconcileCorruptions = []corruption{
	{"statements", "another count of lines", `UPDATE statements SET lines = lines + 1 WHERE id = ` + apiList, itsList, "a statement has the lines"},
	{"statements", "another count of pages", `UPDATE statements SET pages = pages + 1 WHERE id = ` + apiList, itsList, "a statement has the lines"},
	{"statements", "matched, made loading", `UPDATE statements SET state = 'loading' WHERE id = ` + apiList, itsList, "a statement that has ended"},
	{"statements", "matched, made failed", `UPDATE statements SET state = 'failed' WHERE id = ` + apiList, itsList, "a statement that has ended"},
	{"statements", "more agree than there are", `UPDATE statements SET matched = ours + 1 WHERE id = ` + apiList, itsList, "a statement that has ended"},
	{"statements", "ended before it began", `UPDATE statements SET ended_at = started_at - interval '1 hour' WHERE id = ` + apiList, itsList, "a statement that has ended"},
	{"statements", "another window", `UPDATE statements SET window_to = window_to - interval '1 hour' WHERE id = ` + apiList, `SELECT 'betao'`, "a watermark is the end"},
	{"statements", "another provider's", `UPDATE statements SET provider = 'tg' WHERE source = 'file'`, "", "a break stands where"},
	{"statements", "one is gone", `DELETE FROM statements WHERE id = ` + apiList, itsList, "a statement has the lines"},
	{"statement_lines", "one is gone", `DELETE FROM statement_lines WHERE ctid = (SELECT min(ctid) FROM statement_lines WHERE statement_id = ` + apiList + `)`, itsList, "a statement has the lines"},
	{"statement_lines", "one is doubled", `INSERT INTO statement_lines SELECT * FROM statement_lines WHERE ctid = (SELECT min(ctid) FROM statement_lines WHERE statement_id = ` + apiList + `)`, itsList, "a statement has the lines"},
	{"statement_lines", "of no statement", `UPDATE statement_lines SET statement_id = '00000000-0000-7000-8000-00000000000a' WHERE statement_id = ` + apiList, `SELECT '00000000-0000-7000-8000-00000000000a'`, "a statement has the lines"},
	{"statement_pages", "one is gone", `DELETE FROM statement_pages WHERE statement_id = ` + apiList + ` AND page = 1`, itsList, "a statement has the lines"},
	{"statement_pages", "another number", `UPDATE statement_pages SET page = 99 WHERE statement_id = ` + apiList + ` AND page = 1`, itsList, "a statement has the lines"},
	{"statement_pages", "of no statement", `INSERT INTO statement_pages VALUES ('00000000-0000-7000-8000-00000000000a', 1, '')`, `SELECT '00000000-0000-7000-8000-00000000000a'`, "a statement has the lines"},
	{"watermarks", "later than any list", `UPDATE watermarks SET until = until + interval '1 day' WHERE provider = 'betao'`, `SELECT 'betao'`, "a watermark is the end"},
	{"watermarks", "earlier than its list", `UPDATE watermarks SET until = until - interval '1 minute' WHERE provider = 'betao'`, `SELECT 'betao'`, "a watermark is the end"},
	{"watermarks", "of a provider without a list", `INSERT INTO watermarks VALUES ('betron', now())`, `SELECT 'betron'`, "a watermark is the end"},

	{"breaks", "open, made resolved", `UPDATE breaks SET state = 'resolved' WHERE id = ` + openBreak, itsBreak, "a break stands where"},
	{"breaks", "ignored, made open", `UPDATE breaks SET state = 'open' WHERE state = 'ignored'`, `SELECT id::text FROM breaks WHERE state = 'ignored'`, "a break stands where"},
	{"breaks", "healed by nothing", `UPDATE breaks SET healed_by = NULL WHERE id = ` + healed, itsHealed, "a break was healed by"},
	{"breaks", "healed by another provider's", `UPDATE breaks SET healed_by = (SELECT id FROM transactions WHERE ` + ofWin + `) WHERE id = ` + healed, itsHealed, "a break was healed by"},
	{"breaks", "healed by what is not there", `UPDATE breaks SET healed_by = '00000000-0000-7000-8000-00000000000a' WHERE id = ` + healed, itsHealed, "a break was healed by"},
	{"breaks", "another amount", `UPDATE breaks SET amount = amount * 2 WHERE id = ` + openBreak, itsBreak, "a break stands where"},
	{"breaks", "seen before it was first seen", `UPDATE breaks SET last_seen = first_seen - interval '1 hour' WHERE id = ` + openBreak, itsBreak, "a break stands where"},
	{"breaks", "seen by no statement", `UPDATE breaks SET statement_id = '00000000-0000-7000-8000-00000000000a' WHERE id = ` + openBreak, itsBreak, "a break stands where"},
	{"breaks", "ended by nobody", `UPDATE breaks SET owner = NULL WHERE state = 'ignored'`, `SELECT id::text FROM breaks WHERE state = 'ignored'`, "a break stands where"},
	{"breaks", "one is gone", `DELETE FROM breaks WHERE id = ` + openBreak, itsBreak, "a break stands where"},
	{"breaks", "a healed one is gone", `DELETE FROM break_events WHERE break_id = ` + healed + `; DELETE FROM breaks WHERE id = ` + healed,
		`SELECT healed_by::text FROM breaks WHERE id = ` + healed, "a break was healed by"},
	{"breaks", "one without a history", `INSERT INTO breaks (id, provider, kind, transaction_id, player, currency, amount, ours, action, at, first_seen, last_seen, statement_id)
		SELECT '00000000-0000-7000-8000-00000000000a', provider, kind, 'new', player, currency, amount, coalesce(ours, theirs), action, at, first_seen, last_seen, statement_id FROM breaks WHERE id = ` + openBreak,
		`SELECT '00000000-0000-7000-8000-00000000000a'`, "a break stands where"},
	{"break_events", "a break's history is gone", `DELETE FROM break_events WHERE break_id = ` + openBreak, itsBreak, "a break stands where"},
	{"break_events", "its end is gone", `DELETE FROM break_events WHERE event = 'ignored'`, `SELECT id::text FROM breaks WHERE state = 'ignored'`, "a break stands where"},
	{"break_events", "another end", `UPDATE break_events SET event = 'resolved' WHERE event = 'ignored'`, `SELECT id::text FROM breaks WHERE state = 'ignored'`, "a break stands where"},
	{"break_events", "decided by nobody", `UPDATE break_events SET operator = NULL WHERE event = 'ignored'`, `SELECT id::text FROM breaks WHERE state = 'ignored'`, "a break stands where"},
	{"break_events", "of no break", `UPDATE break_events SET break_id = '00000000-0000-7000-8000-00000000000a' WHERE event = 'ignored'`, `SELECT '00000000-0000-7000-8000-00000000000a'`, "a break stands where"},

	{"closings", "another balance", `UPDATE closings SET ours = ours + 1 WHERE ` + ofCash, cashLine, "a closing's balances are those"},
	{"closings", "two balances moved together", `UPDATE closings SET ours = ours + CASE item WHEN 'cash' THEN 1 ELSE -1 END WHERE item IN ('cash', 'cashier')`, cashLine, "a closing's balances are those"},
	{"closings", "another total", `UPDATE closings SET ours = 1 WHERE item = 'total'`, "", "a closing's figures fit"},
	{"closings", "another revenue", `UPDATE closings SET ours = ours + 1 WHERE item = 'betao/ggr'`, "", "a closing's figures fit"},
	{"closings", "another revenue of theirs", `UPDATE closings SET theirs = theirs + 1 WHERE item = 'betao/ggr'`, "", "a closing's figures fit"},
	{"closings", "half of theirs is gone", `UPDATE closings SET theirs = NULL WHERE item = 'betao/ggr'`, "", "a closing's figures fit"},
	{"closings", "a seal that there is not", `UPDATE closings SET seal = 99`, cashLine, "a closing's figures fit"},
	{"closings", "another seal", `UPDATE closings SET until_position = until_position + 1`, cashLine, "a closing's figures fit"},
	{"closings", "one figure made at another time", `UPDATE closings SET made_at = made_at + interval '1 hour' WHERE ` + ofCash, "", "a closing's figures fit"},
	{"closings", "an account's line is gone", `DELETE FROM closings WHERE ` + ofCash, cashLine, "a closing's balances are those"},
	{"closings", "a provider's line is gone", `DELETE FROM closings WHERE item = 'betao/stakes'`, "", "a closing's figures fit"},
	{"closings", "a currency that nobody has", `INSERT INTO closings SELECT day, 'EUR', item, 5, NULL, seal, made_at, until_position FROM closings WHERE ` + ofCash, "", "a closing's balances are those"},

	{"seals", "another hash", `UPDATE seals SET hash = '\x00' WHERE n = 1`, `SELECT 'seal 1'`, isSealed},
	{"seals", "another count", `UPDATE seals SET transfers = transfers + 1 WHERE n = 1`, `SELECT 'seal 1'`, isSealed},
	{"seals", "another range", `UPDATE seals SET until_position = until_position + 1 WHERE n = 1`, `SELECT 'seal 2'`, isSealed},
	{"seals", "the first is gone", `DELETE FROM seals WHERE n = 1`, `SELECT 'seal 2'`, isSealed},
	{"seals", "all are gone", `DELETE FROM seals`, cashLine, "a closing's figures fit"},
	{"seals", "one is doubled", `INSERT INTO seals SELECT 3, version, after_id, until_id, from_position, until_position, transactions, transfers, hash, sealed_at FROM seals WHERE n = 2`, `SELECT 'seal 3'`, isSealed},
	{"ledger_seals", "one that nobody made", `INSERT INTO ledger_seals (n, after_id, until_id, transfers, hash, sealed_at) VALUES (1, '00000000-0000-0000-0000-000000000000', 'ffffffff-0000-7000-8000-00000000000a', 1, '\x00', now())`,
		`SELECT 'seal 1'`, "every range of transfers that was sealed by their ids"},
}

// unseen is what the audit does not see. docs/architecture.md says why, kind by kind.
var unseen = []corruption{
	{table: "players", name: "status and names", change: `UPDATE players SET status = 'blocked', external_id = 'x', name = 'x', email = 'x' WHERE external_id = 'cleo'`},
	{table: "accounts", name: "the revision of an allowance", change: `UPDATE accounts SET tally_revision = tally_revision + 1 WHERE tally_revision IS NOT NULL`},
	{table: "allowances", name: "what a player wishes", change: `UPDATE allowances SET limits[7] = 1, excluded_until = now(), cooling_until = now(), waiting = '{}', rolling = rolling WHERE player_id = ` + cleo},
	{table: "bonuses", name: "texts, and how much is still to be wagered", change: `UPDATE bonuses SET campaign = 'x', operator = 'x', required = required + 1, expires_at = expires_at + interval '1 day' WHERE status = 'active'`},
	{table: "coupons", name: "texts", change: `UPDATE coupons SET rate_mode = 'accept', lang = 'xx', error_code = 'x', error_message = 'x', answered_status = 'x'`},
	{table: "selections", name: "what was shown", change: `UPDATE selections SET match_id = 'x', teams = 'x', tournament = 'x', bet_name = 'x', coef = 1, live = NOT live, event_date = now()`},
	{table: "results", name: "texts, and where it came from", change: `UPDATE results SET reason = 'x', callback_id = gen_random_uuid()`},
	{table: "results", name: "a word that does not hold", change: `UPDATE results SET amount_out = 1 WHERE state = 'stale'`},
	{table: "result_chunks", name: "how often and how it was asked for", change: `UPDATE result_chunks SET rung = rung + 1, rung_at = now(), guarded = NOT guarded`},
	{table: "result_chunks", name: "one that is done is gone", change: `DELETE FROM result_chunks WHERE done_at IS NOT NULL`},
	{table: "requests", name: "what was asked and answered", change: `UPDATE requests SET hash = '\x00', answer = '{}' WHERE key = 'held-1'`},
	{table: "requests", name: "one is gone", change: `DELETE FROM requests WHERE key = 'held-1'`},
	{table: "rounds", name: "a provider's own words", change: `UPDATE rounds SET parent_id = 'x', bet_type = 'x', bet_transaction = 'x', win_transaction = 'x', closed_at = NULL`},
	{table: "game_sessions", name: "token, game and mode", change: `UPDATE game_sessions SET hash = id::text::bytea, game_id = 'x', mode = 'real', expires_at = expires_at + interval '1 day'`},
	{table: "notices", name: "body, and what became of it", change: `UPDATE notices SET body = 'x', state = 'done', done_at = received_at WHERE state = 'pending'`},
	{table: "notices", name: "one is gone", change: `DELETE FROM notices WHERE transaction_id = 'nt-1'`},
	{table: "activity_log", name: "what decides nothing", change: `DELETE FROM activity_log WHERE event NOT LIKE 'result%' AND event NOT LIKE 'adjustment%'`},
	{table: "statement_lines", name: "what a line says", change: `UPDATE statement_lines SET amount = amount + 1, player = 'x', status = 'failed', at = now()`},
	{table: "statement_pages", name: "what a page says", change: `UPDATE statement_pages SET body = '\x00'`},
	{table: "statements", name: "cursor, and how many agree", change: `UPDATE statements SET cursor = 'x', ours = ours + 1`},
	{table: "watermarks", name: "one is gone", change: `DELETE FROM watermarks`},
	{table: "breaks", name: "whose and what, in words", change: `UPDATE breaks SET player = 'x', currency = 'x', action = 'x', at = now()`},
	{table: "closings", name: "a provider's figures moved together", change: `UPDATE closings SET ours = ours + 1 WHERE item IN ('betao/stakes', 'betao/ggr')`},
	{table: "closings", name: "theirs moved together", change: `UPDATE closings SET theirs = theirs + 1 WHERE item IN ('betao/stakes', 'betao/ggr')`},
	{table: "closings", name: "a day is gone", change: `DELETE FROM closings`},
	{table: "adjustments", name: "the second person's words", change: `UPDATE adjustments SET decision = 'x' WHERE decision IS NOT NULL`},
	{table: "reversal_hours", name: "an hour of nothing", change: `INSERT INTO reversal_hours VALUES (date_trunc('hour', now()) - interval '9 hours', 'USD', 0, 0)`},
}
