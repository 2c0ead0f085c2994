// Package activity writes the activity log: what somebody did that is not a movement of money, or
// why they moved it. Lines are appended, never changed.
package activity

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Entry is a line of the activity log. Zero fields are left empty.
type Entry struct {
	At       time.Time
	Event    string // noun.verb
	Operator string // e-mail; "" for the program itself
	Player   uuid.NullUUID
	Coupon   uuid.NullUUID
	Comment  string
	Detail   any // marshalled as a JSON object; no secrets
}

// Execer runs a statement: a pgx.Tx, to log in the commit that did it, or a *pgxpool.Pool.
type Execer interface {
	Exec(ctx context.Context, sql string, arguments ...any) (pgconn.CommandTag, error)
}

const insert = `
	INSERT INTO activity_log (at, event, operator, player_id, coupon_id, comment, detail)
	VALUES ($1, $2, $3, $4, $5, $6, $7)`

// Queue appends to the activity log in the commit of a batch. The entry's details are texts.
func Queue(batch *pgx.Batch, e Entry) {
	detail, _ := json.Marshal(e.Detail)
	batch.Queue(insert, e.At, e.Event, e.Operator, e.Player, e.Coupon, e.Comment, detail)
}

// Log appends to the activity log.
func Log(ctx context.Context, db Execer, e Entry) error {
	detail := []byte("{}")
	if e.Detail != nil {
		var err error
		if detail, err = json.Marshal(e.Detail); err != nil {
			return fmt.Errorf("log %s: %w", e.Event, err)
		}
	}
	if _, err := db.Exec(ctx, insert, e.At, e.Event, e.Operator, e.Player, e.Coupon, e.Comment, detail); err != nil {
		return fmt.Errorf("log %s: %w", e.Event, err)
	}
	return nil
}
