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
	WITH won AS (
	    SELECT w.id, w.amount, coalesce(w.bonus_amount, 0) AS bonus, s.staked, s.bonus_staked
	      FROM transactions w
	     CROSS JOIN LATERAL (SELECT sum(x.staked) AS staked, sum(-coalesce(x.bonus_amount, 0)) AS bonus_staked
	                           FROM transactions x
	                          WHERE x.round_id = w.round_id AND x.player_id = w.player_id AND x.provider = w.provider
	                            AND x.kind = 'bet' AND x.staked > 0 AND x.id < w.id
	                            AND NOT EXISTS (SELECT FROM transactions u WHERE u.source = x.source || ':` + rollbacks + `' AND u.external_id = x.external_id AND u.id < w.id)) s
	     WHERE w.kind = 'win' AND w.amount > 0 AND w.round_id IS NOT NULL AND w.provider IN ('betao', 'naga')
	    UNION ALL
	    SELECT w.id, w.amount, coalesce(w.bonus_amount, 0), s.staked, s.bonus_staked
	      FROM transactions w
	     CROSS JOIN LATERAL (SELECT x.staked, -coalesce(x.bonus_amount, 0) AS bonus_staked
	                           FROM transactions x
	                          WHERE x.player_id = w.player_id AND x.provider = w.provider AND x.kind = 'bet' AND x.staked > 0 AND x.id < w.id
	                            AND (x.external_id = w.external_id OR x.game_id = w.game_id AND x.at > w.at - interval '23 hours')
	                            AND NOT EXISTS (SELECT FROM transactions u WHERE u.source = x.source || ':` + rollbacks + `' AND u.external_id = x.external_id AND u.id < w.id)
	                          ORDER BY x.external_id = w.external_id DESC, x.id DESC LIMIT 1) s
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
