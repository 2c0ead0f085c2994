package casino

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"evens/ledger"
	"evens/money"
)

// RoundStatus is where a round stands.
type RoundStatus struct {
	Provider, ID     string
	Player           uuid.UUID
	Game, Parent     string
	Type             string
	Staked, Won      money.Amount
	BetTransaction   string
	WinTransaction   string
	Bets, Wins       int
	Closed, Reversed bool // Reversed: every bet of it was rolled back
}

// Index: transactions_key.
const readKind = `SELECT kind FROM transactions WHERE source = $1 AND external_id = $2`

// KindOf returns what became of a platform's instruction: its kind, ledger.Refused or
// ledger.Tombstone; ErrUnknownBet where it is not known.
func (f *Floor) KindOf(ctx context.Context, provider, id string) (ledger.Kind, error) {
	var kind ledger.Kind
	err := f.db.Pool.QueryRow(ctx, readKind, provider, id).Scan(&kind)
	if errors.Is(err, pgx.ErrNoRows) {
		return "", ErrUnknownBet
	}
	if err != nil {
		return "", fmt.Errorf("read instruction: %w", err)
	}
	return kind, nil
}

// Index: rounds_pkey.
const readRound = `SELECT ` + roundColumns + ` FROM rounds r WHERE r.provider = $1 AND r.round_id = $2 ORDER BY r.player_id LIMIT 1`

// Round returns where a platform's round stands, or ErrUnknownBet.
func (f *Floor) Round(ctx context.Context, provider, id string) (RoundStatus, error) {
	if err := CheckID(id); err != nil {
		return RoundStatus{}, err
	}
	rows, err := f.db.Pool.Query(ctx, readRound, provider, id)
	if err != nil {
		return RoundStatus{}, fmt.Errorf("read round: %w", err)
	}
	r, err := pgx.CollectExactlyOneRow(rows, scanRound)
	if errors.Is(err, pgx.ErrNoRows) {
		return RoundStatus{}, ErrUnknownBet
	}
	if err != nil {
		return RoundStatus{}, fmt.Errorf("read round: %w", err)
	}
	return RoundStatus{
		Provider: r.provider, ID: r.id, Player: r.player, Game: r.game, Parent: r.parent, Type: r.betType,
		Staked: r.staked, Won: r.won, BetTransaction: r.betTransaction, WinTransaction: r.winTransaction,
		Bets: int(r.bets), Wins: int(r.wins), Closed: r.closed.Valid, Reversed: r.bets > 0 && r.rolledBack == r.bets,
	}, nil
}
