package ledger

// ShapeChecks are the rules about what each kind of transaction may look like. They know the house's kinds and
// keys, and hold of what its packages write.
var ShapeChecks = []Check{
	{"every player has a pocket of cash and one of bonus, in the player's currency", `
	SELECT coalesce(p.id, a.player_id)::text, format('pockets %s, the player has %s', a.pockets, coalesce(p.currency, 'no row'))
	  FROM players p
	  FULL JOIN (SELECT player_id, string_agg(kind || ' ' || currency, ', ' ORDER BY kind) AS pockets
	               FROM accounts WHERE player_id IS NOT NULL GROUP BY player_id) a ON a.player_id = p.id
	 WHERE a.pockets IS DISTINCT FROM 'bonus ' || p.currency || ', cash ' || p.currency`},
	{"the house has its accounts in every currency", `
	SELECT c.currency || ' ' || k.kind, 'missing'
	  FROM (SELECT DISTINCT currency FROM accounts) c
	 CROSS JOIN (SELECT DISTINCT kind FROM accounts WHERE player_id IS NULL) k
	 WHERE NOT EXISTS (SELECT FROM accounts a WHERE a.player_id IS NULL AND a.currency = c.currency AND a.kind = k.kind)`},
	{"the transfers of a transaction are numbered, and of its time", `
	SELECT transaction_id::text, format('leg %s at place %s', leg, place)
	  FROM (SELECT t.transaction_id, t.leg, row_number() OVER (PARTITION BY t.transaction_id ORDER BY t.leg) AS place, t.at, x.at AS told
	          FROM transfers t JOIN transactions x ON x.id = t.transaction_id) t
	 WHERE leg <> place OR at <> told`},
	{"a transaction's balances are those that its transfers led to", `
	WITH ` + moves + `, last AS (
	    SELECT DISTINCT ON (m.transaction_id, m.account) m.transaction_id, a.kind, m.balance_after
	      FROM moves m JOIN accounts a ON a.id = m.account
	     ORDER BY m.transaction_id, m.account, m.leg DESC
	)
	SELECT x.id::text, format('%s after it %s, its transfers led to %s', l.kind, CASE l.kind WHEN 'cash' THEN x.cash_after ELSE x.bonus_after END, l.balance_after)
	  FROM last l JOIN transactions x ON x.id = l.transaction_id
	 WHERE l.balance_after IS DISTINCT FROM CASE l.kind WHEN 'cash' THEN x.cash_after ELSE x.bonus_after END`},
	{"a transfer tells a balance and a version where it touches a player's account, and only there", `
	SELECT t.transaction_id::text, format('leg %s: balance %s, version %s', t.leg, t.balance_after, t.account_version)
	  FROM transfers t JOIN accounts d ON d.id = t.debit_account JOIN accounts c ON c.id = t.credit_account
	 WHERE num_nonnulls(t.balance_after, t.account_version) <> 2 * num_nonnulls(d.player_id, c.player_id)`},
	{"each kind of transaction moves between the accounts that it is for", `
	WITH ways AS (
	    SELECT w.kind, d.kind AS debit, c.kind AS credit
	      FROM (VALUES` + ways + `) w (kind, debit, credit),
	           unnest(CASE w.debit WHEN 'pocket' THEN '{cash,bonus}' ELSE ARRAY[w.debit] END) d (kind),
	           unnest(CASE w.credit WHEN 'pocket' THEN '{cash,bonus}' ELSE ARRAY[w.credit] END) c (kind)
	)
	SELECT x.id::text, format('%s: leg %s from %s to %s', x.kind, t.leg, d.kind, c.kind)
	  FROM transfers t
	  JOIN transactions x ON x.id = t.transaction_id
	  JOIN accounts d ON d.id = t.debit_account
	  JOIN accounts c ON c.id = t.credit_account
	  LEFT JOIN ways w ON w.kind = x.kind AND w.debit = d.kind AND w.credit = c.kind
	 WHERE w.kind IS NULL`},
	{"a movement of a game has the key of its provider", `
	SELECT x.id::text, format('%s of %s under %s', x.kind, coalesce(x.provider, 'nobody'), x.source)
	  FROM transactions x
	 WHERE x.kind IN ('bet', 'win', 'bet_win', 'rollback', 'refused', 'tombstone')
	   AND (split_part(x.source, ':', 1) IS DISTINCT FROM x.provider OR (x.kind = 'rollback') <> (x.source LIKE '%:rollback'))`},
	{"every other movement has the key of its kind", `
	SELECT x.id::text, format('%s under %s %s', x.kind, x.source, x.external_id)
	  FROM transactions x
	 WHERE x.kind NOT IN ('bet', 'win', 'bet_win', 'rollback', 'refused', 'tombstone')
	   AND CASE x.kind
	       WHEN 'deposit' THEN x.source <> 'cashier'
	       WHEN 'withdrawal' THEN x.source <> 'cashier'
	       WHEN 'withdrawal_paid' THEN x.source <> 'cashier:paid'
	       WHEN 'withdrawal_return' THEN x.source NOT IN ('cashier:returned', 'cashier:failed', 'cashier:unreserved')
	       WHEN 'deposit_return' THEN x.source NOT IN ('cashier:returned', 'cashier:unreserved')
	       WHEN 'suspense' THEN x.source <> 'cashier:suspense'
	       WHEN 'suspense_end' THEN x.source <> 'cashier:suspense_end'
	       WHEN 'adjustment' THEN x.source <> 'adjustment'
	       WHEN 'stake' THEN x.source <> 'coupon' OR x.external_id IS DISTINCT FROM x.coupon_id || ':stake'
	       WHEN 'refund' THEN NOT (x.source = 'coupon' AND x.external_id IS NOT DISTINCT FROM x.coupon_id || ':return'
	                               OR x.source = 'settlement' AND x.external_id IS NOT DISTINCT FROM x.coupon_id || ':1')
	       WHEN 'payout' THEN x.source <> 'settlement' OR x.external_id IS DISTINCT FROM x.coupon_id || ':1'
	       WHEN 'loss' THEN x.source <> 'settlement' OR x.external_id IS DISTINCT FROM x.coupon_id || ':1'
	       WHEN 'resettlement' THEN x.coupon_id IS NULL
	                                OR NOT (x.source = 'settlement' AND x.external_id LIKE x.coupon_id || ':%'
	                                        OR x.source = 'coupon' AND x.external_id = x.coupon_id || ':stake:2')
	       WHEN 'bonus' THEN x.source <> 'bonus' OR x.external_id IS DISTINCT FROM x.bonus_id || ':grant'
	       WHEN 'bonus_correction' THEN x.bonus_id IS NULL OR x.source <> 'bonus'
	                                    OR NOT (x.external_id LIKE x.bonus_id || ':after:%' OR x.external_id ~ ('^' || x.bonus_id || ':reopened:[1-9][0-9]*$'))
	       ELSE x.bonus_id IS NULL OR x.source <> 'bonus' OR x.external_id !~ ('^' || x.bonus_id || ':end(:[1-9][0-9]*)?$') END`},
}

