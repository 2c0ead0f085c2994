package postgres

import (
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgtype"
)

// NullUUID writes an id that may be null in an array.
func NullUUID(id uuid.NullUUID) pgtype.UUID { return pgtype.UUID{Bytes: id.UUID, Valid: id.Valid} }

// NullTime writes a time, null where it is zero.
func NullTime(at time.Time) *time.Time {
	if at.IsZero() {
		return nil
	}
	return &at
}

// Time reads a time in UTC, zero where it is null.
func Time(at pgtype.Timestamptz) time.Time {
	if !at.Valid {
		return time.Time{}
	}
	return at.Time.UTC()
}
