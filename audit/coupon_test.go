package audit_test

const (
	wonCoupon  = `(SELECT id FROM coupons WHERE status = 'won' AND settlement_count = 1 AND bonus_id IS NULL AND result_id IN (SELECT id FROM results WHERE state = 'applied') AND id NOT IN (SELECT coupon_id FROM settlements WHERE operator IS NOT NULL) ORDER BY id LIMIT 1)`
	openCoupon = `(SELECT id FROM coupons WHERE status = 'accepted' ORDER BY id LIMIT 1)`
	byHand     = `(SELECT coupon_id FROM settlements WHERE comment = 'as BeT said by phone')`
	cancelled  = `(SELECT id FROM coupons WHERE status = 'cancelled' AND settlement_count = 1)`
	overruled  = `(SELECT id FROM coupons WHERE overruled)`
	adopted    = `(SELECT id FROM coupons WHERE bet_code = 'by-hand')`
	asked      = `(SELECT coupon_id FROM coupon_answers WHERE bet_code = 'odd-code')`
	taken      = `(SELECT coupon_id FROM coupon_answers WHERE bet_code = 'odd-taken')`
	bonused    = `(SELECT id FROM coupons WHERE bonus_stake > 0 AND status = 'won' ORDER BY id LIMIT 1)`
	twice      = `(SELECT coupon_id FROM settlements WHERE n = 3)`
	heldResult = `(SELECT result_id FROM coupons WHERE id = ` + wonCoupon + `)`
	pending    = `(SELECT id FROM results WHERE state = 'pending' AND attention IS NULL)`
	itsID      = `SELECT ` + wonCoupon + `::text`
	resultID   = `SELECT ` + heldResult + `::text`
)

