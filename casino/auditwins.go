package casino

import "evens/ledger"

// WinChecks are the audit's rules about what a win is for, and about the names of bets. Where a person has
// been shown what two messages leave open, the books are as they were told to be.
var WinChecks = []ledger.Check{
	{Name: "a win of a bet's own id was paid while the bet stood", SQL: `
	SELECT w.id::text, format('won %s, and the bet of its id was %s', w.amount, CASE b.kind WHEN 'bet' THEN 'rolled back before' ELSE b.kind END)
	  FROM transactions w
	  JOIN transactions b ON b.source = w.provider AND b.external_id = w.external_id AND b.player_id = w.player_id
	  LEFT JOIN transactions u ON u.source = b.source || ':` + rollbacks + `' AND u.external_id = b.external_id
	 WHERE w.kind = 'win' AND w.source = w.provider || ':win' AND w.amount > 0
	   AND (b.kind IN (` + keptOut + `) AND b.id < w.id
	        OR b.kind = 'bet' AND u.id < w.id AND NOT starts_with(coalesce(u.comment, ''), '` + healedBy + `'))
	   AND NOT EXISTS (SELECT FROM breaks k WHERE k.provider = w.provider AND k.transaction_id = w.external_id)`},
	// The share of a stake that both pockets paid changes with the round; all of one pocket's is all of it.
	{Name: "a win goes into the pockets that paid its stake", SQL: `
	WITH undone AS MATERIALIZED (
	    SELECT source, external_id, id FROM transactions WHERE source LIKE '%:` + rollbacks + `'
	), bets AS MATERIALIZED (
	    SELECT x.id, x.provider, x.player_id, x.external_id, x.round_id, x.at, x.staked, -coalesce(x.bonus_amount, 0) AS bonus_staked, u.id AS undone
	      FROM transactions x LEFT JOIN undone u ON u.source = x.source || ':` + rollbacks + `' AND u.external_id = x.external_id
	     WHERE x.kind = 'bet' AND x.staked > 0 AND x.provider IN ('betao', 'naga', 'betron')
	), latest AS ( -- of a win that names no round: the bet before it on its game
	    SELECT id, kind, max(CASE kind WHEN 'bet' THEN id::text END) OVER (PARTITION BY player_id, game_id ORDER BY id)::uuid AS bet
	      FROM transactions
	     WHERE provider = 'betron' AND (kind = 'bet' AND staked > 0 OR kind = 'win' AND round_id IS NULL)
	), won AS (
	    SELECT w.id, w.amount, coalesce(w.bonus_amount, 0) AS bonus, sum(b.staked) AS staked, sum(b.bonus_staked) AS bonus_staked
	      FROM transactions w
	      JOIN bets b ON b.round_id = w.round_id AND b.player_id = w.player_id AND b.provider = w.provider AND b.id < w.id AND (b.undone IS NULL OR b.undone >= w.id)
	     WHERE w.kind = 'win' AND w.amount > 0 AND w.round_id IS NOT NULL AND w.provider IN ('betao', 'naga')
	     GROUP BY w.id, w.amount, w.bonus_amount
	    UNION ALL
	    SELECT w.id, w.amount, coalesce(w.bonus_amount, 0), coalesce(own.staked, b.staked), coalesce(own.bonus_staked, b.bonus_staked)
	      FROM transactions w
	      JOIN latest l ON l.id = w.id
	      LEFT JOIN bets own ON own.provider = w.provider AND own.player_id = w.player_id AND own.external_id = w.external_id AND own.id < w.id AND (own.undone IS NULL OR own.undone >= w.id)
	      LEFT JOIN bets b ON b.id = l.bet AND b.at > w.at - interval '23 hours' AND (b.undone IS NULL OR b.undone >= w.id)
	     WHERE w.kind = 'win' AND w.amount > 0 AND w.round_id IS NULL AND w.source = 'betron:win' AND NOT starts_with(coalesce(w.comment, ''), '` + healedBy + `')
	)
	SELECT id::text, format('won %s, of it bonus %s; staked %s, of it bonus %s', amount, bonus, staked, bonus_staked)
	  FROM won
	 WHERE bonus_staked = 0 AND bonus <> 0 OR bonus_staked = staked AND bonus <> amount`},
	{Name: "a second name of a bet leads to one", SQL: `
	SELECT n.source || ' ' || n.name, format('leads to %s, which there is not', n.id)
	  FROM bet_names n
	 WHERE NOT EXISTS (SELECT FROM transactions t WHERE t.source = split_part(n.source, ':', 1) AND t.external_id = n.id)`},
}
