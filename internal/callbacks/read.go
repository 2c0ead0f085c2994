package callbacks

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"evens/internal/postgres"
)

// ErrUnknown says that a callback is not known, or not kept any more.
var ErrUnknown = errors.New("no such callback")

const readRecord = `
	SELECT id, at, provider, path, source, coalesce(headers, '{}'), body, plain, status, answer, coalesce(code, ''), coalesce(took_us, 0),
	       player_id, transaction_id
	  FROM callbacks WHERE id = $1`

// Read returns a callback as it was kept, or ErrUnknown.
func Read(ctx context.Context, db *postgres.DB, id uuid.UUID) (Record, error) {
	var record Record
	var status int16
	var micros int64
	err := db.Pool.QueryRow(ctx, readRecord, id).Scan(&record.ID, &record.At, &record.Provider, &record.Path, &record.Source,
		&record.Headers, &record.Body, &record.Plain, &status, &record.Answer, &record.Code, &micros, &record.Player, &record.Transaction)
	if errors.Is(err, pgx.ErrNoRows) {
		return Record{}, ErrUnknown
	}
	if err != nil {
		return Record{}, fmt.Errorf("read callback: %w", err)
	}
	record.At, record.Status, record.Took = record.At.UTC(), int(status), time.Duration(micros)*time.Microsecond
	return record, nil
}
