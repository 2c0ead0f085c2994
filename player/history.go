package player

import (
	"context"
	"fmt"
	"iter"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"evens/internal/postgres"
	"evens/ledger"
	"evens/money"
)

// Movement is a transaction as its player sees it.
type Movement struct {
	ID            uuid.UUID
	At            time.Time
	Type          ledger.Kind
	Amount        money.Amount // signed: what it did to the player's pockets together
	Balance       money.Amount // cash afterwards
	BonusBalance  money.Amount
	Currency      money.Currency
	Provider      string // "" where there is none; so for the texts below
	TransactionID string // the outside's own id
	GameID        string
	RoundID       string
	Coupon        uuid.NullUUID
	Comment       string
}

// HistoryFilter chooses movements. Zero fields choose all.
type HistoryFilter struct {
	From, To time.Time // From included, To not
	Types    []string
	Provider string
	GameID   string
	Before   uuid.NullUUID // older than this movement: the page before ended with it
}

// History reads players' movements from the ledger, newest first. It is safe for concurrent use.
type History struct{ db *postgres.DB }

// NewHistory returns the history kept in db.
func NewHistory(db *postgres.DB) *History { return &History{db: db} }

// chunk is how many rows a stream holds in memory.
const chunk = 1000

// A lost coupon's first settlement and a refusal move none of the player's money: they are left out. Ids are
// UUIDv7: their order is the order in which the ledger wrote. Index: transactions_player.
const readHistory = `
	SELECT t.id, t.at, t.kind, t.amount, t.cash_after, t.bonus_after, a.currency, coalesce(t.provider, ''),
	       t.external_id, coalesce(t.game_id, ''), coalesce(t.round_id, ''), t.coupon_id, coalesce(t.comment, '')
	  FROM transactions t
	  JOIN accounts a ON a.player_id = t.player_id AND a.kind = 'cash'
	 WHERE t.player_id = $1
	   AND t.kind NOT IN ('loss', 'refused', 'tombstone', 'withdrawal_paid')
	   AND ($2::timestamptz IS NULL OR t.at >= $2)
	   AND ($3::timestamptz IS NULL OR t.at < $3)
	   AND ($4::text[] IS NULL OR t.kind = ANY ($4))
	   AND ($5::text = '' OR t.provider = $5)
	   AND ($6::text = '' OR t.game_id = $6)
	   AND ($7::uuid IS NULL OR t.id < $7)
	 ORDER BY t.id DESC
	 LIMIT $8`

// Page returns at most limit movements of a player. An unknown player has none.
func (h *History) Page(ctx context.Context, player uuid.UUID, filter HistoryFilter, limit int) ([]Movement, error) {
	// Planned with its values each time: what serves depends on which filters are set.
	rows, err := h.db.Pool.Query(ctx, readHistory, pgx.QueryExecModeExec, player, optional(filter.From), optional(filter.To),
		filter.Types, filter.Provider, filter.GameID, filter.Before, limit)
	if err != nil {
		return nil, fmt.Errorf("read movements: %w", err)
	}
	movements, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (Movement, error) {
		var m Movement
		err := row.Scan(&m.ID, &m.At, &m.Type, &m.Amount, &m.Balance, &m.BonusBalance, &m.Currency, &m.Provider,
			&m.TransactionID, &m.GameID, &m.RoundID, &m.Coupon, &m.Comment)
		m.At = m.At.UTC()
		return m, err
	})
	if err != nil {
		return nil, fmt.Errorf("read movements: %w", err)
	}
	return movements, nil
}

// All streams every movement the filter chooses, in chunks: memory does not grow with their
// number, and no connection is held while the reader works. An error comes last.
func (h *History) All(ctx context.Context, player uuid.UUID, filter HistoryFilter) iter.Seq2[Movement, error] {
	return func(yield func(Movement, error) bool) {
		for {
			movements, err := h.Page(ctx, player, filter, chunk)
			if err != nil {
				yield(Movement{}, err)
				return
			}
			for _, m := range movements {
				if !yield(m, nil) {
					return
				}
			}
			if len(movements) < chunk {
				return
			}
			filter.Before = uuid.NullUUID{UUID: movements[chunk-1].ID, Valid: true}
		}
	}
}

func optional(at time.Time) *time.Time {
	if at.IsZero() {
		return nil
	}
	return &at
}
