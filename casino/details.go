package casino

import (
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"evens/internal/postgres"
)

// betDetails is a line of the table bet_details.
type betDetails struct {
	transaction uuid.UUID
	Details
}

// detail keeps what a platform has said of a bet besides its money, where it has said something.
func (s *roundSet) detail(transaction uuid.UUID, i instruction) {
	if i.details.tells(i.stake) {
		s.details = append(s.details, betDetails{transaction, i.details})
	}
}

const writeDetails = `
	INSERT INTO bet_details (transaction_id, valid_stake, jackpot_win)
	SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::bigint[])`

func (s *roundSet) queueDetails(batch *pgx.Batch) {
	n := len(s.details)
	if n == 0 {
		return
	}
	ids, valid, jackpots := make([]uuid.UUID, n), make([]pgtype.Int8, n), make([]int64, n)
	for i, d := range s.details {
		ids[i], jackpots[i] = d.transaction, int64(d.JackpotWin)
		if d.ValidStake != nil {
			valid[i] = pgtype.Int8{Int64: int64(*d.ValidStake), Valid: true}
		}
	}
	batch.Queue(writeDetails, postgres.UUIDs(ids), postgres.Array(valid), jackpots)
}
