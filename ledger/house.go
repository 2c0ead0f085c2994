package ledger

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"evens/internal/dbclock"
	"evens/internal/postgres"
	"evens/money"
)

const insertHouseTransaction = `
	INSERT INTO transactions (id, source, external_id, kind, player_id, amount, cash_after, bonus_after, provider, payload_hash, operator, comment, at)
	VALUES ($1, $2, $3, $4, $5, 0, 0, 0, nullif($6, ''), $7, nullif($8, ''), nullif($9, ''), $10)`

const insertHouseTransfer = `
	INSERT INTO transfers (transaction_id, leg, debit_account, credit_account, amount, at) VALUES ($1, 1, $2, $3, $4, $5)`

// PostHouse records a transaction that moves money between two accounts of the house, which
// [OpenCurrency] has made. It is for what is rare: it writes at once, and asks for no lock, for the
// house's balances are sums. No player is named: the transaction's Player is the zero id.
func PostHouse(ctx context.Context, tx pgx.Tx, t Transaction, currency money.Currency, move Move) error {
	if _, known := t.Kind.Traits(); !known {
		return fmt.Errorf("post %s %s: %w: %q", t.Source, t.ExternalID, ErrKind, t.Kind)
	}
	if move.From.ofPlayer() || move.To.ofPlayer() || move.Amount <= 0 {
		return fmt.Errorf("post %s %s: %s from %s to %s is none of the house", t.Source, t.ExternalID, move.Amount, move.From, move.To)
	}
	accounts := New()
	if err := accounts.houseAccount(ctx, tx, currency); err != nil {
		return err
	}
	debit, err := accounts.houseID(currency, move.From)
	if err != nil {
		return err
	}
	credit, err := accounts.houseID(currency, move.To)
	if err != nil {
		return err
	}
	t.ID = dbclock.NewID()
	_, err = tx.Exec(ctx, insertHouseTransaction, postgres.UUID(t.ID), t.Source, t.ExternalID, string(t.Kind), postgres.UUID(t.Player), t.Provider,
		t.Payload[:], t.Operator, t.Comment, t.At)
	if err == nil {
		_, err = tx.Exec(ctx, insertHouseTransfer, postgres.UUID(t.ID), debit, credit, int64(move.Amount), t.At)
	}
	if err != nil {
		return fmt.Errorf("post %s %s: %w", t.Source, t.ExternalID, err)
	}
	return nil
}
