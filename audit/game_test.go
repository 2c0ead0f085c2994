package audit_test

const (
	ofRound = `provider = 'betao' AND round_id = 'bo-r1'`
	aRound  = `SELECT 'betao bo-r1'`
	counts  = "every round counts"
)

var gameCorruptions = []corruption{
	{"rounds", "another count of bets", `UPDATE rounds SET bets = bets + 1 WHERE ` + ofRound, aRound, counts},
	{"rounds", "another count of wins", `UPDATE rounds SET wins = wins + 1 WHERE ` + ofRound, aRound, counts},
	{"rounds", "a bet rolled back that was not", `UPDATE rounds SET rolled_back = 1 WHERE ` + ofRound, aRound, counts},
	{"rounds", "another stake", `UPDATE rounds SET staked = staked + 1 WHERE ` + ofRound, aRound, "every round has staked and won"},
	{"rounds", "another win", `UPDATE rounds SET won = won + 1 WHERE ` + ofRound, aRound, "every round has staked and won"},
	{"rounds", "stake and win moved together", `UPDATE rounds SET won = won + 1, staked = staked + 1 WHERE ` + ofRound, aRound, counts},
	{"rounds", "another part of the bonus", `UPDATE rounds SET bonus_staked = bonus_staked + 1 WHERE ` + ofRound, aRound, counts},
	{"rounds", "a bonus that did not pay", `UPDATE rounds SET bonus_id = ` + aBonus + ` WHERE ` + ofRound, aRound, counts},
	{"rounds", "a bonus that is forgotten", `UPDATE rounds SET bonus_id = NULL WHERE round_id = 'bb-r1'`, `SELECT 'betao bb-r1'`, counts},
	{"rounds", "another bonus", `UPDATE rounds SET bonus_id = (SELECT id FROM bonuses WHERE status = 'active') WHERE round_id = 'bb-r1'`, `SELECT 'betao bb-r1'`, counts},
	{"rounds", "another game", `UPDATE rounds SET game_id = 'other' WHERE ` + ofRound, aRound, "a round is of the game"},
	{"rounds", "opened at another time", `UPDATE rounds SET opened_at = opened_at - interval '1 hour' WHERE ` + ofRound, aRound, counts},
	{"rounds", "closed before it was opened", `UPDATE rounds SET closed_at = opened_at - interval '1 hour' WHERE ` + ofRound, aRound, counts},
	{"rounds", "another player's", `UPDATE rounds SET player_id = ` + ben + ` WHERE ` + ofRound, aRound, counts},
	{"rounds", "another provider's", `UPDATE rounds SET provider = 'tg' WHERE ` + ofRound, `SELECT 'tg bo-r1'`, counts},
	{"rounds", "one is gone", `DELETE FROM rounds WHERE ` + ofRound, aRound, counts},
	{"rounds", "one without movements", `INSERT INTO rounds (provider, round_id, player_id, game_id, bets, rolled_back, wins, staked, won, opened_at) VALUES ('betao', 'new', ` + ana + `, '', 0, 0, 0, 0, 0, now())`,
		`SELECT 'betao new'`, counts},
	{"rounds", "one of no bet is gone", `DELETE FROM rounds WHERE round_id = 'bo-r5'`, `SELECT 'betao bo-r5'`, counts},

	{"transactions", "a win whose bet was refused", `UPDATE transactions SET external_id = 'bn-other' WHERE source IN ('betron', 'betron:win') AND external_id = 'bn-1';
		UPDATE transactions SET kind = 'refused' WHERE source = 'betron' AND external_id = 'bn-other'`,
		`SELECT id::text FROM transactions WHERE source = 'betron:win' AND external_id = 'bn-1'`, "a win of a bet's own id"},
	{"transactions", "a win whose bet had been taken back", `UPDATE transactions SET external_id = 'bn-2' WHERE source = 'betron:win' AND external_id = 'bn-1';
		UPDATE transactions SET id = '00000000-0000-7000-8000-00000000000b' WHERE source = 'betron:rollback' AND external_id = 'bn-2'`,
		`SELECT id::text FROM transactions WHERE source = 'betron:win' AND external_id = 'bn-1'`, "a win of a bet's own id"},
	{"transactions", "a rollback of another sum", `UPDATE transactions SET amount = amount + 1 WHERE source = 'betao:rollback' AND external_id = 'bo-3'`,
		`SELECT id::text FROM transactions WHERE source = 'betao:rollback' AND external_id = 'bo-3'`, "a rollback gives back"},
	{"transactions", "a round's win in another pocket", `UPDATE transactions SET bonus_amount = amount, bonus_id = ` + aBonus + ` WHERE source = 'betao' AND external_id = 'bo-2'`,
		`SELECT id::text FROM transactions WHERE source = 'betao' AND external_id = 'bo-2'`, "a win goes into the pockets"},
	{"transactions", "a win in another pocket than its latest bet", `UPDATE transactions SET bonus_amount = amount, bonus_id = ` + aBonus + ` WHERE source = 'betron:win' AND external_id = 'bn-1'`,
		`SELECT id::text FROM transactions WHERE source = 'betron:win' AND external_id = 'bn-1'`, "a win goes into the pockets"},
	{"bet_names", "one that leads nowhere", `INSERT INTO bet_names (source, name, id) VALUES ('tg:other', 't-1', 'nowhere')`, `SELECT 'tg:other t-1'`, "a second name of a bet"},
	{"bet_details", "of no bet", `UPDATE bet_details SET transaction_id = '00000000-0000-7000-8000-00000000000a'`, `SELECT '00000000-0000-7000-8000-00000000000a'`, "what is told of a bet"},
	{"bet_details", "of a bet without its win", `UPDATE bet_details SET transaction_id = (SELECT id FROM transactions WHERE ` + ofBet + `)`, idOfBet, "what is told of a bet"},
	{"transactions", "a win's rollback, a bet's", `UPDATE transactions SET source = 'betron:rollback' WHERE source = 'betron:win:rollback'`,
		`SELECT id::text FROM transactions WHERE source = 'betron:win:rollback'`, "a rollback gives back"},
	{"transactions", "what came late, another provider's", `UPDATE transactions SET provider = 'tg' WHERE source = 'betao:late'`, `SELECT id::text FROM transactions WHERE source = 'betao:late'`, "a movement of a game has the key"},

	{"game_sessions", "another currency", `UPDATE game_sessions SET currency = 'EUR' WHERE mode = 'real'`, `SELECT id::text FROM game_sessions WHERE mode = 'real'`, "a game session is its player's"},
	{"game_sessions", "of nobody", `UPDATE game_sessions SET player_id = '00000000-0000-7000-8000-00000000000a' WHERE mode = 'real'`, `SELECT id::text FROM game_sessions WHERE mode = 'real'`, "a game session is its player's"},
	{"game_sessions", "ended before it began", `UPDATE game_sessions SET ended_at = created_at - interval '1 hour' WHERE mode = 'demo'`, `SELECT id::text FROM game_sessions WHERE mode = 'demo'`, "a game session is its player's"},

	{"notices", "done at no time", `UPDATE notices SET done_at = NULL WHERE transaction_id = 'nt-1'`, `SELECT 'betao nt-1'`, "a notice that has ended"},
	{"notices", "pending, and done", `UPDATE notices SET state = 'pending' WHERE transaction_id = 'nt-1'`, `SELECT 'betao nt-1'`, "a notice that has ended"},
	{"notices", "refused for no reason", `UPDATE notices SET reason = NULL WHERE transaction_id = 'nt-2'`, `SELECT 'betao nt-2'`, "a notice that has ended"},
	{"notices", "done with a reason not to", `UPDATE notices SET state = 'done' WHERE transaction_id = 'nt-2'`, `SELECT 'betao nt-2'`, "a notice that has ended"},
	{"notices", "pending for days", `UPDATE notices SET received_at = received_at - interval '5 days' WHERE transaction_id = 'nt-3'`, `SELECT 'betao nt-3'`, "a notice that has ended"},
}
