package ledger

import (
	"fmt"
	"strings"
)

// ShapeChecks are the rules about what each kind of transaction may look like. What is
// particular to a kind stands in kinds.
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
	      FROM (VALUES` + ways() + `) w (kind, debit, credit),
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
	 WHERE x.kind IN (` + ofGames + `)
	   AND (split_part(x.source, ':', 1) IS DISTINCT FROM x.provider
	        OR (x.kind IN (` + Where(func(t Traits) bool { return t.Class == GameUndone }) + `)) <> (x.source LIKE '%:rollback'))`},
	{"every other movement has the key of its kind", `
	SELECT x.id::text, format('%s under %s %s', x.kind, x.source, x.external_id)
	  FROM transactions x
	 WHERE x.kind NOT IN (` + ofGames + `)
	   AND CASE x.kind` + wrongKeys() + `
	       ELSE true END`},
}

var ofGames = Where(func(t Traits) bool { return t.Class.OfGames() })

// ways are the ways of every kind as rows; pocket stands for a player's cash or bonus.
func ways() string {
	var rows []string
	for _, kind := range Kinds(func(Traits) bool { return true }) {
		for _, way := range kinds[kind].Ways {
			rows = append(rows, fmt.Sprintf("\n\t    ('%s', '%s', '%s')", kind, way.From, way.To))
		}
	}
	return strings.Join(rows, ",")
}

// wrongKeys are the branches that say of each kind with keys of its own which are wrong.
func wrongKeys() string {
	var branches strings.Builder
	for _, kind := range Kinds(func(t Traits) bool { return t.WrongKey != "" }) {
		fmt.Fprintf(&branches, "\n\t       WHEN '%s' THEN %s", kind, kinds[kind].WrongKey)
	}
	return branches.String()
}
