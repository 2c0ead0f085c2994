package casino

import "evens/ledger"

// RoundChecks are the audit's rules about rounds, sessions and notices.
var RoundChecks = []ledger.Check{
	{Name: "every round counts the bets, wins and stakes of its transactions", SQL: `
	WITH played AS (
	    SELECT x.provider, x.round_id, x.player_id, x.kind, x.amount, x.at, x.bonus_id, b.id IS NOT NULL AS undone,
	           coalesce(t.stake, 0) AS stake, coalesce(t.bonus_stake, 0) AS bonus_stake
	      FROM transactions x
	      LEFT JOIN transactions b ON b.kind = 'rollback' AND b.source IN (x.source || ':rollback', x.provider || ':rollback') AND b.external_id = x.external_id
	                              AND b.payload_hash = substr(sha256(convert_to('rollback', 'UTF8') || '\x00' || convert_to(x.id::text, 'UTF8') || '\x00'), 1, 16)
	      LEFT JOIN (SELECT f.transaction_id, sum(f.amount) AS stake, sum(f.amount) FILTER (WHERE a.kind = 'bonus') AS bonus_stake
	                   FROM transfers f JOIN accounts a ON a.id = f.debit_account AND a.player_id IS NOT NULL
	                  GROUP BY f.transaction_id) t ON t.transaction_id = x.id
	     WHERE x.round_id IS NOT NULL AND x.kind IN (` + played + `)
	), counted AS (
	    SELECT provider, round_id, player_id,
	           count(*) FILTER (WHERE kind <> 'win') AS bets,
	           count(*) FILTER (WHERE kind <> 'win' AND undone) AS rolled_back,
	           count(*) FILTER (WHERE kind <> 'bet' AND NOT undone) AS wins,
	           coalesce(sum(stake) FILTER (WHERE kind = 'bet' AND NOT undone OR kind = 'bet_win'), 0) AS staked,
	           coalesce(sum(bonus_stake) FILTER (WHERE kind = 'bet' AND NOT undone OR kind = 'bet_win'), 0) AS bonus_staked,
	           coalesce(sum(CASE WHEN kind = 'bet_win' THEN amount + stake ELSE amount END) FILTER (WHERE kind <> 'bet'), 0)
	           - coalesce(sum(amount) FILTER (WHERE kind <> 'bet' AND undone), 0) AS won,
	           array_agg(at) AS times,
	           array_agg(bonus_id) FILTER (WHERE (kind = 'bet' OR kind = 'bet_win' AND stake > 0) AND bonus_id IS NOT NULL) AS bonuses,
	           array_agg(bonus_id) FILTER (WHERE kind = 'bet_win' AND stake = 0 AND bonus_id IS NOT NULL) AS free -- wins of an earlier round's bonus
	      FROM played GROUP BY provider, round_id, player_id
	)
	SELECT format('%s %s', coalesce(r.provider, k.provider), coalesce(r.round_id, k.round_id)),
	       format('bets %s, rolled back %s, wins %s, staked %s (bonus %s), won %s; its transactions say %s, %s, %s, %s (%s), %s',
	              r.bets, r.rolled_back, r.wins, r.staked, r.bonus_staked, r.won, k.bets, k.rolled_back, k.wins, k.staked, k.bonus_staked, k.won)
	  FROM rounds r FULL JOIN counted k USING (provider, round_id, player_id)
	 WHERE (r.bets, r.rolled_back, r.wins, r.staked, r.bonus_staked, r.won) IS DISTINCT FROM
	       (k.bets, k.rolled_back, k.wins, k.staked, k.bonus_staked, k.won)
	    OR r.opened_at <> ALL (k.times) OR r.closed_at < r.opened_at
	    OR r.bonus_id IS NULL AND k.bonuses IS NOT NULL
	    OR r.bonus_id IS NOT NULL AND r.bonus_id <> ALL (coalesce(k.bonuses, '{}') || coalesce(k.free, '{}'))`},
	{Name: "a round is of the game that it was opened on", SQL: `
	SELECT r.provider || ' ' || r.round_id, format('of %s, opened by %s on %s', r.game_id, x.kind, x.game_id)
	  FROM rounds r
	  JOIN (SELECT DISTINCT ON (provider, round_id, player_id) * FROM transactions
	         WHERE round_id IS NOT NULL AND kind IN (` + played + `) ORDER BY provider, round_id, player_id, id) x USING (provider, round_id, player_id)
	 WHERE coalesce(x.game_id, '') <> r.game_id`},
	{Name: "a game session is its player's, in the player's currency, and ends after it began", SQL: `
	SELECT s.id::text, format('player %s, %s, made at %s, ended at %s', s.player_id, s.currency, s.created_at, s.ended_at)
	  FROM game_sessions s LEFT JOIN players p ON p.id = s.player_id
	 WHERE p.currency IS DISTINCT FROM s.currency OR s.expires_at <= s.created_at OR s.ended_at < s.created_at`},
	{Name: "a notice that has ended says when, a refused one why, and none waits for days", SQL: `
	SELECT n.provider || ' ' || n.transaction_id, format('%s, received at %s, done at %s, %s', n.state, n.received_at, n.done_at, n.reason)
	  FROM notices n
	 WHERE (n.state = 'pending') <> (n.done_at IS NULL) OR (n.state = 'refused') <> (n.reason IS NOT NULL) OR n.done_at < n.received_at
	    OR n.state = 'pending' AND n.received_at < ` + ledger.Now + ` - interval '2 days'`},
}
