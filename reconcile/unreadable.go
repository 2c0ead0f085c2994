package reconcile

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"time"

	"github.com/jackc/pgx/v5/pgtype"
)

const readUnreadable = `
	SELECT coalesce(transaction_id, ''), at, body, reason FROM unreadable_lines WHERE statement_id = $1 ORDER BY page, line`

// readUnreadable makes a break of each line that was left aside, and remembers their ids: what is there
// and cannot be read is not missing. One without a readable time is of the window's end, where the next
// run looks again.
func (r *Reconciler) readUnreadable(ctx context.Context, provider string, s *statement) ([]*Break, error) {
	if s.unreadable == 0 {
		return nil, nil
	}
	s.unread = make(map[string]bool)
	seen := make(map[string]bool)
	var breaks []*Break
	var id, body, reason string
	var at pgtype.Timestamptz
	aside := query{"read what could not be read", readUnreadable, []any{s.id}}
	err := r.each(ctx, aside, []any{&id, &at, &body, &reason}, func() error {
		b := &Break{Provider: provider, Kind: UnreadableLine, TransactionID: id, State: StateOpen, Action: ActPerson, At: s.to.Add(-time.Microsecond)}
		if id == "" {
			s.blind = true
			sum := sha256.Sum256([]byte(body))
			b.TransactionID = "line " + hex.EncodeToString(sum[:8])
		}
		s.unread[b.TransactionID] = true
		if at.Valid && !at.Time.Before(s.from) && at.Time.Before(s.to) {
			b.At = at.Time.UTC()
		}
		var err error
		b.Theirs, err = json.Marshal(map[string]string{"line": body, "reason": reason})
		if !seen[b.TransactionID] {
			breaks = append(breaks, b)
		}
		seen[b.TransactionID] = true
		return err
	})
	return breaks, err
}
