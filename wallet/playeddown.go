package wallet

import (
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"evens/internal/postgres"
)

// openGame is for how long a bet that has won nothing yet may still win: not every platform says that a bet
// is lost.
const openGame = 24 * time.Hour

// Players whose active bonus has paid for what is not decided yet. Indexes: bonuses_active, coupons_player,
// transactions_player, rounds_pkey.
const readStakesOut = `
	SELECT b.player_id
	  FROM unnest($1::uuid[], $2::uuid[]) k (player_id, since)
	  JOIN bonuses b ON b.player_id = k.player_id AND b.status = 'active'
	 WHERE EXISTS (SELECT FROM coupons c
	                WHERE c.player_id = b.player_id AND c.bonus_id = b.id AND c.bonus_stake > 0 AND c.status IN ('placing', 'accepted', 'unconfirmed'))
	    OR EXISTS (SELECT FROM transactions x
	                WHERE x.player_id = b.player_id AND x.id >= k.since AND x.bonus_id = b.id AND x.kind = 'bet' AND x.bonus_amount < 0
	                  AND NOT EXISTS (SELECT FROM transactions u WHERE u.source = x.source || ':rollback' AND u.external_id = x.external_id)
	                  AND NOT EXISTS (SELECT FROM rounds r
	                                   WHERE r.provider = x.provider AND r.round_id = x.round_id AND r.player_id = x.player_id
	                                     AND r.wins >= r.bets - r.rolled_back))`

// grantReader reads what a grant asks beyond the player's purse.
type grantReader struct{}

// QueueReads implements Reader.
func (*grantReader) QueueReads(statements *pgx.Batch, batch *Batch, works []*Work) {
	players, since := make([]pgtype.UUID, 0, len(works)), make([]pgtype.UUID, 0, len(works))
	batch.stakesOut = make(map[uuid.UUID]bool)
	for _, work := range works {
		for _, player := range work.Players {
			batch.stakesOut[player] = false
			players, since = append(players, postgres.UUID(player)), append(since, postgres.UUID(postgres.IDAt(work.At.Add(-openGame))))
		}
	}
	statements.Queue(readStakesOut, postgres.Array(players), postgres.Array(since)).Query(func(rows pgx.Rows) error {
		var player uuid.UUID
		_, err := pgx.ForEachRow(rows, []any{&player}, func() error {
			batch.stakesOut[player] = true
			return nil
		})
		return err
	})
}

var grants = &grantReader{}

const playedDownComment = "played down to nothing"

// playedDown reports whether nothing is left of the active bonus, and nothing can come back to it.
func (b *Batch) playedDown(a *allowance) bool {
	out, asked := b.stakesOut[a.player]
	return asked && !out && b.Purse(a.player).Bonus.Balance == 0
}
