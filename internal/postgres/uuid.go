package postgres

import (
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgtype"
)

// UUID turns an id into the driver's own type, which is sent in binary without reflection.
func UUID(id uuid.UUID) pgtype.UUID { return pgtype.UUID{Bytes: id, Valid: true} }

// UUIDs does the same for an array parameter.
func UUIDs(ids []uuid.UUID) pgtype.FlatArray[pgtype.UUID] {
	out := make(pgtype.FlatArray[pgtype.UUID], len(ids))
	for i, id := range ids {
		out[i] = UUID(id)
	}
	return out
}

// Array is an array parameter of a type that pgx would otherwise encode by reflection.
func Array[T any](values []T) pgtype.FlatArray[T] { return values }

// IDAt is the oldest UUIDv7 of a time: ids grow with time, so a window of time is a range of ids.
func IDAt(at time.Time) (id uuid.UUID) {
	ms := uint64(max(at.UnixMilli(), 0))
	for i := range 6 {
		id[i] = byte(ms >> (40 - 8*i))
	}
	id[6] = 0x70
	return id
}
