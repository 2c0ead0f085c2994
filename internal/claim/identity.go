package claim

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"evens/internal/redis"
)

// Identity is an installation: the id of its migration and the database where it is.
type Identity struct {
	ID       uuid.UUID
	Cluster  string // PostgreSQL's system identifier; empty where the server does not tell
	Database uint32 // its oid there
}

const (
	readIdentity = `
	SELECT i.id, d.oid FROM installation i, pg_database d WHERE d.datname = current_database()`
	readCluster = `SELECT system_identifier::text FROM pg_control_system()`
)

// Read reads who the installation at the pool is.
func Read(ctx context.Context, pool *pgxpool.Pool) (Identity, error) {
	var one Identity
	if err := pool.QueryRow(ctx, readIdentity).Scan(&one.ID, &one.Database); err != nil {
		return Identity{}, fmt.Errorf("read the installation's id: %w", err)
	}
	err := pool.QueryRow(ctx, readCluster).Scan(&one.Cluster)
	if err != nil && !untold(err) {
		return Identity{}, fmt.Errorf("read the database cluster's id: %w", err)
	}
	return one, nil
}

// Space is where the installation's keys are in Redis.
func (i Identity) Space() redis.Space {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %s %d", i.ID, i.Cluster, i.Database))
	return redis.Space("evens-" + hex.EncodeToString(sum[:6]))
}

// untold recognises a server that keeps its system identifier to itself, as some hosted ones do.
func untold(err error) bool {
	answer, ok := errors.AsType[*pgconn.PgError](err)
	const forbidden, noFunction, unsupported = "42501", "42883", "0A000"
	return ok && (answer.Code == forbidden || answer.Code == noFunction || answer.Code == unsupported)
}