var couponCorruptions = []corruption{
	{"coupons", "accepted, made won", `UPDATE coupons SET status = 'won' WHERE id = ` + openCoupon, `SELECT ` + openCoupon + `::text`, "every coupon stands where"},
	{"coupons", "won, made lost", `UPDATE coupons SET status = 'lost' WHERE id = ` + wonCoupon, itsID, "every coupon stands where"},
	{"coupons", "rejected, made accepted", `UPDATE coupons SET status = 'accepted', bet_code = 'x' WHERE status = 'rejected'`, `SELECT id::text FROM coupons WHERE status = 'rejected'`, "every coupon's stake was taken"},
	{"coupons", "unconfirmed, made rejected", `UPDATE coupons SET status = 'rejected', open_since = NULL WHERE status = 'unconfirmed'`, `SELECT 'USD'`, "held stakes are those"},
	{"coupons", "another stake", `UPDATE coupons SET stake = stake + 1 WHERE id = ` + wonCoupon, itsID, "every coupon's stake was taken"},
	{"coupons", "another payout", `UPDATE coupons SET payout = payout + 1 WHERE id = ` + wonCoupon, itsID, "every coupon has paid"},
	{"coupons", "another sum sent", `UPDATE coupons SET sent_amount = sent_amount * 2 WHERE id = ` + wonCoupon, itsID, "every coupon was placed as"},
	{"coupons", "another coefficient", `UPDATE coupons SET coef = coef * 2 WHERE id = ` + wonCoupon, itsID, "every coupon was placed as"},
	{"coupons", "another possible win", `UPDATE coupons SET possible_win = 1 WHERE id = ` + wonCoupon, itsID, "every payout is what the target rule"},
	{"coupons", "another possible win of one without a result", `UPDATE coupons SET possible_win = possible_win * 2 WHERE id = ` + openCoupon, `SELECT ` + openCoupon + `::text`, "every coupon was placed as"},
	{"coupons", "another currency", `UPDATE coupons SET currency = 'EUR' WHERE id = ` + wonCoupon, itsID, "every coupon was placed as"},
	{"coupons", "another player's", `UPDATE coupons SET player_id = ` + ben + ` WHERE id = ` + wonCoupon, "", "no transaction is about a coupon"},
	{"coupons", "placed at another time", `UPDATE coupons SET placed_at = placed_at - interval '1 hour' WHERE id = ` + wonCoupon, itsID, "every coupon was placed as"},
	{"coupons", "open since another time", `UPDATE coupons SET open_since = open_since - interval '1 hour' WHERE status = 'unconfirmed'`, `SELECT id::text FROM coupons WHERE status = 'unconfirmed'`, "every coupon was placed as"},
	{"coupons", "placing for days", `UPDATE coupons SET open_since = open_since - interval '3 days' WHERE status = 'placing'`, `SELECT id::text FROM coupons WHERE status = 'placing'`, "no placement is under way for days"},
	{"coupons", "another code", `UPDATE coupons SET bet_code = 'another' WHERE id = ` + wonCoupon, itsID, "the result that holds is the coupon's own"},
	{"coupons", "the codes of two exchanged", `
		UPDATE coupons SET bet_code = 'x' || bet_code WHERE id IN (` + wonCoupon + `, ` + byHand + `);
		UPDATE coupons c SET bet_code = substr(o.bet_code, 2) FROM coupons o WHERE c.id IN (` + wonCoupon + `, ` + byHand + `) AND o.id IN (` + wonCoupon + `, ` + byHand + `) AND c.id <> o.id`,
		itsID, "a settlement is of a coupon"},
	{"coupons", "another bookmaker's", `UPDATE coupons SET provider = 'other' WHERE id = ` + wonCoupon, itsID, "the result that holds is the coupon's own"},
	{"coupons", "without a result, another bookmaker's", `UPDATE coupons SET provider = 'other' WHERE id = ` + openCoupon,
		`SELECT id::text FROM transactions WHERE source = 'coupon' AND coupon_id = ` + openCoupon, "a coupon's movements are with"},
	{"coupons", "settled at another time", `UPDATE coupons SET settled_at = settled_at + interval '1 hour' WHERE id = ` + wonCoupon, itsID, "a coupon is settled when"},
	{"coupons", "another count of settlements", `UPDATE coupons SET settlement_count = 2 WHERE id = ` + wonCoupon, itsID, "every coupon stands where"},
	{"coupons", "decided earlier, so that an old word may hold", `UPDATE coupons SET decided_at = decided_at - interval '1 day' WHERE id = ` + wonCoupon, itsID, "no earlier word holds"},
	{"coupons", "decided at no time", `UPDATE coupons SET decided_at = NULL WHERE id = ` + wonCoupon, itsID, "a coupon is settled when"},
	{"coupons", "another result holds", `UPDATE coupons SET result_id = (SELECT id FROM results WHERE state = 'stale') WHERE id = ` + wonCoupon, itsID, "the result that holds is the coupon's own"},
	{"coupons", "no result holds", `UPDATE coupons SET result_id = NULL WHERE id = ` + wonCoupon, itsID, "a coupon is settled when"},
	{"coupons", "another part of the bonus", `UPDATE coupons SET bonus_stake = bonus_stake - 1 WHERE id = ` + bonused, `SELECT ` + bonused + `::text`, "a coupon's stake and its contribution"},
	{"coupons", "a bonus that is forgotten", `UPDATE coupons SET bonus_id = NULL WHERE id = ` + bonused, `SELECT ` + bonused + `::text`, "every coupon was placed as"},
	{"coupons", "another contribution", `UPDATE coupons SET contribution = contribution - 1 WHERE id = (SELECT id FROM coupons WHERE contributed > 0 ORDER BY id LIMIT 1)`,
		`SELECT id::text FROM coupons WHERE contributed > 0 ORDER BY id LIMIT 1`, "every coupon was placed as"},
	{"coupons", "has contributed otherwise", `UPDATE coupons SET contributed = 0 WHERE id = (SELECT id FROM coupons WHERE contributed > 0 ORDER BY id LIMIT 1)`,
		`SELECT id::text FROM coupons WHERE contributed > 0 ORDER BY id LIMIT 1`, "a coupon's stake and its contribution"},
	{"coupons", "other pointers", `UPDATE coupons SET pointers = '{x,y}' WHERE id = ` + wonCoupon, itsID, "a coupon that the bookmaker has"},
	{"coupons", "one is gone", `DELETE FROM coupons WHERE id = ` + wonCoupon, itsID, "a settlement is of a coupon"},
	{"coupons", "one without a stake slipped in", `
		INSERT INTO coupons (id, player_id, status, currency, stake, sent_amount, nominal, rate_mode, lang, pointers, coef, possible_win, bet_code, placed_at, answered_status)
		SELECT '00000000-0000-7000-8000-00000000000a', player_id, 'accepted', currency, stake, sent_amount, nominal, rate_mode, lang, pointers, coef, possible_win, 'free', placed_at, 'accepted' FROM coupons WHERE id = ` + openCoupon,
		`SELECT '00000000-0000-7000-8000-00000000000a'`, "every coupon's stake was taken"},

	{"coupons", "counts as staked otherwise", `UPDATE coupons SET counted = 0 WHERE id = ` + wonCoupon, itsID, "a coupon counts as staked"},
	{"coupons", "sent in another currency", `UPDATE coupons SET sent_currency = 'EUR' WHERE id = ` + wonCoupon, itsID, "every coupon was placed as"},
	{"coupons", "overruled by nobody", `UPDATE coupons SET overruled = true WHERE id = ` + wonCoupon, itsID, "an older word holds where"},
	{"coupons", "overruled, and not so any more", `UPDATE coupons SET overruled = false WHERE overruled`, `SELECT ` + overruled + `::text`, "an older word holds where"},
	{"coupons", "cancelled, made accepted", `UPDATE coupons SET status = 'accepted', bet_code = 'x' WHERE id = ` + cancelled, `SELECT ` + cancelled + `::text`, "a cancelled coupon was cancelled"},
	{"coupons", "lost, made cancelled", `UPDATE coupons SET status = 'cancelled' WHERE id = (SELECT id FROM coupons WHERE status = 'lost' ORDER BY id LIMIT 1)`,
		`SELECT id::text FROM coupons WHERE status = 'lost' ORDER BY id LIMIT 1`, "a cancelled coupon was cancelled"},
	{"coupons", "adopted, and given up again", `UPDATE coupons SET status = 'rejected', bet_code = NULL WHERE id = ` + adopted, `SELECT ` + adopted + `::text`, "every coupon's stake was taken"},

	{"coupon_answers", "another code than it was accepted under", `UPDATE coupon_answers SET bet_code = 'x' WHERE coupon_id = ` + taken, `SELECT ` + taken + `::text`, "a coupon is accepted under"},
	{"coupon_answers", "a code that nobody asks about", `UPDATE coupon_answers SET ask_at = NULL WHERE coupon_id = ` + asked, `SELECT ` + asked + `::text`, "every unconfirmed coupon with a kept"},
	{"coupon_answers", "of no coupon", `UPDATE coupon_answers SET coupon_id = '00000000-0000-7000-8000-00000000000a' WHERE coupon_id = ` + asked,
		`SELECT '00000000-0000-7000-8000-00000000000a'`, "every unconfirmed coupon with a kept"},
	{"coupon_answers", "a code of a stake that went back by itself", `INSERT INTO coupon_answers (coupon_id, bet_code, http_status, reason, body, body_size, at)
		SELECT id, 'x', 200, '', '', 0, placed_at - interval '1 minute' FROM coupons WHERE status = 'rejected'`, `SELECT id::text FROM coupons WHERE status = 'rejected'`, "no stake went back without"},

	{"selections", "another outcome", `UPDATE selections SET pointer = 'x' WHERE coupon_id = ` + wonCoupon + ` AND position = 0`, itsID, "a coupon that the bookmaker has"},
	{"selections", "one is gone", `DELETE FROM selections WHERE coupon_id = ` + wonCoupon + ` AND position = 1`, itsID, "a coupon that the bookmaker has"},
	{"selections", "one is doubled", `INSERT INTO selections SELECT coupon_id, 2, pointer, match_id, teams, tournament, bet_name, coef, live, event_date FROM selections WHERE coupon_id = ` + wonCoupon + ` AND position = 1`,
		itsID, "a coupon that the bookmaker has"},
	{"selections", "one of no coupon", `UPDATE selections SET coupon_id = '00000000-0000-7000-8000-00000000000a' WHERE coupon_id = ` + wonCoupon, `SELECT '00000000-0000-7000-8000-00000000000a'`, "a coupon that the bookmaker has"},

	{"results", "another word", `UPDATE results SET status = 4 WHERE id = ` + heldResult, itsID, "every payout is what the target rule"},
	{"results", "another amount", `UPDATE results SET amount_out = amount_out - 10000 WHERE id = ` + heldResult, itsID, "every payout is what the target rule"},
	{"results", "another coupon's", `UPDATE results SET bar_code = (SELECT bet_code FROM coupons WHERE id = ` + openCoupon + `) WHERE id = ` + heldResult, itsID, "the result that holds is the coupon's own"},
	{"results", "applied, made pending", `UPDATE results SET state = 'pending' WHERE id = ` + heldResult, resultID, "every pending result is in a chunk"},
	{"results", "pending, made applied", `UPDATE results SET state = 'applied' WHERE id = ` + pending, `SELECT ` + pending + `::text`, "every applied result has its settlement"},
	{"results", "pending, made stale", `UPDATE results SET state = 'stale' WHERE id = ` + pending, `SELECT c.id::text FROM coupons c JOIN results r ON r.bar_code = c.bet_code WHERE r.id = ` + pending, "no earlier word holds"},
	{"results", "pending, made a duplicate", `UPDATE results SET state = 'duplicate' WHERE id = ` + pending, `SELECT ` + pending + `::text`, "a result's state, attention and coupon"},
	{"results", "pending, made refused", `UPDATE results SET state = 'refused' WHERE id = ` + pending, `SELECT ` + pending + `::text`, "what a person decided about a result"},
	{"results", "pending, made parked without a reason", `UPDATE results SET state = 'parked' WHERE id = ` + pending, `SELECT ` + pending + `::text`, "a result's state, attention and coupon"},
	{"results", "parked, made stale", `UPDATE results SET state = 'stale', attention = NULL WHERE state = 'parked'`, "", "no earlier word holds"},
	{"results", "parked, and out of sight", `UPDATE results SET attention = NULL WHERE state = 'parked'`, `SELECT id::text FROM results WHERE state = 'parked'`, "a result's state, attention and coupon"},
	{"results", "applied, and before a person", `UPDATE results SET attention = 'makes_no_sense' WHERE id = ` + heldResult, resultID, "a result's state, attention and coupon"},
	{"results", "a stale word decided later than what holds", `UPDATE results SET decided_at = decided_at + interval '1 day' WHERE state = 'stale'`,
		`SELECT c.id::text FROM results r JOIN coupons c ON c.bet_code = r.bar_code WHERE r.state = 'stale'`, "no earlier word holds"},
	{"results", "the word that holds decided later than the coupon knows", `UPDATE results SET decided_at = decided_at + interval '1 hour' WHERE id = ` + heldResult, itsID, "no earlier word holds"},
	{"results", "pending for days", `UPDATE results SET received_at = received_at - interval '5 days' WHERE id = ` + pending, `SELECT ` + pending + `::text`, "no result waits for days"},
	{"results", "a coupon that came, and nobody looked", `UPDATE results SET bar_code = (SELECT bet_code FROM coupons WHERE id = ` + openCoupon + `), received_at = received_at - interval '5 days' WHERE attention = 'unknown_bar_code'`,
		`SELECT id::text FROM results WHERE attention = 'unknown_bar_code'`, "no result waits for days"},
	{"results", "another bookmaker's", `UPDATE results SET provider = 'other' WHERE id = ` + heldResult, itsID, "the result that holds is the coupon's own"},
	{"results", "of a BarCode that no coupon has, another bookmaker's", `UPDATE results SET provider = 'other' WHERE attention = 'unknown_bar_code'`,
		`SELECT id::text FROM results WHERE attention = 'unknown_bar_code'`, "every result says what the message"},
	{"results", "another code than came in", `UPDATE results SET bar_code = 'another' WHERE attention = 'unknown_bar_code'`,
		`SELECT id::text FROM results WHERE attention = 'unknown_bar_code'`, "every result says what the message"},
	{"results", "a time of decision that no message bears, in the coupon too", `
		UPDATE results SET decided_at = decided_at + interval '1 second' WHERE id = ` + heldResult + `;
		UPDATE coupons SET decided_at = decided_at + interval '1 second' WHERE id = ` + wonCoupon,
		resultID, "every result says what the message"},
	{"results", "a word that does not hold, and did not come", `UPDATE results SET amount_out = 1 WHERE state = 'stale'`,
		`SELECT id::text FROM results WHERE state = 'stale'`, "every result says what the message"},
	{"results", "the one that holds is gone", `DELETE FROM results WHERE id = ` + heldResult, itsID, "the result that holds is the coupon's own"},

	{"callbacks", "another word in a message", `UPDATE callbacks c SET body = convert_to(replace(convert_from(c.body, 'UTF8'), '"Status":2', '"Status":4'), 'UTF8')
		  FROM results r WHERE r.id = ` + heldResult + ` AND c.id = r.callback_id`, resultID, "every result says what the message"},
	{"results", "the text of an unreadable one is gone", `UPDATE results SET raw = NULL WHERE attention = 'unreadable'`, `SELECT id::text FROM results WHERE attention = 'unreadable'`, "a Head that cannot be read"},
	{"results", "a readable one, called unreadable", `UPDATE results SET attention = 'unreadable' WHERE attention = 'makes_no_sense'`, `SELECT id::text FROM results WHERE attention = 'makes_no_sense'`, "a Head that cannot be read"},
	{"results", "parked, and nobody knows why", `UPDATE results SET reason = NULL WHERE state = 'parked'`, `SELECT id::text FROM results WHERE state = 'parked'`, "a result's state, attention and coupon"},

	{"result_chunks", "done, and its result is not", `UPDATE result_chunks SET done_at = now() WHERE done_at IS NULL`, `SELECT ` + pending + `::text`, "every pending result is in a chunk"},
	{"result_chunks", "one to be applied is gone", `DELETE FROM result_chunks WHERE done_at IS NULL`, `SELECT ` + pending + `::text`, "every pending result is in a chunk"},
	{"result_chunks", "a result that is not there", `UPDATE result_chunks SET result_ids = result_ids || -1::bigint WHERE done_at IS NULL`, "", "every pending result is in a chunk"},

	{"settlements", "another payout", `UPDATE settlements SET payout_after = payout_after + 1 WHERE coupon_id = ` + wonCoupon, itsID, "a settlement's transaction moved"},
	{"settlements", "another payout before", `UPDATE settlements SET payout_before = payout_before + 1 WHERE coupon_id = ` + twice + ` AND n = 2`, `SELECT ` + twice + `::text`, "settlements follow from each other"},
	{"settlements", "another number", `UPDATE settlements SET n = 9 WHERE coupon_id = ` + wonCoupon, itsID, "settlements follow from each other"},
	{"settlements", "another outcome", `UPDATE settlements SET outcome = 'lost' WHERE coupon_id = ` + wonCoupon, itsID, "a settlement's outcome fits"},
	{"settlements", "an earlier outcome", `UPDATE settlements SET outcome = 'lost' WHERE coupon_id = ` + twice + ` AND n = 1`, `SELECT ` + twice + `::text`, "a settlement's outcome fits"},
	{"settlements", "another result", `UPDATE settlements SET result_id = (SELECT id FROM results WHERE state = 'stale') WHERE coupon_id = ` + wonCoupon, itsID, "a settlement is of a coupon"},
	{"settlements", "no transaction", `UPDATE settlements SET transaction_id = NULL WHERE coupon_id = ` + wonCoupon, itsID, "a settlement's transaction moved"},
	{"settlements", "another transaction", `UPDATE settlements SET transaction_id = (SELECT transaction_id FROM settlements WHERE coupon_id = ` + byHand + `) WHERE coupon_id = ` + wonCoupon, itsID, "a settlement's outcome fits"},
	{"settlements", "by somebody else", `UPDATE settlements SET operator = 'x' WHERE coupon_id = ` + byHand, `SELECT ` + byHand + `::text`, "what a person decided about a result"},
	{"settlements", "by nobody any more", `UPDATE settlements SET operator = NULL, comment = NULL WHERE coupon_id = ` + byHand, `SELECT ` + byHand + `::text`, "a settlement's outcome fits"},
	{"settlements", "at another time", `UPDATE settlements SET at = at + interval '1 minute' WHERE coupon_id = ` + wonCoupon, itsID, "a coupon is settled when"},
	{"settlements", "the last is gone", `DELETE FROM settlements WHERE coupon_id = ` + twice + ` AND n = 3`, `SELECT ` + twice + `::text`, "every coupon stands where"},
	{"settlements", "one is doubled", `INSERT INTO settlements SELECT coupon_id, n + 1, result_id, outcome, payout_after, payout_after, NULL, operator, comment, at FROM settlements WHERE coupon_id = ` + wonCoupon, itsID, "every coupon stands where"},
	{"settlements", "rounded to another unit", `UPDATE settlements SET unit = 70000 WHERE coupon_id = ` + wonCoupon, itsID, "a settlement's outcome fits"},
	{"settlements", "a cancellation by a result", `UPDATE settlements SET result_id = ` + heldResult + ` WHERE coupon_id = ` + cancelled, `SELECT ` + cancelled + `::text`, "a settlement is of a coupon"},
	{"settlements", "a cancellation by somebody else", `UPDATE settlements SET operator = 'x' WHERE coupon_id = ` + cancelled, `SELECT ` + cancelled + `::text`, "what a person decided about a result"},
	{"settlements", "a cancellation of another sum", `UPDATE settlements SET payout_after = payout_after + 1 WHERE coupon_id = ` + cancelled, `SELECT ` + cancelled + `::text`, "a settlement's outcome fits"},
	{"settlements", "one of no coupon", `UPDATE settlements SET coupon_id = '00000000-0000-7000-8000-00000000000a' WHERE coupon_id = ` + wonCoupon, `SELECT '00000000-0000-7000-8000-00000000000a'`, "a settlement is of a coupon"},

	{"reversal_hours", "another count", `UPDATE reversal_hours SET count = count + 1`, "", "an hour's reversals"},
	{"reversal_hours", "another sum", `UPDATE reversal_hours SET amount = 0`, "", "an hour's reversals"},
	{"reversal_hours", "one is gone", `DELETE FROM reversal_hours`, "", "an hour's reversals"},
	{"reversal_hours", "an hour in which nothing was taken back", `INSERT INTO reversal_hours VALUES (date_trunc('hour', now()) - interval '9 hours', 'USD', 5, 5)`, "", "an hour's reversals"},

	{"activity_log", "who applied a result is gone", `DELETE FROM activity_log WHERE event = 'result_applied'`, `SELECT ` + byHand + `::text`, "what a person decided about a result"},
	{"activity_log", "a person said another payout", `UPDATE activity_log SET detail = detail || '{"payout": "999.00"}' WHERE event = 'result_applied'`,
		`SELECT ` + byHand + `::text`, "what a person decided about a result"},
	{"activity_log", "who cancelled a coupon is gone", `DELETE FROM activity_log WHERE event = 'coupon_cancelled'`, `SELECT ` + cancelled + `::text`, "what a person decided about a result"},
	{"activity_log", "who decided second is gone", `DELETE FROM activity_log WHERE event = 'approval.given'`, `SELECT id::text FROM approvals WHERE decided_at IS NOT NULL`, "a decision of two persons"},
	{"activity_log", "who decided second is somebody else", `UPDATE activity_log SET operator = 'one@example.com' WHERE event = 'approval.given'`,
		`SELECT id::text FROM approvals WHERE decided_at IS NOT NULL`, "a decision of two persons"},
	{"activity_log", "who refused a result is gone", `DELETE FROM activity_log WHERE event = 'result_refused'`, `SELECT id::text FROM results WHERE state = 'refused'`, "what a person decided about a result"},
	{"activity_log", "who approved an adjustment is somebody else", `UPDATE activity_log SET operator = 'one@example.com' WHERE event = 'adjustment_approved'`,
		`SELECT id::text FROM adjustments WHERE reference = 'a-big'`, "what was decided on an adjustment"},
}
