package wallet

import (
	"errors"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"evens/internal/postgres"
	"evens/ledger"
)

// Index: transactions_rare.
var readDepositors = `
	SELECT p.id FROM unnest($1::uuid[]) p (id)
	 WHERE EXISTS (SELECT FROM transactions t
	                WHERE t.player_id = p.id AND t.kind IN (` + deposits + `)
	                  AND ` + ledger.RareKinds + `)`

type depositorsKey struct{}

// depositors are the players who have deposited, as far as a batch has looked.
type depositors map[uuid.UUID]bool

// Queue implements RowSet: there is nothing to write.
func (depositors) Queue(*pgx.Batch) {}

func depositorsOf(batch *Batch) depositors {
	return batch.Rows(depositorsKey{}, func() RowSet { return make(depositors) }).(depositors)
}

// queueDepositors asks which players have deposited before.
func queueDepositors(statements *pgx.Batch, batch *Batch, players []uuid.UUID) {
	found := depositorsOf(batch)
	statements.Queue(readDepositors, postgres.UUIDs(players)).Query(func(rows pgx.Rows) error {
		var id uuid.UUID
		_, err := pgx.ForEachRow(rows, []any{&id}, func() error {
			found[id] = true
			return nil
		})
		return err
	})
}

// offer gives the bonus of a first deposit, where the house has one and the player none.
func (b *Batch) offer(cash Cash) error {
	if b.offers == nil {
		return nil
	}
	known := depositorsOf(b)
	if known[cash.Player] {
		return nil
	}
	known[cash.Player] = true
	grant, ok := b.offers.OnFirstDeposit(cash.Currency, cash.Amount, cash.At)
	if !ok {
		return nil
	}
	grant.Player, grant.Currency, grant.At = cash.Player, cash.Currency, cash.At
	_, err := b.Grant(grant)
	if errors.Is(err, ErrBonusActive) || errors.Is(err, ErrExcluded) { // the deposit stands all the same
		return nil
	}
	return err
}
