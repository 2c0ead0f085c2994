package player

import (
	"context"
	"fmt"
	"iter"
	"strings"
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
	// Of a bet: what of its stake counts as turnover at its platform, and what of its win a jackpot paid;
	// nil where the platform says nothing else than the stake and the win.
	ValidStake, JackpotWin *money.Amount
}

// HistoryFilter chooses movements. Zero fields choose all.
type HistoryFilter struct {
	From, To time.Time // From included, To not
	Types    []string
	Provider string
	GameID   string
	RoundID  string
	Coupon   uuid.NullUUID
	Before   uuid.NullUUID // older than this movement: the page before ended with it
}

// History reads players' movements from the ledger, newest first. It is safe for concurrent use.
type History struct{ db *postgres.DB }

// NewHistory returns the history kept in db.
func NewHistory(db *postgres.DB) *History { return &History{db: db} }

// chunk is how many rows a stream holds in memory.
const chunk = 1000

// A lost coupon's first settlement and a refusal move none of the player's money: they are left out.
// Ids are UUIDv7: their order is the order in which the ledger wrote, so a filter by time becomes a range of
// ids, idSlack wider than asked for. Rows with times far from the moment they are written are not found. Indexes:
// transactions_player; transactions_rare where only rare types are asked for; transactions_round,
// transactions_coupon.
var readHistory = `
	SELECT t.id, t.at, t.kind, t.amount, t.cash_after, t.bonus_after, a.currency, coalesce(t.provider, ''),
	       t.external_id, coalesce(t.game_id, ''), coalesce(t.round_id, ''), t.coupon_id, coalesce(t.comment, ''), d.valid_stake, d.jackpot_win
	  FROM transactions t
	  LEFT JOIN bet_details d ON d.transaction_id = t.id AND t.kind = '` + string(ledger.BetWin) + `'
	  JOIN accounts a ON a.player_id = t.player_id AND a.kind = 'cash'
	 WHERE t.player_id = $1
	   AND t.kind NOT IN (` + ledger.Where(func(t ledger.Traits) bool { return t.Hidden }) + `)`

// filtered adds a filter's conditions to the query: only those that are set, so that each is planned
// as what it is.
func filtered(player uuid.UUID, f HistoryFilter, limit int) (query string, arguments []any) {
	var text strings.Builder
	text.WriteString(readHistory)
	arguments = []any{player}
	add := func(condition string, value any) {
		arguments = append(arguments, value)
		fmt.Fprintf(&text, " AND "+condition, len(arguments))
	}
	if !f.From.IsZero() {
		add("t.at >= $%d", f.From)
		add("t.id >= $%d", postgres.IDAt(f.From.Add(-idSlack)))
	}
	if !f.To.IsZero() {
		add("t.at < $%d", f.To)
		add("t.id < $%d", postgres.IDAt(f.To.Add(idSlack)))
	}
	if len(f.Types) > 0 {
		add("t.kind = ANY ($%d)", f.Types)
		if rare(f.Types) {
			text.WriteString(" AND " + ledger.RareKinds)
		}
	}
	if f.Provider != "" {
		add("t.provider = $%d", f.Provider)
	}
	if f.GameID != "" {
		add("t.game_id = $%d", f.GameID)
	}
	if f.RoundID != "" {
		add("t.round_id = $%d", f.RoundID)
	}
	if f.Coupon.Valid {
		add("t.coupon_id = $%d", f.Coupon.UUID)
	}
	if f.Before.Valid {
		add("t.id < $%d", f.Before.UUID)
	}
	text.WriteString(" ORDER BY t.id DESC")
	arguments = append(arguments, limit)
	fmt.Fprintf(&text, " LIMIT $%d", len(arguments))
	return text.String(), arguments
}

// idSlack is how far the time of an instruction may be from that of its id, which is made when its
// commit is decided: an instruction is not kept waiting for longer.
const idSlack = 24 * time.Hour

// rare reports whether types are all in the index transactions_rare.
func rare(types []string) bool {
	for _, name := range types {
		if traits, _ := ledger.Kind(name).Traits(); traits.Frequent {
			return false
		}
	}
	return true
}

// Page returns at most limit movements of a player. An unknown player has none.
func (h *History) Page(ctx context.Context, player uuid.UUID, filter HistoryFilter, limit int) ([]Movement, error) {
	query, arguments := filtered(player, filter, limit)
	// Planned with its values each time: what serves depends on which filters are set.
	rows, err := h.db.Pool.Query(ctx, query, append([]any{pgx.QueryExecModeExec}, arguments...)...)
	if err != nil {
		return nil, fmt.Errorf("read movements: %w", err)
	}
	movements, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (Movement, error) {
		var m Movement
		err := row.Scan(&m.ID, &m.At, &m.Type, &m.Amount, &m.Balance, &m.BonusBalance, &m.Currency, &m.Provider,
			&m.TransactionID, &m.GameID, &m.RoundID, &m.Coupon, &m.Comment, &m.ValidStake, &m.JackpotWin)
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
