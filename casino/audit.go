package casino

import "evens/ledger"

// played are the kinds that a round consists of.
var played = ledger.Where(func(t ledger.Traits) bool { return t.Class == ledger.Games })

// keptOut are the kinds that keep an id from being used.
var keptOut = ledger.Where(func(t ledger.Traits) bool { return t.Class == ledger.KeptOut })

// Checks are the audit's rules about games.
var Checks = []ledger.Check{
	{Name: "every round has staked and won what its transactions moved", SQL: `
	WITH moved AS (
	    SELECT provider, round_id, player_id, sum(amount) AS total
	      FROM transactions
	     WHERE round_id IS NOT NULL AND kind IN (` + ledger.Where(func(t ledger.Traits) bool { return t.Class == ledger.Games || t.Class == ledger.GameUndone }) + `)
	     GROUP BY provider, round_id, player_id
	)
	SELECT format('%s %s', coalesce(r.provider, m.provider), coalesce(r.round_id, m.round_id)),
	       format('staked %s, won %s, moved %s', r.staked, r.won, m.total)
	  FROM rounds r FULL JOIN moved m USING (provider, round_id, player_id)
	 WHERE r.won - r.staked IS DISTINCT FROM m.total`},
	{Name: "a rollback gives back what was moved, once", SQL: `
	SELECT b.id::text, format('%s moved %s, rolled back by %s', o.amount, o.kind, b.amount)
	  FROM transactions b
	  LEFT JOIN transactions o ON o.source = regexp_replace(b.source, ':rollback$', '') AND o.external_id = b.external_id
	 WHERE b.kind = 'rollback'
	   AND (o.id IS NULL OR o.kind NOT IN (` + played + `) OR o.player_id <> b.player_id OR o.amount + b.amount <> 0)`},
	// Where a win is tied to its bet by the round. What reconciliation has taken back may be won all the same.
	{Name: "a win whose bets were all rolled back does not stand", SQL: `
	SELECT format('%s %s', r.provider, r.round_id), format('%s bets, all rolled back; %s wins of %s stand', r.bets, r.wins, r.won)
	  FROM rounds r
	 WHERE r.provider IN ('betao', 'naga') AND r.bets > 0 AND r.rolled_back = r.bets AND r.wins > 0
	   AND NOT EXISTS (SELECT FROM transactions x
	                    WHERE x.round_id = r.round_id AND x.player_id = r.player_id AND x.provider = r.provider AND x.kind = 'rollback'
	                      AND starts_with(x.comment, '` + healedBy + `'))`},
	{Name: "what is told of a bet besides its stake is of one", SQL: `
	SELECT d.transaction_id::text, format('jackpot %s of a %s of %s', d.jackpot_win, coalesce(t.kind, 'missing transaction'), t.amount)
	  FROM bet_details d LEFT JOIN transactions t ON t.id = d.transaction_id
	 WHERE t.kind IS DISTINCT FROM 'bet_win'`},
}
