package player

import (
	"context"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"evens/ledger"
)

// Types are the types of movements that are asked for by name; nil for all. A spin whose bet and win
// came in one instruction is both.
func Types(names []string) []string {
	var types []string
	for _, name := range names {
		if name = strings.TrimSpace(name); name != "" {
			types = append(types, name)
		}
	}
	if slices.Contains(types, string(ledger.Bet)) || slices.Contains(types, string(ledger.Win)) {
		types = append(types, string(ledger.BetWin))
	}
	return types
}

// CSVFile is what a downloaded history is called.
const CSVFile = "transactions.csv"

// Lines streams the movements that a filter chooses as lines under CSVHeader.
func (h *History) Lines(ctx context.Context, player uuid.UUID, filter HistoryFilter) iter.Seq2[[]string, error] {
	return func(yield func([]string, error) bool) {
		for m, err := range h.All(ctx, player, filter) {
			if !yield(m.CSV(), err) {
				return
			}
		}
	}
}

// CSVHeader names the columns of a movement as /v1 names its fields.
func CSVHeader() []string {
	return []string{
		"id", "at", "type", "amount", "balance", "bonus_balance", "currency", "provider",
		"transaction_id", "game_id", "round_id", "coupon_id", "comment",
	}
}

// CSV is the movement as a line under CSVHeader; what does not apply is empty.
func (m Movement) CSV() []string {
	coupon := ""
	if m.Coupon.Valid {
		coupon = m.Coupon.UUID.String()
	}
	return []string{
		m.ID.String(), m.At.Format(time.RFC3339Nano), string(m.Type), m.Amount.String(), m.Balance.String(),
		m.BonusBalance.String(), string(m.Currency), m.Provider, m.TransactionID, m.GameID, m.RoundID, coupon, m.Comment,
	}
}
