package postgres

import (
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
