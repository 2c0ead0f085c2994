package casino

import (
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"evens/ledger"
)

// What the rounds of bets have won and not lost again. Indexes: transactions_key, transactions_round.
const readWon = `
	SELECT w.id, w.source, w.external_id, w.provider, w.round_id, w.player_id, w.amount, coalesce(w.bonus_amount, 0), w.bonus_id,
	       coalesce(w.contribution, 0), coalesce(w.staked, 0), w.effective_at
	  FROM unnest($1::text[], $2::text[]) k (source, external_id)
	  JOIN transactions o ON o.source = k.source AND o.external_id = k.external_id AND o.kind = 'bet'
	  JOIN transactions w ON w.round_id = o.round_id AND w.player_id = o.player_id AND w.provider = o.provider AND w.kind = 'win'
	 WHERE NOT EXISTS (SELECT FROM transactions b WHERE b.source = w.source || ':rollback' AND b.external_id = w.external_id)
	 ORDER BY w.id`

func (s *roundSet) scanWon(rows pgx.Rows) error {
	for rows.Next() {
		win := &ledger.Transaction{Kind: ledger.Win}
		var effective pgtype.Timestamptz
		err := rows.Scan(&win.ID, &win.Source, &win.ExternalID, &win.Provider, &win.Round, &win.Player, &win.Amount, &win.Bonus, &win.BonusID,
			&win.Contribution, &win.Staked, &effective)
		if err != nil {
			return err
		}
		win.Effective = effective.Time
		s.keepWin(roundKey{win.Provider, win.Round, win.Player}, win)
	}
	return rows.Err()
}

// lateSpace is that of notes which tie a bet to its round that came after its rollback: the rollback
// did not name the round.
const lateSpace = "late"

// Index: transactions_round.
const readLate = `
	SELECT DISTINCT k.provider, k.round_id, k.player_id, t.source = k.provider || ':' || '` + lateSpace + `'
	  FROM unnest($1::text[], $2::text[], $3::uuid[]) k (provider, round_id, player_id)
	  JOIN transactions t ON t.round_id = k.round_id AND t.player_id = k.player_id AND t.provider = k.provider
	 WHERE t.source = k.provider || ':' || '` + lateSpace + `' OR t.kind = 'rollback' AND t.comment = '` + bereft + `'`

// queueLate asks which rounds have had a bet that came after its rollback, and which lost their wins with their bets.
func (s *roundSet) queueLate(statements *pgx.Batch, keys []roundKey) {
	askOfRounds(statements, readLate, keys, func(rows pgx.Rows) error {
		var key roundKey
		var player uuid.UUID
		var late bool
		_, err := pgx.ForEachRow(rows, []any{&key.provider, &key.id, &player, &late}, func() error {
			if of := (roundKey{key.provider, key.id, player}); late {
				s.late[of] = true
			} else {
				s.bereft[of] = true
			}
			return nil
		})
		return err
	})
}