// ways lists from which account to which each kind of transaction may move money; pocket stands for a
// player's cash or bonus. Another kind of transaction, or another way, gets its line here.
const ways = `
	    ('deposit', 'cashier', 'cash'), ('deposit', 'suspense', 'cash'), ('deposit_return', 'cash', 'cashier'), ('deposit_return', 'cash', 'suspense'),
	    ('withdrawal', 'cash', 'cashier'), ('withdrawal', 'cash', 'withdrawals_held'),
	    ('withdrawal_paid', 'withdrawals_held', 'cashier'), ('withdrawal_paid', 'withdrawals_held', 'suspense'),
	    ('withdrawal_paid', 'cash', 'cashier'), ('withdrawal_paid', 'cash', 'suspense'),
	    ('withdrawal_return', 'withdrawals_held', 'cash'), ('withdrawal_return', 'cashier', 'cash'), ('withdrawal_return', 'suspense', 'cash'),
	    ('suspense', 'cashier', 'suspense'), ('suspense', 'suspense', 'cashier'),
	    ('suspense_end', 'suspense', 'cashier'), ('suspense_end', 'cashier', 'suspense'),
	    ('suspense_end', 'suspense', 'adjustments'), ('suspense_end', 'adjustments', 'suspense'),
	    ('stake', 'pocket', 'stakes_held'), ('refund', 'stakes_held', 'pocket'), ('loss', 'stakes_held', 'sportsbook'),
	    ('payout', 'stakes_held', 'sportsbook'), ('payout', 'sportsbook', 'pocket'),
	    ('resettlement', 'sportsbook', 'pocket'), ('resettlement', 'pocket', 'sportsbook'), ('resettlement', 'pocket', 'stakes_held'),
	    ('bet', 'pocket', 'casino'), ('win', 'casino', 'pocket'), ('bet_win', 'pocket', 'casino'), ('bet_win', 'casino', 'pocket'),
	    ('rollback', 'pocket', 'casino'), ('rollback', 'casino', 'pocket'),
	    ('adjustment', 'adjustments', 'cash'), ('adjustment', 'cash', 'adjustments'),
	    ('bonus', 'promotions', 'bonus'), ('bonus_conversion', 'bonus', 'promotions'), ('bonus_conversion', 'promotions', 'cash'),
	    ('bonus_expiry', 'bonus', 'promotions'), ('bonus_expiry', 'promotions', 'bonus'),
	    ('bonus_forfeiture', 'bonus', 'promotions'), ('bonus_forfeiture', 'promotions', 'bonus'),
	    ('bonus_correction', 'pocket', 'promotions'), ('bonus_correction', 'promotions', 'pocket')`
