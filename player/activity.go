package player

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// The events this package writes down itself; others name their own, noun.verb.
const (
	EventPlayerStatus    = "player.status"
	EventKeyCreated      = "api_key.created"
	EventKeyRevoked      = "api_key.revoked"
	EventOperatorCreated = "operator.created"
)

// Activity is a line of the activity log: what somebody did that is not a movement of money, or
// why they moved it. Zero fields are left empty.
type Activity struct {
	At       time.Time
	Event    string
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

const insertActivity = `
	INSERT INTO activity_log (at, event, operator, player_id, coupon_id, comment, detail)
	VALUES ($1, $2, $3, $4, $5, $6, $7)`

// queueActivity appends to the activity log in the commit of a batch. Its details are texts.
func queueActivity(batch *pgx.Batch, a Activity) {
	detail, _ := json.Marshal(a.Detail)
	batch.Queue(insertActivity, a.At, a.Event, a.Operator, a.Player, a.Coupon, a.Comment, detail)
}

// Log appends to the activity log.
func Log(ctx context.Context, db Execer, a Activity) error {
	detail := []byte("{}")
	if a.Detail != nil {
		var err error
		if detail, err = json.Marshal(a.Detail); err != nil {
			return fmt.Errorf("log %s: %w", a.Event, err)
		}
	}
	if _, err := db.Exec(ctx, insertActivity, a.At, a.Event, a.Operator, a.Player, a.Coupon, a.Comment, detail); err != nil {
		return fmt.Errorf("log %s: %w", a.Event, err)
	}
	return nil
}
