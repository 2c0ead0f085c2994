package player

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"evens/internal/postgres"
	"evens/ledger"
	"evens/money"
	"evens/wallet"
)

// Index: accounts_player.
const readBalances = `SELECT player_id, currency, kind, balance FROM accounts WHERE player_id = ANY ($1)`

// Balance reads what a player has at this moment, without a lock, or wallet.ErrUnknownPlayer.
func (r *Registry) Balance(ctx context.Context, id uuid.UUID) (wallet.Balance, error) {
	found, err := r.Balances(ctx, []uuid.UUID{id})
	if err != nil {
		return wallet.Balance{}, err
	}
	balance, ok := found[id]
	if !ok {
		return wallet.Balance{}, wallet.ErrUnknownPlayer
	}
	return balance, nil
}

// Balances reads the balances of many players in one statement. Unknown players are left out.
func (r *Registry) Balances(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]wallet.Balance, error) {
	rows, err := r.db.Pool.Query(ctx, readBalances, postgres.UUIDs(ids))
	if err != nil {
		return nil, fmt.Errorf("read balances: %w", err)
	}
	found := make(map[uuid.UUID]wallet.Balance, len(ids))
	var id uuid.UUID
	var currency, kind string
	var amount money.Amount
	_, err = pgx.ForEachRow(rows, []any{&id, &currency, &kind, &amount}, func() error {
		balance := found[id]
		balance.Player, balance.Currency = id, money.Currency(currency)
		if ledger.AccountKind(kind) == ledger.Bonus {
			balance.Bonus = amount
		} else {
			balance.Cash = amount
		}
		found[id] = balance
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read balances: %w", err)
	}
	return found, nil
}
